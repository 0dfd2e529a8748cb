"""The one module that moves a participation from state to state, with what a state brings along.

Each move locks the person and writes its audit event. What stands in for the headshot of someone who
declined, which headshot is approved and why making one failed are written here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.errors import Conflict, Gone, NotFound
from core.models import Alternative, Member, Participation, Person, Shoot, State

MOVES: dict[State, frozenset[State]] = {
    State.INVITED: frozenset({State.OPENED, State.DECLINED, State.EXPIRED}),
    State.OPENED: frozenset({State.CONSENTED, State.DECLINED, State.EXPIRED}),
    State.CONSENTED: frozenset({State.UPLOADING, State.DECLINED, State.EXPIRED}),
    State.UPLOADING: frozenset({State.SUBMITTED, State.READY, State.APPROVED, State.DECLINED, State.EXPIRED}),
    State.SUBMITTED: frozenset({State.RENDERING, State.FAILED, State.APPROVED, State.DECLINED}),
    State.RENDERING: frozenset({State.READY, State.FAILED, State.APPROVED, State.DECLINED}),
    # More photos may follow a result, were it approved, or a failure; and what there was is led back to.
    State.READY: frozenset({State.APPROVED, State.UPLOADING, State.DECLINED, State.EXPIRED}),
    State.FAILED: frozenset({State.UPLOADING, State.SUBMITTED, State.READY, State.APPROVED, State.DECLINED}),
    State.APPROVED: frozenset({State.DELIVERED, State.UPLOADING, State.DECLINED}),
    State.DELIVERED: frozenset({State.APPROVED, State.UPLOADING, State.DECLINED}),
    # Changing one's mind is always possible.
    State.DECLINED: frozenset({State.OPENED, State.EXPIRED}),
    State.EXPIRED: frozenset({State.INVITED, State.OPENED, State.DECLINED}),
    State.ERASED: frozenset(),
}

MESSAGES: dict[State, str] = {
    State.ERASED: "Everything about you has been erased, so this page has ended.",
    State.SUBMITTED: "Your photos are already with the studio. You can follow the progress.",
    State.RENDERING: "Your headshots are being made right now. You can follow the progress.",
}


# Where one stands who has something to do next; nobody gets there in a shoot that has ended.
BEGUN = frozenset({State.INVITED, State.OPENED, State.CONSENTED, State.UPLOADING})
# Where the approved headshot is all there is to do with.
SETTLED = (State.APPROVED, State.DELIVERED)
# `Participation.seen_by_company`, for questions to the database.
seen_by_company: ColumnElement[str] = case(
    (
        Participation.chosen_headshot_id.is_not(None) & (Participation.state != State.DELIVERED),
        State.APPROVED,
    ),
    else_=Participation.state,
)

# Whose access is off or whose data are kept and used for nothing: who can do nothing now. In the words of the index
# `ix_members_shut`, so that a question looks at these few alone.
shut_out: ColumnElement[bool] = Person.disabled_at.is_not(None) | Person.restricted_at.is_not(None)


class ShootEnded(Gone):
    """The company has ended this shoot, so nothing begins in it any more."""

    code = "shoot_closed"


class NotDeclined(Conflict):
    """Only who declined has something that stands in for a headshot."""

    code = "not_declined"


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
        ShootEnded: something would begin, and the company has ended the shoot.
    """
    locks.person(session, participation.member_id)
    before = State(participation.state)
    if before is to:
        return
    if to is not State.ERASED and to not in MOVES[before]:
        raise _refusal(before)
    if to in BEGUN or to is State.SUBMITTED:
        demand_running(session, participation)
    assert to is not State.APPROVED or participation.chosen_headshot_id, "nobody approves nothing"
    participation.state = to
    participation.changed_at = now()
    if to in (State.DECLINED, State.ERASED):
        participation.chosen_headshot_id = participation.approved_at = None
    if to in (State.DECLINED, State.EXPIRED, State.ERASED):  # whoever comes back is asked again
        participation.photos_by_company_at = participation.sent_by_company_at = None
    if to in (State.CONSENTED, State.EXPIRED, State.ERASED):
        participation.alternative = None
    participation.failure_code = None
    subject = session.get_one(Member, participation.member_id)
    audit.record(
        session,
        audit.Tag.PARTICIPATION_MOVED,
        actor=actor,
        subject=subject,
        # An erased person's entries name nothing that a backup has beside them.
        participation=None if to is State.ERASED else str(participation.id),
        before=before.value,
        after=to.value,
    )


