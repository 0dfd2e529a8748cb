"""What was found when logs were held against what was signed, kept beside the keys: whoever owns the main database's tables cannot hide it there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Engine, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.vault.key_tables import LogDifference, LogWatch

MOST_KEPT = 1000  # of one log; a thousand say as much as a million


class What(StrEnum):
    """What is not as it was signed."""

    EVENT = "event"  # an entry says something else
    LEAF = "leaf"  # an entry is missing
    UNLISTED = "unlisted"  # an event counts as part of the log and has no place in it
    TREE = "tree"  # a hash between the entries and the signed root is another
    CHECKPOINT = "checkpoint"  # a checkpoint is not one that was signed
    FORK = "fork"  # the whole log is not the one that was signed


@dataclass(frozen=True, order=True)
class Difference:
    """One thing in the database that is not as it was signed; `position` is the entry, from 0, or a checkpoint's size."""

    position: int
    what: What


@dataclass(frozen=True)
class Round:
    """How far the running look at a whole log is: entries and events before these have been looked at."""

    began_at: datetime
    position: int
    event_after: UUID | None
    covered_at: datetime | None  # when a look at the whole log last came to its end


class Watches:
    """Keeps rounds and differences.

    Args:
        engine: the key store's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def round_of(self, org_id: UUID) -> Round:
        """Return where the look at a log goes on; a new log's begins now."""
        with Session(self._engine) as session:
            row = session.get(LogWatch, org_id)
            if row is None:
                return Round(now(), 0, None, None)
            return Round(row.began_at, row.position, row.event_after, row.covered_at)

    def keep(self, org_id: UUID, running: Round) -> None:
        """Keep where the look at a log goes on."""
        values = {
            "began_at": running.began_at,
            "position": running.position,
            "event_after": running.event_after,
            "covered_at": running.covered_at,
        }
        with Session(self._engine) as session, session.begin():
            session.execute(
                insert(LogWatch)
                .values(org_id=org_id, **values)
                .on_conflict_do_update(index_elements=[LogWatch.org_id], set_=values)
            )

    def note(self, org_id: UUID, found: Collection[Difference]) -> None:
        """Note differences; those that are known are seen again."""
        moment = now()
        with Session(self._engine) as session, session.begin():
            known = session.scalar(
                select(func.count()).select_from(LogDifference).where(LogDifference.org_id == org_id)
            )
            room = max(0, MOST_KEPT - (known or 0))
            for one in sorted(found):
                key = {"org_id": org_id, "position": one.position, "what": one.what.value}
                seen = (
                    update(LogDifference)
                    .filter_by(**key)
                    .values(seen_at=moment)
                    .returning(LogDifference.position)
                )
                if session.execute(seen).first() is None and room > 0:
                    room -= 1
                    session.add(LogDifference(**key, found_at=moment, seen_at=moment))
                    session.flush()

    def forget_before(self, org_id: UUID, moment: datetime) -> int:
        """Forget what a whole round that began at `moment` has not seen again; return how much that was."""
        with Session(self._engine) as session, session.begin():
            gone = session.execute(
                delete(LogDifference)
                .where(LogDifference.org_id == org_id, LogDifference.seen_at < moment)
                .returning(LogDifference.position)
            )
            return len(gone.all())

    def differences(self, org_id: UUID, most: int = MOST_KEPT) -> list[tuple[Difference, datetime]]:
        """Return what is not as it was signed, by its place, and since when that is known."""
        rows = (
            select(LogDifference)
            .where(LogDifference.org_id == org_id)
            .order_by(LogDifference.position, LogDifference.what)
            .limit(most)
        )
        with Session(self._engine) as session:
            return [(Difference(row.position, What(row.what)), row.found_at) for row in session.scalars(rows)]

    def differing(self) -> int:
        """Return how many logs are not as they were signed."""
        with Session(self._engine) as session:
            return session.scalar(select(func.count(LogDifference.org_id.distinct()))) or 0

    def longest_uncovered(self) -> datetime | None:
        """Return when the log that waits longest was last looked at as a whole; the beginning of its first look, if never."""
        with Session(self._engine) as session:
            return session.scalar(select(func.min(func.coalesce(LogWatch.covered_at, LogWatch.began_at))))
