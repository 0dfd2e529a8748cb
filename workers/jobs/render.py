"""`render`: make a person's headshots in the shoot's style, measure them, let the person see what passed."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from PIL import Image
from sqlalchemy.orm import Session

from compliance import consent
from core import audit, progress
from core.consent import ValidConsent
from core.ids import new_id
from core.models import Headshot, Kind, Member, Participation, Shoot, State, Style
from core.queue import JobName, enqueue
from core.services import participations, photos
from core.style import ImageBackdrop, StyleSpec
from core.vault import vault
from workers.engines import StudioEngine
from workers.gates import GateReport
from workers.render import RenderResult, render
from workers.runner import JobRun
from workers.vision.geometry import Pixels

# Lossless, since every delivered size is cut from it; level 3 is three times faster than 6 and 4 % larger.
PNG_LEVEL = 3


@dataclass(frozen=True)
class _Work:
    """Everything that a render needs, read in one short transaction."""

    style_id: UUID
    style: StyleSpec
    consent: ValidConsent
    photos: list[tuple[str, bytes]]
    subjects: dict[str, tuple[float, float]]
    backdrop: Pixels | None


def run(job: JobRun) -> None:
    """Render; a second delivery, or one after the person left, does nothing.

    The photos are read and the result is written in two short transactions: a render takes seconds,
    and no row stays locked for that long.
    """
    with job.read() as session:
        work = _begin(session, job.subject_id)
    if work is None:
        with job.finish():
            return
    started = time.monotonic()

    def tell(fraction: float, step: str) -> None:
        progress.report(job.subject_id, step, fraction)

    result = render(
        work.photos, work.style, work.consent, tell, work.backdrop, StudioEngine(), subjects=work.subjects
    )
    seconds = time.monotonic() - started
    with job.finish() as session:
        _keep(session, job.subject_id, work, result, seconds)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Tell the person that it did not work; their photos are safe and they can send them again."""
    participation = participations.get(session, subject_id, lock=True)
    if participation.state in (State.SUBMITTED, State.RENDERING):
        participations.move(session, participation, State.FAILED, actor=audit.SYSTEM)
        participation.failure_code = code[:64]


def _begin(session: Session, participation_id: UUID) -> _Work | None:
    participation = participations.get(session, participation_id, lock=True)
    if participation.state not in (State.SUBMITTED, State.RENDERING):
        return None
    agreed = consent.require(session, participation.member_id)
    participations.move(session, participation, State.RENDERING, actor=audit.SYSTEM)
    style = session.get_one(Style, session.get_one(Shoot, participation.shoot_id).style_id)
    spec = style.parsed
    backdrop = None
    if isinstance(spec.backdrop, ImageBackdrop):
        content = vault().get(session, UUID(spec.backdrop.image))
        backdrop = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    accepted = [
        photo
        for photo in photos.of_participation(session, participation.id)
        if photos.standing_of(photo) is photos.Standing.ACCEPTED
    ]
    return _Work(
        style_id=style.id,
        style=spec,
        consent=agreed,
        photos=[(str(photo.id), vault().get(session, photo.artifact_id)) for photo in accepted],
        subjects={str(photo.id): photo.subject for photo in accepted if photo.subject is not None},
        backdrop=backdrop,
    )


def _keep(
    session: Session, participation_id: UUID, work: _Work, result: RenderResult, seconds: float
) -> None:
    participation = participations.get(session, participation_id, lock=True)
    if participation.state != State.RENDERING:
        return  # declined or erased while we worked: the pictures are dropped
    consent.require(session, participation.member_id)  # withdrawn while we worked: nothing is kept
    made: list[tuple[str, GateReport | None, Pixels | None, str | None]] = [
        (shot.source, shot.report, shot.pixels, None) for shot in result.headshots
    ]
    made += [(held.source, held.report, None, held.reason) for held in result.withheld]
    for rank, (source, report, pixels, withheld) in enumerate(made):
        artifact_id = None
        if pixels is not None:
            artifact_id = (
                vault()
                .put(
                    session,
                    _png(pixels),
                    kind=Kind.HEADSHOT,
                    media_type="image/png",
                    member_id=participation.member_id,
                )
                .id
            )
        session.add(
            Headshot(
                id=new_id(),
                org_id=participation.org_id,
                participation_id=participation.id,
                member_id=participation.member_id,
                photo_id=UUID(source),
                style_id=work.style_id,
                artifact_id=artifact_id,
                engine=StudioEngine.name,
                rank=rank,
                gates=report.model_dump(mode="json") if report else {},
                withheld_code=withheld,
                seconds=round(seconds / len(made), 2),
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
    _move_on(session, participation, result)


def _move_on(session: Session, participation: Participation, result: RenderResult) -> None:
    if result.headshots:
        participations.move(session, participation, State.READY, actor=audit.SYSTEM)
        enqueue(session, JobName.READY_MAIL, participation.id)
        return
    participations.move(session, participation, State.FAILED, actor=audit.SYSTEM)
    participation.failure_code = result.withheld[0].reason if result.withheld else "no_usable_photo"


def _png(pixels: Pixels) -> bytes:
    target = io.BytesIO()
    Image.fromarray(pixels).save(target, "PNG", compress_level=PNG_LEVEL)
    return target.getvalue()