def move_all(session: Session, rows: Sequence[Participation], to: State, *, actor: audit.Actor) -> None:
    """Move many, whose people the caller has locked, each as `move` does."""
    # Held, so that `move` finds them in the session instead of asking for each.
    held = session.scalars(select(Member).where(Member.id.in_([row.member_id for row in rows]))).all()
    for row in rows:
        move(session, row, to, actor=actor)
    del held


def demand_running(session: Session, participation: Participation) -> None:
    """Refuse what would begin or add something in a shoot that has ended; call it once the person is locked.

    Raises:
        ShootEnded: the company has ended it.
    """
    # Asked of the database: whoever waited for `shoots.close` may hold the shoot from before.
    if session.scalar(select(Shoot.closed_at).where(Shoot.id == participation.shoot_id)) is not None:
        raise ShootEnded(
            "Your company has ended this shoot, so nothing new begins in it. What you have stays yours."
        )


def _refusal(before: State) -> Conflict:
    return Conflict(
        MESSAGES.get(before, "This step is not possible any more. Please reload the page."),
        state=before.value,
    )


def decline(
    session: Session, participation: Participation, alternative: Alternative, *, actor: audit.Actor
) -> None:
    """Decline, with what then stands in for a headshot; declining again changes only that.

    Raises:
        Conflict: everything was erased.
    """
    move(session, participation, State.DECLINED, actor=actor)
    participation.alternative, participation.archived_at = alternative, None


def stand_in(session: Session, participation: Participation, alternative: Alternative) -> None:
    """Change what stands in for the headshot of someone who declined.

    Raises:
        NotDeclined: they did not, or not any more.
    """
    locks.person(session, participation.member_id)
    demand_declined(participation)
    participation.alternative, participation.archived_at = alternative, None


def lose_picture(session: Session, member_id: UUID) -> None:
    """Let initials stand in wherever the person's own picture did, which is gone."""
    locks.person(session, member_id)
    for row in session.scalars(
        select(Participation).where(
            Participation.member_id == member_id, Participation.alternative == Alternative.OWN_PICTURE
        )
    ):
        row.alternative, row.archived_at = Alternative.INITIALS, None


def forget_declined(session: Session, rows: Sequence[Participation], *, actor: audit.Actor) -> None:
    """Forget that people declined, whom the caller has locked; nobody is reminded of what they declined."""
    for row in rows:
        row.reminders_ended_at = row.reminders_ended_at or now()
    move_all(session, rows, State.EXPIRED, actor=actor)


def demand_declined(participation: Participation) -> None:
    """Refuse what is only for someone who declined.

    Raises:
        NotDeclined: they did not, or not any more.
    """
    if participation.state != State.DECLINED:
        raise NotDeclined(
            "This page is for those who declined. Your own page shows where you stand.",
            state=participation.state,
        )


def fail(session: Session, participation: Participation, code: str) -> None:
    """Note that no headshot can be shown, and why.

    Raises:
        Conflict: none is being made.
    """
    move(session, participation, State.FAILED, actor=audit.SYSTEM)
    participation.failure_code = code[:64]


def approve(session: Session, participation: Participation, headshot_id: UUID, *, actor: audit.Actor) -> None:
    """Note which headshot the company gets from now on; it stays so until another one is approved.

    Raises:
        Conflict: there is no result to choose from in this state.
    """
    locks.person(session, participation.member_id)
    if participation.state not in (State.READY, *SETTLED):
        raise _refusal(State(participation.state))
    participation.chosen_headshot_id = headshot_id
    participation.approved_at = now()
    move(session, participation, State.APPROVED, actor=actor)


def give_back(session: Session, participation: Participation) -> None:
    """Let the company have no headshot of a person whom the caller has locked, until they approve one again.

    When they had approved one stays: the photos from before end as was promised then.
    """
    participation.chosen_headshot_id = None
    session.flush()


def deliver(session: Session, participation: Participation, *, actor: audit.Actor) -> None:
    """Note that the approved headshot was downloaded; who tries other photos goes on with that."""
    locks.person(session, participation.member_id)
    if participation.state == State.APPROVED:
        move(session, participation, State.DELIVERED, actor=actor)
