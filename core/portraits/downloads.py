"""What a company downloads of a shoot: approved headshots, and what stands in for them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from core import audit
from core.errors import Conflict
from core.models import Alternative, Artifact, Headshot, Member, Participation, Shoot, State
from core.portraits import avatars
from core.shoots import participations
from core.style.framing import Head
from core.vault import ArtifactGone, Held, vault


class NothingToDownload(Conflict):
    """Nobody has approved a headshot, and nobody uses an alternative."""

    code = "nothing_to_download"


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
        engine: what made a master; empty for an alternative.
        mark: what the watermark of a master's files says, if it has one.
        notes: what differs from the style in a master.
    """

    held: Held | None
    media_type: str
    is_master: bool
    initials: str
    person: str
    head: Head | None
    names: dict[str, str]
    engine: str = ""
    mark: int | None = None
    notes: tuple[str, ...] = ()


def plan(session: Session, shoot: Shoot, *, actor: audit.Actor) -> list[UUID]:
    """Return whose pictures an archive will hold, by participation, and note the download.

    Raises:
        NothingToDownload: there is nothing yet.
    """
    ids = list(
        session.scalars(
            select(Participation.id)
            .join(Member, Member.id == Participation.member_id)
            .outerjoin(Headshot, Headshot.id == Participation.chosen_headshot_id)
            .outerjoin(
                Artifact, (Artifact.id == Headshot.artifact_id) & Artifact.delete_requested_at.is_(None)
            )
            .where(
                Participation.shoot_id == shoot.id,
                Member.restricted_at.is_(None),
                or_(Artifact.id.is_not(None), Participation.state == State.DECLINED),
            )
            .order_by(func.lower(Member.last_name), func.lower(Member.first_name), Participation.id)
        )
    )
    if not ids:
        raise NothingToDownload(
            "There is nothing to download. Headshots appear here as soon as people approve them, and end as many days "
            "after the shoot as your company keeps them."
        )
    audit.record(session, audit.Tag.SHOOT_DOWNLOADED, actor=actor, shoot=str(shoot.id), people=len(ids))
    return ids


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
        if headshot.artifact_id is None:
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
        headshot.engine,
        headshot.mark,
        headshot.notes,
    )


def handed(session: Session, participation_id: UUID, *, is_master: bool, actor: audit.Actor) -> bool:
    """Note that the company gets a copy of somebody's picture; return whether there still is one.

    Each copy is noted, the first and every further one: after an erasure the company is asked to delete them.

    Args:
        session: bound to the organization.
        participation_id: whose picture it is.
        is_master: whether it is an approved headshot, and no picture that stands in for one.
        actor: who downloads it.
    """
    participation = participations.get(session, participation_id, lock=True)
    member = session.get_one(Member, participation.member_id)
    if participation.state == State.ERASED or member.restricted_at is not None:
        return False
    if is_master:
        if participation.chosen_headshot_id is None:
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
