"""What a company downloads of a shoot: approved headshots, and what stands in for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.brand import styles
from core.errors import Conflict
from core.models import Alternative, Artifact, Headshot, Member, Participation, Shoot, State
from core.portraits import avatars, gallery
from core.shoots import participations
from core.style.framing import Head
from core.style.spec import StyleSpec
from core.vault import ArtifactGone, Held, vault


class NothingToDownload(Conflict):
    """Nobody has approved a headshot, and nobody uses an alternative."""

    code = "nothing_to_download"


BATCH: Final = 500  # people who are locked together


@dataclass(frozen=True)
class Choice:
    """What of a shoot an archive is to hold.

    Attributes:
        outputs: names of the styles' files; none stands for the first of each.
        departments: of whose people; none stands for everybody's. An empty one is that of people who have none.
        only_new: only what no archive has held that reached its end.
    """

    outputs: tuple[str, ...] = ()
    departments: frozenset[str] = frozenset()
    only_new: bool = False


EVERYTHING: Final = Choice()


@dataclass(frozen=True)
class Picture:
    """One person's picture as it lies in the vault.

    Attributes:
        held: where the master's PNG lies, or a picture that stands in for it; `None` for initials.
        media_type: of what it holds.
        is_master: whether it is a headshot, to be cut to the style's size.
        initials: for an avatar.
        person: first and last name.
        head: where the gates found the head in a master.
        names: values for the file name template.
        style: that a master was made in; `None` for an alternative.
        engine: what made a master; empty for an alternative.
        mark: what the watermark of a master's files says, if it has one.
        notes: what differs from the style in a master.
        approved_at: when its person approved a master.
    """

    held: Held | None
    media_type: str
    is_master: bool
    initials: str
    person: str
    head: Head | None
    names: dict[str, str]
    style: StyleSpec | None = None
    engine: str = ""
    mark: int | None = None
    notes: tuple[str, ...] = ()
    approved_at: datetime | None = None


def _is_new() -> ColumnElement[bool]:
    chosen_since = Participation.archived_at < Participation.approved_at
    return or_(Participation.archived_at.is_(None), chosen_since)


def _there(shoot_id: UUID) -> Select[tuple[()]]:
    """Ask for people of a shoot whose picture may be handed over, or who have something that stands in for one."""
    alive = (Artifact.id == Headshot.artifact_id) & Artifact.delete_requested_at.is_(None)
    return (
        select()
        .select_from(Participation)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .join(Member, Member.id == Participation.member_id)
        .outerjoin(Headshot, Headshot.id == Participation.chosen_headshot_id)
        .outerjoin(Artifact, alive)
        .where(
            Participation.shoot_id == shoot_id,
            Member.restricted_at.is_(None),
            or_(
                Artifact.id.is_not(None) & ~gallery.waits_for_review(), Participation.state == State.DECLINED
            ),
        )
    )


def plan(session: Session, shoot: Shoot, choice: Choice = EVERYTHING, *, actor: audit.Actor) -> list[UUID]:
    """Return whose pictures an archive will hold, by participation, and note the download.

    Raises:
        NothingToDownload: there is nothing yet, or nothing of what was chosen.
    """
    query = (
        _there(shoot.id)
        .add_columns(Participation.id)
        .order_by(func.lower(Member.last_name), func.lower(Member.first_name), Participation.id)
    )
    if choice.departments:
        query = query.where(func.coalesce(Member.department, "").in_(sorted(choice.departments)))
    if choice.only_new:
        query = query.where(_is_new())
    ids = list(session.scalars(query))
    if not ids and (choice.departments or choice.only_new):
        raise NothingToDownload(
            "There is nothing of what you chose: nobody of these departments has finished, or earlier archives held it all."
        )
    if not ids:
        raise NothingToDownload(
            "There is nothing to download. Headshots appear here as soon as people approve them, and end as many days "
            "after the shoot as your company keeps them."
        )
    audit.record(
        session,
        audit.Tag.SHOOT_DOWNLOADED,
        actor=actor,
        shoot=str(shoot.id),
        people=len(ids),
        only_new=choice.only_new,
    )
    return ids


def departments(session: Session, shoot_id: UUID) -> list[tuple[str, int]]:
    """Return the departments whose people have something to download, by name, and how many of them have."""
    name = func.coalesce(Member.department, "")
    query = _there(shoot_id).add_columns(name, func.count()).group_by(name).order_by(func.lower(name), name)
    return [(department, number) for department, number in session.execute(query)]


def fresh(session: Session, shoot_id: UUID) -> int:
    """Return of how many people there is something that no archive has held."""
    return session.scalar(_there(shoot_id).where(_is_new()).add_columns(func.count())) or 0


def archived(session: Session, participation_ids: Sequence[UUID], began: datetime) -> None:
    """Note that an archive which began then holds these people's pictures and has reached its end.

    Of a download that broke off before nothing is noted, so the next one has it all.
    """
    of = select(Participation.member_id).where(Participation.id.in_(participation_ids))
    locks.owners(session, of)
    session.execute(
        update(Participation).where(Participation.id.in_(participation_ids)).values(archived_at=began)
    )


def picture(session: Session, participation_id: UUID) -> Picture | None:
    """Return one person's picture, to be opened after the transaction.

    `None` for someone who was erased, whose data is restricted, or who changed their mind since the download began.
    """
    participation = participations.get(session, participation_id)
    member = session.get_one(Member, participation.member_id)
    if member.erased_at is not None or member.restricted_at is not None:
        return None
    names = {
        "employee_id": member.employee_id or "",
        "first": member.first_name or "",
        "last": member.last_name or "",
        "department": member.department or "",
    }
    try:
        if participation.state == State.DECLINED:
            return _alternative(session, participation, member, names)
        if participation.chosen_headshot_id is None:
            return None
        headshot = session.get_one(Headshot, participation.chosen_headshot_id)
        if headshot.artifact_id is None or _is_held_back(session, participation):
            return None
        held = vault().find(session, headshot.artifact_id)
    except ArtifactGone:
        return None
    head = Head.measured(headshot.gates.get("figures", {}))
    return Picture(
        held,
        "image/png",
        True,
        member.initials,
        member.full_name,
        head,
        names,
        styles.delivered(session, headshot.style_id),
        headshot.engine,
        headshot.mark,
        headshot.notes,
        participation.approved_at,
    )


def _is_held_back(session: Session, participation: Participation) -> bool:
    """Whether the shoot is reviewed, and nobody has looked at the approved headshot."""
    if not session.get_one(Shoot, participation.shoot_id).reviewed:
        return False
    return session.get_one(Headshot, participation.chosen_headshot_id).reviewed_at is None


def handed(
    session: Session,
    participation_id: UUID,
    *,
    is_master: bool,
    actor: audit.Actor,
    held: Held | None = None,
    outputs: Sequence[str] = (),
    alone: bool = False,
) -> bool:
    """Note that the company gets a copy of somebody's picture; return whether there still is one.

    Each copy is noted, the first and every further one: after an erasure the company is asked to delete them.

    Args:
        session: bound to the organization.
        participation_id: whose picture it is.
        is_master: whether it is an approved headshot, and no picture that stands in for one.
        held: what was opened, where it was before this transaction: meanwhile they may have chosen another.
        actor: who downloads it.
        outputs: names of a headshot's files.
        alone: whether it is a file by itself, and none in an archive.
    """
    participation = participations.get(session, participation_id, lock=True)
    member = session.get_one(Member, participation.member_id)
    if participation.state == State.ERASED or member.restricted_at is not None:
        return False
    if held is not None and ((now := picture(session, participation_id)) is None or now.held != held):
        return False
    if is_master:
        if participation.chosen_headshot_id is None or _is_held_back(session, participation):
            return False
        participations.deliver(session, participation, actor=actor)
    audit.record(
        session,
        audit.Tag.HEADSHOT_HANDED,
        actor=actor,
        subject=member,
        participation=str(participation.id),
        shoot=str(participation.shoot_id),
        headshot=is_master,
        outputs=" ".join(outputs) if is_master else "",
        alone=alone,
    )
    return True


def _alternative(
    session: Session, participation: Participation, member: Member, names: dict[str, str]
) -> Picture:
    held, media_type = None, "image/png"
    if participation.alternative == Alternative.OWN_PICTURE:
        artifact = avatars.own_picture(session, member.id)
        if artifact is not None:
            held, media_type = vault().find(session, artifact.id), artifact.media_type
    return Picture(held, media_type, False, member.initials, member.full_name, None, names)
