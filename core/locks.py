"""What several verbs lock, locked in one order; advisory locks by name; what lost such a race, done again.

The order in which one transaction locks rows:

1. the outbox row of the job at hand (`workers.process.runner`)
2. the company's own: organization, style, look, shoot, open link
3. people, by their rows in `members`, in the order of their ids
4. what belongs to a person: participation, photo, headshot, adapter, consent, invite, session, erasure, upload,
   arrival, artifact

Whoever changes anything of the fourth kind locks its person first, through this module; that is enough, and
no other row of theirs is locked. So two verbs about one person follow each other, and none of them can wait
for the other in a circle. A verb about many people locks all of them at once, before it touches the first.

Rows are locked `FOR NO KEY UPDATE`: whoever only inserts a row that points at a locked one (`FOR KEY SHARE`,
PostgreSQL manual, 13.3.2) does not wait. Erasing alone takes the key as well, so that nothing more of the person is
inserted.
"""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from typing import Final, TypeVar
from uuid import UUID

from sqlalchemy import ARRAY, Connection, Select, Uuid, any_, func, literal, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core.logs import logger
from core.models import Member, Person

T = TypeVar("T")

# deadlock_detected and serialization_failure (PostgreSQL manual, appendix A): the transaction left nothing behind.
_AGAIN: Final = frozenset({"40P01", "40001"})
_TRIES: Final = 5
_WAIT_SECONDS: Final = 0.05  # before the second try at most, then twice as long each time

_HELD: Final = "people whom the transaction has locked"


class Space(IntEnum):
    """What advisory locks are about; two spaces never share a lock.

    A space without subjects has one lock, whose number is the space's own.
    """

    EPOCH = 0x68656164  # of the key store: turning the epoch, against making a key
    LOG = 2  # an organization's log, while events are added and a checkpoint is signed
    SIGN_IN = 3  # an identity, while its member is found or added
    WORK = 4  # an outbox row, or what a job is about, while a worker does it
    SCHEDULER = 5  # of the installation: which of its schedulers does what the clock asks for
    DIRECTORY = 7  # of the installation: while the directory of people is filled again
    INSTALLATION = 6  # while its keys are made, or its parts are marked anew


def number(space: Space, subject: bytes = b"") -> int:
    """Return the lock's number (signed 64 bits): the space's own, or a hash of space and subject."""
    if not subject:
        return space.value
    digest = hashlib.sha256(space.value.to_bytes(4) + subject).digest()
    return int.from_bytes(digest[:8], signed=True)


def wait(session: Session, space: Space, subject: bytes = b"", *, shared: bool = False) -> None:
    """Wait for an advisory lock and hold it until the transaction ends; `shared` excludes only who does not share."""
    take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    session.execute(select(take(number(space, subject))))


def take(connection: Connection, space: Space, subject: bytes = b"") -> bool:
    """Return whether an advisory lock was free; then it is held until it is given back or the connection is closed."""
    return bool(connection.scalar(select(func.pg_try_advisory_lock(number(space, subject)))))


def give_back(connection: Connection) -> None:
    """Give back every advisory lock that `take` got on this connection."""
    connection.execute(select(func.pg_advisory_unlock_all()))


def people(session: Session, member_ids: Collection[UUID]) -> None:
    """Lock people before anything that belongs to them; whom the transaction holds already, and nobody, is fine.

    What the session knows of them is read anew when it is next asked for: it may have changed until now.
    """
    held = _held(session)
    wanted = sorted(set(member_ids) - held)
    if not wanted:
        return
    assert not held or wanted[0] > max(held), "all people are locked at once, see the order above"
    session.flush()
    session.execute(
        select(Person.id)
        # One array, where thousands of parameters would take seconds to prepare.
        .where(Person.id == any_(literal(wanted, ARRAY(Uuid))))
        .order_by(Person.id)
        .with_for_update(key_share=True)
    )
    _know_now(session, held, wanted)


def owners(session: Session, *questions: Select[UUID]) -> list[UUID]:
    """Lock all people whom questions find, and return them; ask anew what belongs to them."""
    found = {member_id for question in questions for member_id in session.scalars(question)}
    people(session, found)
    return sorted(found)


def person(session: Session, member_id: UUID) -> None:
    """Lock one person before anything that belongs to them; see `people`."""
    people(session, [member_id])


def whole_person(session: Session, member_id: UUID) -> None:
    """Lock a person, and keep others from inserting what points at them: their row's keys will change."""
    session.flush()
    session.execute(select(Person.id).where(Person.id == member_id).with_for_update())
    _know_now(session, _held(session), [member_id])


def names(session: Session, member_ids: Sequence[UUID]) -> None:
    """Lock people whose names the session is about to write, in the order of their ids, in the middle of its flush."""
    wanted = select(Person.id).where(Person.id == any_(literal(member_ids, ARRAY(Uuid))))
    session.execute(wanted.order_by(Person.id).with_for_update(key_share=True))


def _held(session: Session) -> set[UUID]:
    """Return whom the session's transaction has locked."""
    transaction = session.get_transaction()
    known = session.info.get(_HELD)
    if known is None or known[0] is not transaction:
        session.info[_HELD] = known = (transaction, set())
    held: set[UUID] = known[1]
    return held


def _know_now(session: Session, held: set[UUID], locked: Collection[UUID]) -> None:
    held.update(locked)
    whose = set(locked)
    for row in list(session):
        # Not by attribute, which would read anew what has expired already.
        if vars(row).get("id" if isinstance(row, Member) else "member_id") in whose:
            session.expire(row)


def again(work: Callable[[], T], *, between: Callable[[], None] = lambda: None) -> T:
    """Return what `work` returns; when the database gave it up for another transaction's sake, do it again.

    Args:
        work: commits at most once, and does nothing outside the database that may not happen twice.
        between: puts things back before `work` is done again.

    Raises:
        DBAPIError: it was given up `_TRIES` times, or for another reason.
    """
    for tried in range(1, _TRIES):
        try:
            return work()
        except DBAPIError as error:
            code = getattr(error.orig, "sqlstate", None)
            if code not in _AGAIN:
                raise
            logger().warning("done_again", code=code, attempt=tried)
        # A chance of its own for each, so that those who met do not meet again.
        time.sleep(random.uniform(0, _WAIT_SECONDS * 2 ** (tried - 1)))  # noqa: S311 - no secret depends on it
        between()
    return work()
