"""One person's work in a shoot: read in one short transaction, kept in another, with any engine between."""

from __future__ import annotations

import io
from collections.abc import Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import numpy as np
from PIL import Image
from sqlalchemy import String, cast, func, select
from sqlalchemy.orm import Session

from compliance import consent
from compliance.origin.making import is_model_made
from core import audit
from core.checks.report import GateReport
from core.consent import Purpose, ValidConsent
from core.ids import new_id
from core.logs import logger
from core.models import EngineName, Headshot, Kind, Member, Participation, Photo, Shoot, State, Style
from core.observe import metrics
from core.people import consents
from core.portraits import edits, headshots, marks, photos, rejections, restyling, verdicts
from core.queue import JobName, enqueue
from core.shoots import deliveries, department_styles, participations
from core.style.spec import ImageBackdrop, StyleSpec
from core.style.variants import Variant
from core.vault import ArtifactGone, Held, KeyErased, Sealed, vault
from workers.pipeline.render import RenderResult
from workers.vision.geometry import Pixels
from workers.vision.likeness import Embedding

# Lossless, since every delivered size is cut from it; level 3 is three times faster than 6 and 4 % larger.
PNG_LEVEL: Final = 3
# Each photo is an object of its own to fetch and open, 5 ms beside the program and 30 ms from a cloud: half a minute
# at most, beside minutes on the GPU. Of a larger shoot each person meets others.
_COLLEAGUES: Final = 300
# Of each: one photo alone may be the one that is unlike its person, and then the colleague seems far away.
_EACH: Final = 3
_LOOKED_AT: Final = 2 * _EACH  # of each, the newest, since some may be doubted
# What training a model of a person needs, and showing what it makes: nobody sees a made face that was not compared.
MODEL: Final = frozenset({Purpose.PHOTO, Purpose.LIKENESS, Purpose.ADAPTER})


@dataclass(frozen=True)
class Assignment:
    """Everything that making a person's headshots needs."""

    participation_id: UUID
    member_id: UUID
    style_id: UUID
    style: StyleSpec
    consent: ValidConsent
    needs: frozenset[Purpose]  # without any of these nothing of it may be kept
    photos: list[tuple[str, bytes]]
    subjects: dict[str, tuple[float, float]]
    backdrop: Pixels | None
    # Photos of which nothing is made; see `core.portraits.rejections`.
    passed_over: frozenset[str] = frozenset()
    edit: Variant | None = None  # what the person asked for; see `core.portraits.edits`

    @property
    def seed(self) -> int:
        """A chance of the person's own, the same however often the work is done again."""
        return seed_of(self.participation_id)


@dataclass(frozen=True)
class Planned:
    """The same before the storage was asked: where photos and backdrop lie."""

    participation_id: UUID
    member_id: UUID
    style_id: UUID
    style: StyleSpec
    consent: ValidConsent
    needs: frozenset[Purpose]
    photos: list[tuple[str, Held]]
    subjects: dict[str, tuple[float, float]]
    backdrop: Held | None
    passed_over: frozenset[str]
    edit: Variant | None


def read(planned: Planned) -> Assignment:
    """Read what a planned work needs from the storage, outside of any transaction.

    Raises:
        ArtifactGone, KeyErased: the person left meanwhile.
    """
    backdrop = None
    if planned.backdrop is not None:
        backdrop = np.asarray(Image.open(io.BytesIO(vault().open(planned.backdrop))).convert("RGB"))
    return Assignment(
        participation_id=planned.participation_id,
        member_id=planned.member_id,
        style_id=planned.style_id,
        style=planned.style,
        consent=planned.consent,
        needs=planned.needs,
        photos=[(key, vault().open(held)) for key, held in planned.photos],
        subjects=planned.subjects,
        backdrop=backdrop,
        passed_over=planned.passed_over,
        edit=planned.edit,
    )


def seed_of(participation_id: UUID) -> int:
    """Return a person's chance; see `Assignment.seed`."""
    return int.from_bytes(participation_id.bytes[12:])  # 32 bits, and room for the numbers of pictures


def style_row_of(session: Session, participation_id: UUID) -> Style:
    """Return the style in which the person's next headshots are made: their department's, or their shoot's.

    An edit is of a headshot, whose style its person chose, and is made in that.
    """
    asked = edits.asked(session, participation_id)
    if asked:
        return session.get_one(Style, asked.style_id)
    return department_styles.style_for(session, participations.get(session, participation_id))


def style_of(session: Session, participation_id: UUID) -> StyleSpec:
    """Return what that style says."""
    return style_row_of(session, participation_id).parsed


