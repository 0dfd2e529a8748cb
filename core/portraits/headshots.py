"""Results: listed, shown only when a gate has passed them, chosen, approved, downloaded, deleted."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, locks
from core.checks.report import COMPARED
from core.clock import now
from core.errors import Conflict, NotFound
from core.models import Artifact, Headshot, Member, Participation, State
from core.shoots import participations
from core.vault import vault


class NotApproved(Conflict):
    """Only the approved headshot leaves the platform."""

    code = "not_approved"


def is_visible(headshot: Headshot) -> bool:
    """Whether anybody may see the picture: the gates have measured and passed it."""
    return headshot.artifact_id is not None and headshot.withheld_code is None


def of_participation(session: Session, participation_id: UUID) -> Sequence[Headshot]:
    """Return all that still exist, best first: withheld ones too, for their reasons."""
    return session.scalars(
        select(Headshot)
        .outerjoin(Artifact, Artifact.id == Headshot.artifact_id)
        .where(Headshot.participation_id == participation_id, Artifact.delete_requested_at.is_(None))
        .order_by(Headshot.rank, Headshot.id.desc())
    ).all()


def get(session: Session, member_id: UUID, headshot_id: UUID) -> Headshot:
    """Return a member's own headshot that may be seen.

    Raises:
        NotFound: there is none of this id, it is another person's, or it was withheld.
    """
    headshot = session.get(Headshot, headshot_id)
    if headshot is None or headshot.member_id != member_id or not is_visible(headshot):
        raise NotFound("This headshot does not exist any more.")
    return headshot


def approve(
    session: Session, participation: Participation, headshot: Headshot, *, actor: audit.Actor
) -> None:
    """Choose the headshot that the company gets; choosing another one later is fine.

    Raises:
        Conflict: there is no result to choose from in this state.
    """
    locks.person(session, participation.member_id)
    if headshot.participation_id != participation.id:
        raise NotFound("This headshot belongs to another shoot.")
    settled = participation.state in (State.APPROVED, State.DELIVERED)
    if settled and participation.chosen_headshot_id == headshot.id:
        return
    if settled:
        participations.move(session, participation, State.READY, actor=actor)
    participations.move(session, participation, State.APPROVED, actor=actor)
    participation.chosen_headshot_id = headshot.id
    participation.approved_at = now()
    audit.record(
        session,
        audit.Tag.HEADSHOT_APPROVED,
        actor=actor,
        subject=session.get_one(Member, participation.member_id),
        headshot=str(headshot.id),
    )


def download(
    session: Session, participation: Participation, headshot: Headshot, output: str, *, actor: audit.Actor
) -> bytes:
    """Return the sealed master of the approved headshot; the first download makes it delivered.

    Args:
        session: bound to the organization.
        participation: the person's part in the shoot.
        headshot: what is downloaded.
        output: name of the size, for the log.
        actor: who downloads it.

    Raises:
        NotApproved: this is not the approved one.
    """
    locks.person(session, participation.member_id)
    settled = participation.state in (State.APPROVED, State.DELIVERED)
    if not settled or participation.chosen_headshot_id != headshot.id:
        raise NotApproved("Choose this headshot first; then every size can be downloaded.")
    assert headshot.artifact_id is not None
    content = vault().get(session, headshot.artifact_id)
    audit.record(
        session,
        audit.Tag.HEADSHOT_DOWNLOADED,
        actor=actor,
        subject=session.get_one(Member, participation.member_id),
        headshot=str(headshot.id),
        output=output,
    )
    participations.move(session, participation, State.DELIVERED, actor=actor)
    return content


def delete_all(session: Session, member: Member) -> int:
    """Delete every headshot of a member, whatever the state; return how many that were."""
    locks.person(session, member.id)
    held = session.scalars(
        select(Headshot).where(Headshot.member_id == member.id, Headshot.artifact_id.is_not(None))
    ).all()
    for headshot in held:
        headshot.gates = {}  # measures of a face are personal data too
    vault().delete(session, [one.artifact_id for one in held if one.artifact_id])
    return len(held)


def forget_likeness(session: Session, member_id: UUID) -> None:
    """Drop every figure that came from comparing faces: the consent for that was taken back."""
    for headshot in session.scalars(select(Headshot).where(Headshot.member_id == member_id)):
        measured = headshot.gates.get("gates", {})
        if not COMPARED.isdisjoint(measured):
            kept = {name: gate for name, gate in measured.items() if name not in COMPARED}
            headshot.gates = {**headshot.gates, "gates": kept}
    session.flush()
