"""The one module that moves a participation from state to state; each move writes its audit event."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import Conflict, NotFound
from core.models import Member, Participation, State

ERASABLE = frozenset(State) - {State.ERASED}

MOVES: dict[State, frozenset[State]] = {
    State.INVITED: frozenset({State.OPENED, State.DECLINED, State.EXPIRED}),
    State.OPENED: frozenset({State.CONSENTED, State.DECLINED, State.EXPIRED}),
    State.CONSENTED: frozenset({State.UPLOADING, State.DECLINED, State.EXPIRED}),
    State.UPLOADING: frozenset({State.SUBMITTED, State.DECLINED, State.EXPIRED}),
    State.SUBMITTED: frozenset({State.RENDERING, State.FAILED, State.DECLINED}),
    State.RENDERING: frozenset({State.READY, State.FAILED, State.DECLINED}),
    # More photos may follow a result that does not please, or a failure.
    State.READY: frozenset({State.APPROVED, State.UPLOADING, State.DECLINED}),
    State.FAILED: frozenset({State.UPLOADING, State.SUBMITTED, State.DECLINED}),
    State.APPROVED: frozenset({State.DELIVERED, State.READY}),
    State.DELIVERED: frozenset({State.READY}),
    # Changing one's mind is always possible.
    State.DECLINED: frozenset({State.OPENED}),
    State.EXPIRED: frozenset({State.INVITED, State.OPENED}),
    State.ERASED: frozenset(),
}

MESSAGES: dict[State, str] = {
    State.ERASED: "Everything about you has been erased, so this page has ended.",
    State.SUBMITTED: "Your photos are already with the studio. You can follow the progress.",
    State.RENDERING: "Your headshots are being made right now. You can follow the progress.",
}


def get(session: Session, participation_id: UUID, *, lock: bool = False) -> Participation:
    """Return the participation.

    Raises:
        NotFound: there is none of this id in the session's organization.
    """
    found = session.get(Participation, participation_id, with_for_update=lock or None)
    if found is None:
        raise NotFound("This page does not exist.")
    return found


def of_member(session: Session, member_id: UUID) -> Participation | None:
    """Return the member's newest participation."""
    return session.scalar(
        select(Participation)
        .where(Participation.member_id == member_id)
        .order_by(Participation.id.desc())
        .limit(1)
    )


def move(session: Session, participation: Participation, to: State, *, actor: audit.Actor) -> None:
    """Move to state `to` and tell the log; moving to the state it already has does nothing.

    Raises:
        Conflict: this move is not possible from where it stands.
    """
    before = State(participation.state)
    if before is to:
        return
    if to is not State.ERASED and to not in MOVES[before]:
        raise Conflict(
            MESSAGES.get(before, "This step is not possible any more. Please reload the page."),
            state=before.value,
        )
    participation.state = to
    participation.changed_at = now()
    subject = session.get_one(Member, participation.member_id)
    audit.record(
        session,
        audit.Tag.PARTICIPATION_MOVED,
        actor=actor,
        subject=subject,
        participation=str(participation.id),
        before=before.value,
        after=to.value,
    )
