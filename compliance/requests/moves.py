"""The one module that takes a request from state to state, and writes what happens to it into the log.

Each step is one event, whose id the request keeps: its timeline is what the log says. What may not be is refused here,
whoever asks.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from compliance.requests.clocks import STOPS
from core import audit, locks
from core.clock import now
from core.errors import Conflict, NotFound
from core.models import Channel, Member, Right, Stage, SubjectRequest
from core.queue import JobName, enqueue
from core.words import N_

DECIDED: Final = frozenset({Stage.FULFILLED, Stage.PARTLY, Stage.DENIED, Stage.CANCELLED})
OVER: Final = DECIDED | {Stage.CLOSED}
REFUSALS: Final = frozenset({Stage.DENIED, Stage.PARTLY})

MOVES: Final[dict[Stage, frozenset[Stage]]] = {
    Stage.UNCONFIRMED: frozenset(),  # `begin` alone takes it on, once the address is shown to be theirs
    # Before its answer has begun only an erasure meets a request: the one that was asked for, whoever set it off.
    Stage.RECEIVED: frozenset({Stage.ACKNOWLEDGED, Stage.FULFILLED, Stage.CANCELLED}),
    Stage.ACKNOWLEDGED: frozenset(
        {Stage.VERIFYING, Stage.IN_PROGRESS, Stage.FULFILLED, Stage.DENIED, Stage.CANCELLED}
    ),
    Stage.VERIFYING: frozenset({Stage.IN_PROGRESS, Stage.FULFILLED, Stage.DENIED, Stage.CANCELLED}),
    Stage.IN_PROGRESS: frozenset({Stage.HELD, *DECIDED}),
    Stage.HELD: frozenset({Stage.IN_PROGRESS, Stage.DENIED, Stage.PARTLY, Stage.CANCELLED}),
    **{one: frozenset({Stage.CLOSED}) for one in DECIDED},
    Stage.CLOSED: frozenset(),
}

ELSEWHERE: Final = N_(
    "This request is not at a point where that can be done. Nothing was changed: look at it again."
)


class NotAllowed(Conflict):
    """The request is not where this can be done."""

    code = "request_not_there"


def get(session: Session, request_id: UUID, *, lock: bool = False) -> SubjectRequest:
    """Return a request; with `lock` after locking its person, or where nobody is known the row.

    Raises:
        NotFound: there is none of this id.
    """
    row = session.get(SubjectRequest, request_id)
    if row is None:
        raise NotFound(N_("This request does not exist, or is no longer kept."))
    if lock:
        lock_row(session, row)
    return row


def lock_row(session: Session, row: SubjectRequest) -> None:
    """Lock the person whose request it is, or the row where nobody is known; what is known of it is read anew."""
    if row.member_id is not None:
        locks.person(session, row.member_id)
    else:
        session.flush()  # else what this transaction has changed of it would be read over
        session.refresh(row, with_for_update={"key_share": True})


def is_held(row: SubjectRequest) -> bool:
    """Whether a legal hold keeps the person's data."""
    return row.held_at is not None and row.lifted_at is None


def why_not(row: SubjectRequest, to: Stage) -> str | None:
    """Return why a request cannot go to `to` now; `None` if it can."""
    if to not in MOVES[Stage(row.state)]:
        return ELSEWHERE
    if to is Stage.IN_PROGRESS and row.verified is not True and row.type not in STOPS:
        return N_(
            "It is not yet shown who asks, so nothing can be disclosed or changed. Note first how that was checked."
        )
    if to is Stage.HELD and not (is_held(row) and row.type == Right.ERASURE and row.member_id):
        return N_("Only an erasure can be held, and a hold needs its reason.")
    if row.state == Stage.HELD and to in (Stage.IN_PROGRESS, Stage.CANCELLED) and is_held(row):
        return N_("A legal hold keeps this data. Lift it first.")
    if to in REFUSALS and (row.basis is None or row.decision != to):
        return N_("A refusal needs a reason that the law knows, and a second person who confirms it.")
    if (
        to is Stage.FULFILLED
        and row.type == Right.ERASURE
        and row.erasure_id is None
        and row.member_id is not None
    ):
        return N_("Nothing has been erased yet.")
    if to is Stage.FULFILLED and row.state != Stage.IN_PROGRESS and row.erasure_id is None:
        return ELSEWHERE
    if to is Stage.CLOSED and is_held(row):
        return N_("A legal hold keeps this data. Lift it first.")
    return None


def begin(session: Session, row: SubjectRequest, *, actor: audit.Actor) -> None:
    """Note that a request came; the row is in the state in which it begins."""
    assert row.state in (Stage.RECEIVED, Stage.CLOSED)
    session.add(row)
    session.flush()
    _record(
        session,
        audit.Tag.REQUEST_RECEIVED,
        row,
        actor,
        request=str(row.id),
        type=row.type,
        channel=row.channel,
        regime=row.regime,
        due=row.due_at.date().isoformat(),
    )


def move(
    session: Session, row: SubjectRequest, to: Stage, *, actor: audit.Actor, **facts: audit.Fact
) -> UUID:
    """Take a request to `to`; return the id of the event.

    Raises:
        NotAllowed: it may not go there; nothing was changed.
    """
    reason = why_not(row, to)
    if reason is not None:
        raise NotAllowed(reason)
    before, moment = row.state, now()
    row.state = to
    if to is Stage.ACKNOWLEDGED:
        row.acknowledged_at = moment
    if to in DECIDED:
        row.decision, row.decided_at = to.value, moment
        row.proposed = row.proposed_by = None
        row.basis = row.basis if to in REFUSALS else None
    if to is Stage.CLOSED:
        row.closed_at = moment
    if row.channel == Channel.OPENDSR:
        enqueue(session, JobName.OPENDSR_CALLBACK, row.id)
    if row.basis is not None and to in REFUSALS:
        facts["basis"] = row.basis
    return _record(
        session,
        audit.Tag.REQUEST_MOVED,
        row,
        actor,
        request=str(row.id),
        before=before,
        after=to.value,
        **facts,
    )


def note(
    session: Session, row: SubjectRequest, what: str, *, actor: audit.Actor, **facts: audit.Fact
) -> UUID:
    """Write something else that happened to a request into the log; return the id of the event."""
    return _record(session, audit.Tag.REQUEST_NOTED, row, actor, request=str(row.id), what=what, **facts)


def _record(
    session: Session, tag: audit.Tag, row: SubjectRequest, actor: audit.Actor, **facts: audit.Fact
) -> UUID:
    subject = session.get(Member, row.member_id) if row.member_id is not None else None
    event = audit.record(session, tag, actor=actor, subject=subject, **facts)
    row.events = [*row.events, event.id]
    session.flush()
    return event.id