def crop_of(session: Session, participation_id: UUID) -> StyleSpec | None:
    """Return the style whose crop the person's photos must fill; `None` where a model learns from them instead."""
    shoot = session.get_one(Shoot, participations.get(session, participation_id).shoot_id)
    return None if shoot.engine == EngineName.DIFFUSION else style_of(session, participation_id)


def begin(
    session: Session, participation_id: UUID, needs: Set[Purpose] = frozenset({Purpose.PHOTO})
) -> Planned | None:
    """Plan the work and say that it is being done; `None` for someone who does not wait (any more).

    Args:
        session: bound to the organization.
        participation_id: whose work.
        needs: the consents without which it is not done, nor anything of it kept.

    Raises:
        ConsentRequired: one of `needs` was not agreed to, or was taken back.
    """
    participation = participations.get(session, participation_id, lock=True)
    if participation.state not in (State.SUBMITTED, State.RENDERING):
        return None
    agreed = consent.require(session, participation.member_id, needs)
    participations.move(session, participation, State.RENDERING, actor=audit.SYSTEM)
    asked = edits.asked(session, participation.id)
    style = style_row_of(session, participation.id)
    spec = style.parsed
    backdrop = None
    if isinstance(spec.backdrop, ImageBackdrop):
        backdrop = vault().find(session, UUID(spec.backdrop.image))
    usable = _accepted(session, participation.id)
    over = (
        {photo.id for photo in usable} - {asked.photo_id}
        if asked
        else rejections.passed_over(session, participation)
    )
    return Planned(
        participation_id=participation.id,
        member_id=participation.member_id,
        style_id=style.id,
        style=spec,
        consent=agreed,
        needs=frozenset(needs),
        photos=[(str(photo.id), vault().find(session, photo.artifact_id)) for photo in usable],
        subjects={str(photo.id): photo.subject for photo in usable if photo.subject is not None},
        backdrop=backdrop,
        passed_over=frozenset(str(one) for one in over),
        edit=edits.variant_of(asked) if asked else None,
    )


def accepted(session: Session, participation_id: UUID) -> set[str]:
    """Return the keys of the photos that work may be done with."""
    return {str(photo.id) for photo in _accepted(session, participation_id)}


def _accepted(session: Session, participation_id: UUID) -> list[Photo]:
    return [
        photo
        for photo in photos.of_participation(session, participation_id)
        if verdicts.standing_of(photo) is verdicts.Standing.ACCEPTED
    ]


def seal(org_id: UUID, work: Assignment, result: RenderResult) -> list[Sealed]:
    """Seal the headshots of a result, before the transaction that keeps it."""
    return [
        vault().seal(
            org_id, _png(shot.pixels), kind=Kind.HEADSHOT, media_type="image/png", member_id=work.member_id
        )
        for shot in result.headshots
    ]


def keep(
    session: Session,
    work: Assignment,
    result: RenderResult,
    sealed: Sequence[Sealed],
    *,
    engine: str,
    seconds: float,
    adapter_id: UUID | None = None,
) -> bool:
    """Keep what came of it; nothing for someone who declined, was erased or withdrew meanwhile.

    Of somebody who took back the comparison of faces alone, a result that does not need it stays, without what
    comparing found.

    Args:
        session: bound to the organization.
        work: what was to be done.
        result: what came of it.
        sealed: what `seal` made of its headshots.
        engine: name of what made it.
        seconds: that it took.
        adapter_id: what knew the person.

    Returns:
        Whether it was kept. Moving on, or another engine, is the caller's.

    Raises:
        ConsentRequired: one of the consents that the work needs was withdrawn meanwhile.
    """
    participation = participations.get(session, work.participation_id, lock=True)
    if participation.state != State.RENDERING:
        return False
    agreed = consent.require(session, participation.member_id, work.needs)
    made: list[tuple[str, GateReport | None, Sealed | None, str | None, int | None]] = [
        (shot.source, shot.report, one, None, shot.seed)
        for shot, one in zip(result.headshots, sealed, strict=True)
    ]
    made += [(held.source, held.report, None, held.reason, held.seed) for held in result.withheld]
    headshots.forget_asked(session, participation)
    run = headshots.run_to_keep(session, participation, engine)
    for rank, (source, report, one, withheld, seed) in enumerate(made):
        if report and not agreed.covers(Purpose.LIKENESS):
            report = report.uncompared()
        artifact_id = vault().keep(session, one).id if one is not None else None
        session.add(
            Headshot(
                id=new_id(),
                org_id=participation.org_id,
                participation_id=participation.id,
                member_id=participation.member_id,
                photo_id=UUID(source),
                style_id=work.style_id,
                artifact_id=artifact_id,
                engine=engine,
                adapter_id=adapter_id,
                seed=seed,
                run=run,
                rank=rank,
                gates=report.model_dump(mode="json") if report else {},
                withheld_code=withheld,
                seconds=round(seconds / len(made), 2),
                mark=marks.new() if is_model_made(engine) and artifact_id is not None else None,
            )
        )
    audit.record(
        session,
        audit.Tag.HEADSHOTS_RENDERED,
        actor=audit.SYSTEM,
        subject=session.get_one(Member, participation.member_id),
        participation=str(participation.id),
        passed=len(result.headshots),
        withheld=len(result.withheld),
    )
    _count(result, engine)
    return True


