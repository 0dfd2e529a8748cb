"""The one module that moves a participation from state to state; each move writes its audit event."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.errors import Conflict, NotFound
from core.models import Member, Participation, Shoot, State

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
    """Return the participation; with `lock` after locking its person.

    Raises:
        NotFound: there is none of this id in the session's organization.
    """
    found = session.get(Participation, participation_id)
    if found is None:
        raise NotFound("This page does not exist.")
    if lock:
        locks.person(session, found.member_id)
    return found


def several(session: Session, participation_ids: Sequence[UUID]) -> list[Participation]:
    """Return participations after locking all of their people.

    Raises:
        NotFound: one of them is not in the session's organization.
    """
    of = select(Participation).where(Participation.id.in_(participation_ids))
    locks.owners(session, of.with_only_columns(Participation.member_id))
    found = {row.id: row for row in session.scalars(of)}
    if not found.keys() >= set(participation_ids):
        raise NotFound("This page does not exist.")
    return [found[one] for one in dict.fromkeys(participation_ids)]


def all_of_member(session: Session, member_id: UUID) -> list[tuple[Participation, Shoot]]:
    """Return every shoot that the member is part of, newest first: open ones, then ended ones with something in them."""
    rows = session.execute(
        select(Participation, Shoot)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.member_id == member_id)
        .order_by(Participation.state == State.EXPIRED, Shoot.closed_at.is_not(None), Participation.id.desc())
    )
    return [(participation, shoot) for participation, shoot in rows]


def one_of_member(
    session: Session, member_id: UUID, participation_id: UUID
) -> tuple[Participation, Shoot] | None:
    """Return this participation with its shoot; `None` if it is not the member's."""
    found = session.execute(
        select(Participation, Shoot)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.id == participation_id, Participation.member_id == member_id)
    ).first()
    return (found[0], found[1]) if found else None


def of_member(session: Session, member_id: UUID, opened: UUID | None) -> tuple[Participation, Shoot] | None:
    """Return the participation whose link the member opened, with its shoot; else the newest that is open.

    One that has expired meanwhile leads nowhere, so the newest open one is returned instead of it; without
    any open one, the newest that headshots can be downloaded from, or the newest.

    Args:
        session: bound to the organization.
        member_id: whose.
        opened: id of the participation; one of another member counts as none.
    """
    found = all_of_member(session, member_id)
    for participation, shoot in found:
        if participation.id == opened and participation.state != State.EXPIRED:
            return participation, shoot
    return found[0] if found else None


def move(session: Session, participation: Participation, to: State, *, actor: audit.Actor) -> None:
    """Lock the person, move to state `to` and tell the log; moving to the state it already has does nothing.

    Raises:
        Conflict: this move is not possible from where it stands.
    """
    locks.person(session, participation.member_id)
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
