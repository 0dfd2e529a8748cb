"""The ledgers in the key store: keyed hashes of who was erased, and of what people took back or removed.

They do not go back in time with the main database, so what a restore brings back is known and ended again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from operator import itemgetter
from uuid import UUID

from sqlalchemy import ARRAY, Engine, String, any_, event, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.logs import logger
from core.vault.key_tables import ErasedOwner, NamedErasure, Note, RemovedThing, WithdrawnConsent


class Ledger:
    """Notes things under hashes that do not say which.

    Each is noted by itself. Whether one stands that somebody gave later is never a matter of times: two
    hosts' clocks do not agree on what is later.

    Args:
        engine: the key store's database.
        key: secret under which things are hashed.
        table: where the notes are.
        what: goes into the hash, so that no ledger's hash is another's.
    """

    def __init__(self, engine: Engine, key: bytes, table: type[Note], what: bytes) -> None:
        self._engine = engine
        self._key = key
        self._table = table
        self._what = what

    def hash(self, one: UUID) -> str:
        """Return the keyed hash under which the ledger knows a thing."""
        return hmac.new(self._key, self._what + one.bytes, hashlib.sha256).hexdigest()

    def since(self, since: datetime) -> set[str]:
        """Return the hashes of what was noted as of `since` or later."""
        with Session(self._engine) as session:
            return set(session.scalars(select(self._table.hash).where(self._table.at >= since)))

    def among(self, ids: Collection[UUID]) -> set[UUID]:
        """Return which of these things were noted."""
        by_hash = {self.hash(one): one for one in ids}
        if not by_hash:
            return set()
        wanted = self._table.hash == any_(literal(list(by_hash), ARRAY(String)))
        with Session(self._engine) as session:
            return {by_hash[found] for found in session.scalars(select(self._table.hash).where(wanted))}

    def _keep(self, ids: Collection[UUID], at: datetime, **also: str) -> None:
        """Note things; noting one again changes nothing."""
        if not ids:
            return
        # In one order for everybody, so that two who note the same do not wait for each other in a circle.
        rows = [{"hash": of, "at": at, **also} for of in sorted(map(self.hash, ids))]
        with Session(self._engine) as session, session.begin():
            session.execute(insert(self._table).on_conflict_do_nothing(), rows)


class Erasures(Ledger):
    """Who was erased, and under which opaque id: a receipt is made of it, and outlives a restore with it."""

    def __init__(self, engine: Engine, key: bytes) -> None:
        super().__init__(engine, key, ErasedOwner, b"")

    def name(self, erasures: Mapping[UUID, UUID]) -> None:
        """Note for each owner which erasure it is; the first one that was noted stays."""
        if not erasures:
            return
        rows = [{"owner_hash": self.hash(owner), "erasure_id": one} for owner, one in erasures.items()]
        rows.sort(key=itemgetter("owner_hash"))
        with Session(self._engine) as session, session.begin():
            session.execute(insert(NamedErasure).on_conflict_do_nothing(), rows)

    def named(self, owner_id: UUID) -> UUID | None:
        """Return which erasure it was; `None` where none was noted."""
        with Session(self._engine) as session:
            row = session.get(NamedErasure, self.hash(owner_id))
        return None if row is None else row.erasure_id


class Withdrawals(Ledger):
    """Which consents were taken back."""

    def __init__(self, engine: Engine, key: bytes) -> None:
        super().__init__(engine, key, WithdrawnConsent, b"consent")

    def note(self, consent_ids: Collection[UUID], at: datetime) -> None:
        """Note that these consents were taken back; noting one again changes nothing."""
        self._keep(consent_ids, at)

    def note_after_commit(self, session: Session, consent_ids: Collection[UUID], at: datetime) -> None:
        """Do as `note` once the caller's transaction has committed; see `after_commit`."""
        after_commit(session, lambda: self.note(consent_ids, at), len(consent_ids), "withdrawal_noted_later")


class Removals(Ledger):
    """What people removed singly: photos, own pictures, and their part in a shoot by its first consent.

    Each note says under another keyed hash whose it was, so that only theirs has to be looked at after a restore.

    Args:
        engine: the key store's database.
        key: secret under which things are hashed.
        owner_hash: gives the keyed hash of a person.
    """

    def __init__(self, engine: Engine, key: bytes, owner_hash: Callable[[UUID], str]) -> None:
        super().__init__(engine, key, RemovedThing, b"removed")
        self._owner_hash = owner_hash

    def note(self, member_id: UUID, ids: Collection[UUID], at: datetime) -> None:
        """Note that a person removed these; noting one again changes nothing."""
        self._keep(ids, at, owner_hash=self._owner_hash(member_id))

    def note_after_commit(
        self, session: Session, member_id: UUID, ids: Collection[UUID], at: datetime
    ) -> None:
        """Do as `note` once the caller's transaction has committed; see `after_commit`."""
        if ids:
            after_commit(session, lambda: self.note(member_id, ids, at), len(ids), "removal_noted_later")

    def people_since(self, since: datetime) -> set[str]:
        """Return the hashes of whoever removed something at `since` or later."""
        with Session(self._engine) as session:
            return set(
                session.scalars(select(RemovedThing.owner_hash).where(RemovedThing.at >= since).distinct())
            )

    def count_of(self, member_id: UUID) -> int:
        """Return how many things a person removed singly are noted."""
        with Session(self._engine) as session:
            noted = select(func.count()).where(RemovedThing.owner_hash == self._owner_hash(member_id))
            return session.scalar(noted) or 0

    def people_among(self, member_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these people ever removed something singly."""
        by_hash = {self._owner_hash(one): one for one in member_ids}
        wanted = RemovedThing.owner_hash == any_(literal(list(by_hash), ARRAY(String)))
        with Session(self._engine) as session:
            found = session.scalars(select(RemovedThing.owner_hash).where(wanted).distinct())
            return {by_hash[of] for of in found}


def after_commit(session: Session, note: Callable[[], object], count: int, later: str) -> None:
    """Note something once the caller's transaction has committed; what fails is logged, and noted within the hour.

    Args:
        session: whose commit is waited for.
        note: writes it.
        count: how many things it is about, for the log.
        later: the event that is logged where it fails.
    """

    @event.listens_for(session, "after_commit", once=True)
    def write(_: Session) -> None:
        try:
            note()
        except Exception as error:  # noqa: BLE001 - what it is about stands; the scheduler notes it within the hour
            logger().error(later, count=count, exc_info=error)