def _count(result: RenderResult, engine: str) -> None:
    """Tell which gates candidates passed, over all people together."""
    metrics.CANDIDATES.labels(engine, "passed").inc(len(result.headshots))
    metrics.CANDIDATES.labels(engine, "withheld").inc(len(result.withheld))
    reports = [shot.report for shot in result.headshots] + [held.report for held in result.withheld]
    for report in reports:
        for name, gate in report.gates.items() if report else ():
            outcome = {True: "passed", False: "failed", None: "not_measured"}[gate.passed]
            metrics.GATES.labels(name, outcome).inc()


def finished(session: Session, participation_id: UUID, result: RenderResult, *, edited: bool = False) -> None:
    """Let the person choose, or tell that nothing can be shown."""
    participation = participations.get(session, participation_id, lock=True)
    if result.headshots:
        participations.move(session, participation, State.READY, actor=audit.SYSTEM)
        deliveries.queued([participation])
        enqueue(session, JobName.READY_MAIL, participation.id)
        return
    if edited and headshots.any_of(session, participation):  # the photos did work; what was asked for did not
        participations.move(session, participation, State.READY, actor=audit.SYSTEM)
        return
    if result.withheld and restyling.step_back(session, participation):
        return
    participations.fail(
        session, participation, result.withheld[0].reason if result.withheld else "no_usable_photo"
    )


def colleagues(session: Session, participation_id: UUID) -> list[list[Held]]:
    """Return where embeddings lie of other people of the shoot whose consent to `likeness` stands, a few of each.

    Of more than `_COLLEAGUES` people a sample, for each person another one, in every run the same. Whose each group is,
    is not returned: they are only there so that nobody gets somebody else's face.
    """
    participation = participations.get(session, participation_id)
    theirs = (
        select(Photo)
        .join(Participation, Participation.id == Photo.participation_id)
        .where(
            Participation.shoot_id == participation.shoot_id,
            Photo.member_id != participation.member_id,
            Photo.likeness_id.is_not(None),
        )
    )
    people = theirs.with_only_columns(Photo.member_id).distinct().subquery()
    chance = func.md5(cast(people.c.member_id, String) + str(participation_id))
    whose = session.scalars(select(people.c.member_id).order_by(chance).limit(_COLLEAGUES)).all()
    agreed = consents.agreed_by(session, whose)
    place = func.row_number().over(partition_by=Photo.member_id, order_by=Photo.id.desc()).label("place")
    newest = theirs.with_only_columns(Photo.id, place).where(Photo.member_id.in_(whose)).subquery()
    found = (
        select(Photo)
        .join(newest, newest.c.id == Photo.id)
        .where(newest.c.place <= _LOOKED_AT)
        .order_by(Photo.id.desc())
    )
    groups: dict[UUID, list[UUID]] = {member_id: [] for member_id in whose}
    for one in session.scalars(found).yield_per(_COLLEAGUES):
        # Who uploaded a colleague's photo by mistake must not keep that colleague from their own face.
        if one.likeness_id and len(groups[one.member_id]) < _EACH and not verdicts.is_doubted(one):
            groups[one.member_id].append(one.likeness_id)
    return [
        [vault().find(session, one) for one in group]
        for member_id, group in groups.items()
        if group and Purpose.LIKENESS in agreed[member_id]
    ]


def embeddings(held: Sequence[Sequence[Held]]) -> list[list[Embedding]]:
    """Read embeddings, a group for each colleague; of somebody who left meanwhile there is none any more.

    What an encoder in use has never seen stays, so that the gate can say that this encoder could not compare it.
    """
    groups = []
    unseen = 0
    for group in held:
        found = []
        for one in group:
            with suppress(ArtifactGone, KeyErased):
                found.append(Embedding.from_bytes(vault().open(one)))
        unseen += any(not one.is_current for one in found)
        groups += [found] if found else []
    if unseen:
        logger().warning("colleagues_unseen_by_an_encoder", count=unseen)
    return groups


def _png(pixels: Pixels) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=PNG_LEVEL)
    return target.getvalue()
