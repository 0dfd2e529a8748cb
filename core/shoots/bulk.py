"""One thing done to many people behind the pages: begun, gone on with after whatever ends a worker, and what came of it.

What a kind does to a person is in `core.shoots.bulk_steps`, and for a directory that is followed in `core.shoots.syncs`.
Nobody is named in any of it: names stand beside ids only on the page that shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.db import organization_of
from core.errors import NotFound
from core.ids import new_id
from core.models import BulkAction, BulkItem, Member
from core.people import access
from core.permissions import Permission, allowed
from core.queue import JobName, enqueue

PAGE: Final = 30
NOT_ALLOWED: Final = "not_allowed"


class Kind(StrEnum):
    """What is done to each."""

    SYNC = "sync"
    INVITE = "invite"
    REMIND = "remind"
    MOVE = "move"
    WITHDRAW = "withdraw"
    RESTYLE = "restyle"
    ERASE = "erase"


class Outcome(StrEnum):
    """What came of it for one person: it was done, or why not."""

    DONE = "done"
    JOINED = "joined"
    CHANGED = "changed"
    LEFT = "left"
    GONE = "gone"
    DECLINED = "declined"
    FINISHED = "finished"
    BEGUN = "begun"
    NOT_INVITED = "not_invited"
    ALREADY_THERE = "already_there"
    NO_REMINDERS = "no_reminders"
    BOUNCED = "bounced"
    WITHDRAWN = "withdrawn"
    RECENT = "recent"
    ACCESS_OFF = "access_off"
    RESTRICTED = "restricted"
    SHOOT_CLOSED = "shoot_closed"
    STAFF = "staff"
    LEGAL_HOLD = "legal_hold"
    TAKEN = "taken"
    NO_HEADSHOT = "no_headshot"
    IN_STYLE = "in_style"
    AWAITS_CHOICE = "awaits_choice"
    UNDER_WAY = "under_way"
    NO_PHOTOS = "no_photos"


WORKED: Final = frozenset({Outcome.DONE, Outcome.JOINED, Outcome.CHANGED, Outcome.LEFT})
ASKS: Final[Mapping[Kind, Permission]] = {
    Kind.SYNC: Permission.INVITE,
    Kind.INVITE: Permission.INVITE,
    Kind.REMIND: Permission.INVITE,
    Kind.MOVE: Permission.INVITE,
    Kind.WITHDRAW: Permission.INVITE,
    Kind.RESTYLE: Permission.INVITE,
    Kind.ERASE: Permission.ERASE_MEMBER,
}


@dataclass(frozen=True)
class Progress:
    """How far it is.

    Attributes:
        by_outcome: How many people each outcome has so far.
        failure: Why it stopped before the end; what is done stays done.
    """

    kind: Kind
    choice: Mapping[str, Any]
    total: int
    by_outcome: Mapping[Outcome, int]
    finished_at: datetime | None
    failure: str | None

    @property
    def done(self) -> int:
        """How many people have had their turn."""
        return sum(self.by_outcome.values())

    @property
    def worked(self) -> int:
        """For how many it was done."""
        return sum(number for outcome, number in self.by_outcome.items() if outcome in WORKED)

    @property
    def percent(self) -> int:
        """How much of it is done, 0 to 100."""
        return 100 if self.finished_at else min(100, 100 * self.done // max(1, self.total))


def seal(member_ids: Iterable[UUID]) -> str:
    """Return what stands for exactly these people, so that as many others are not taken for them."""
    return sha256(b"".join(sorted(one.bytes for one in member_ids))).hexdigest()


def start(
    session: Session,
    kind: Kind,
    choice: Mapping[str, Any],
    people: Sequence[tuple[UUID, UUID | None]],
    *,
    total: int | None = None,
    action_id: UUID | None = None,
    actor: audit.Actor,
) -> BulkAction:
    """Owe something for many people.

    Args:
        session: bound to the organization.
        kind: what.
        choice: how; ids, days and the program's own words.
        people: each person, with their participation where it is about one.
        total: how many it is about, where they are not known yet.
        action_id: its number, where it has one already.
        actor: who asks for it.
    """
    action = BulkAction(
        id=action_id or new_id(),
        org_id=organization_of(session),
        created_at=now(),
        member_id=actor.member_id,
        kind=kind,
        choice=dict(choice),
        total=len(people) if total is None else total,
    )
    session.add(action)
    session.flush()
    add(session, action, people)
    enqueue(session, JobName.BULK, action.id)
    return action


def add(
    session: Session,
    action: BulkAction,
    people: Sequence[tuple[UUID, UUID | None]],
    outcome: Outcome | None = None,
) -> None:
    """Add people to an action, waiting for their turn or with what came of it."""
    common = {"org_id": action.org_id, "created_at": now(), "action_id": action.id, "outcome": outcome}
    rows = [
        {**common, "id": new_id(), "member_id": member_id, "participation_id": participation_id}
        for member_id, participation_id in people
    ]
    if rows:
        session.execute(insert(BulkItem), rows)


def locked(session: Session, action_id: UUID) -> BulkAction:
    """Return an action, which nobody else goes on with until the transaction ends."""
    return session.get_one(BulkAction, action_id, with_for_update={"key_share": True}, populate_existing=True)


def find(session: Session, action_id: UUID) -> BulkAction:
    """Return an action.

    Raises:
        NotFound: there is none of this id.
    """
    action = session.get(BulkAction, action_id, populate_existing=True)
    if action is None:
        raise NotFound("This page does not exist.")
    return action


def is_over(action: BulkAction) -> bool:
    """Whether nothing more is done."""
    return action.finished_at is not None or action.failure is not None


def may_go_on(session: Session, action: BulkAction) -> bool:
    """Whether whoever asked for it still may; otherwise it stops here, and says so."""
    if action.member_id is not None:
        member = session.get_one(Member, action.member_id, populate_existing=True)
        if access.is_over(member) or not allowed(member.role, ASKS[Kind(action.kind)]):
            action.failure = NOT_ALLOWED
            return False
    return True


def actor_of(session: Session, action: BulkAction) -> audit.Actor:
    """Return who asked for it."""
    return audit.actor_for(session.get_one(Member, action.member_id)) if action.member_id else audit.SYSTEM


def waiting(session: Session, action_id: UUID, most: int) -> list[BulkItem]:
    """Return the next people whose turn it is."""
    return list(
        session.scalars(
            select(BulkItem)
            .where(BulkItem.action_id == action_id, BulkItem.outcome.is_(None))
            .order_by(BulkItem.id)
            .limit(most)
        )
    )


def give_up(session: Session, action_id: UUID, code: str) -> None:
    """Note that it stopped; what was done stays."""
    action = session.get(BulkAction, action_id)
    if action is not None and not is_over(action):
        action.failure = code[:64]


def progress(session: Session, action_id: UUID) -> Progress:
    """Return how far an action is.

    Raises:
        NotFound: there is none of this id.
    """
    action = find(session, action_id)
    counted = session.execute(
        select(BulkItem.outcome, func.count())
        .where(BulkItem.action_id == action_id, BulkItem.outcome.is_not(None))
        .group_by(BulkItem.outcome)
    )
    by_outcome = {Outcome(outcome): number for outcome, number in counted if outcome}
    return Progress(
        Kind(action.kind), action.choice, action.total, by_outcome, action.finished_at, action.failure
    )


@dataclass(frozen=True)
class Row:
    """One person of an action, with what came of it; no name once they were erased."""

    member_id: UUID
    name: str
    outcome: Outcome | None


def results(
    session: Session,
    action_id: UUID,
    *,
    outcome: Outcome | None = None,
    after: UUID | None = None,
    most: int = PAGE,
) -> tuple[list[Row], UUID | None]:
    """Return people of an action with what came of it, in the order of their turns, and what leads to the next ones."""
    query = (
        select(BulkItem.id, BulkItem.outcome, Member)
        .join(Member, Member.id == BulkItem.member_id)
        .where(BulkItem.action_id == action_id)
        .order_by(BulkItem.id)
        .limit(most + 1)
    )
    if outcome is not None:
        query = query.where(BulkItem.outcome == outcome)
    if after is not None:
        query = query.where(BulkItem.id > after)
    found = session.execute(query).all()
    rows = [
        Row(member.id, member.full_name or member.email or "", Outcome(outcome) if outcome else None)
        for _item, outcome, member in found[:most]
    ]
    return rows, found[most - 1][0] if len(found) > most else None
