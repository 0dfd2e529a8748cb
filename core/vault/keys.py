"""The key store: wrapped data keys, in a database apart from the one that names people.

Each owner (a member, an organization for its brand assets, a list that names many people, or one stored object of a
person) has one random data key, stored only wrapped under the current epoch key. Erasing destroys the wrapped key; turning the epoch re-wraps every
survivor and destroys the old epoch key, which kills each older copy of this store in any backup.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Engine,
    LargeBinary,
    Row,
    String,
    Uuid,
    any_,
    cast,
    delete,
    func,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core import locks
from core.clock import now
from core.vault.crypto import CannotOpen, new_key, open_sealed
from core.vault.heads import Heads
from core.vault.kept import KeptCertificates
from core.vault.key_answers import Destruction, EpochTurn, KeyErased, KeyringNotOurs, KeyStoreBehind
from core.vault.key_tables import DataKey, Epoch, EpochProof, ErasedOwner, KeyBase
from core.vault.kms import EpochKeyGone, Kms
from core.vault.ledger import Erasures, Removals, Withdrawals
from core.vault.marks import Marks
from core.vault.watches import Watches

# So many move in a tenth of a second, which is how long erasing one of them may wait.
REWRAPPED_AT_ONCE = 2000


_PROVEN = b"headshots epoch"
_CLOSED = select(Epoch).where(Epoch.closed_at.is_not(None), Epoch.destroyed_at.is_(None))


@contextmanager
def _ours() -> Iterator[None]:
    try:
        yield
    except (EpochKeyGone, CannotOpen) as error:
        raise KeyringNotOurs(
            operator="The keyring on this host is not the one that this installation's keys are wrapped under. Every host "
            "needs the same HEADSHOTS_KEYRING_PATH, on a volume that all of them mount, or the same HEADSHOTS_KMS_URL; nothing was changed. "
            "If it is lost, see docs/operate.md, “The keyring is lost”."
        ) from error


class KeyStore:
    """Makes, opens and destroys data keys.

    Args:
        engine: the key store's own database.
        kms: holder of the epoch keys.
        ledger_key: secret under which the ledgers hash whom and what they are about.
        may_turn: raises where this process may not begin or end an epoch; asked while nobody else can.
    """

    def __init__(
        self, engine: Engine, kms: Kms, ledger_key: bytes, may_turn: Callable[[], None] = lambda: None
    ) -> None:
        self._engine = engine
        self._kms = kms
        self._may_turn = may_turn
        self.heads = Heads(engine)
        self.watches = Watches(engine)
        self.certificates = KeptCertificates(engine)
        self.marks = Marks(engine)
        self.erasures = Erasures(engine, ledger_key)
        self.withdrawals = Withdrawals(engine, ledger_key)
        self.removals = Removals(engine, ledger_key, self.erasures.hash)

    def create_tables(self) -> None:
        """Create the store's tables and its first epoch; a second call changes nothing.

        Raises:
            KeyringNotOurs: there are epochs, and this keyring is not theirs.
        """
        KeyBase.metadata.create_all(self._engine)
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH)
            if session.scalar(select(func.count()).select_from(Epoch)) == 0:
                self._kms.create(1)
                session.add(Epoch(number=1, opened_at=now()))
                self._prove(session, 1)
            elif session.get(EpochProof, current := self._current(session)) is None:
                # From before there were proofs: whoever opens a key that is in use has the right keyring.
                row = session.scalar(select(DataKey).where(DataKey.epoch == current).limit(1))
                with _ours():
                    if row is not None:
                        self._kms.unwrap(row.epoch, row.wrapped, self._associated(row.owner_id))
                    self._prove(session, current)

    def demand_tables(self) -> None:
        """See that the store has every table of this release.

        Raises:
            KeyStoreBehind: one is missing.
        """
        if not set(KeyBase.metadata.tables) <= set(inspect(self._engine).get_table_names()):
            raise KeyStoreBehind(
                operator="The key store is of an earlier release. Run `headshots migrate`, which adds what it lacks."
            )

    def demand_keyring(self) -> None:
        """Hold the keyring against the current epoch.

        Raises:
            KeyringNotOurs: it has no key of it, or another one.
        """
        with Session(self._engine) as session:
            self._demand_keyring(session, self._current(session))

    def _demand_keyring(self, session: Session, epoch: int) -> None:
        proof = session.get(EpochProof, epoch)
        with _ours():
            if proof is None:  # from before there were proofs, until the next `headshots migrate`
                self._kms.wrap(epoch, _PROVEN, _PROVEN)
            else:
                self._kms.unwrap(epoch, proof.wrapped, _PROVEN)

    def _prove(self, session: Session, epoch: int) -> None:
        proof = insert(EpochProof).values(epoch=epoch, wrapped=self._kms.wrap(epoch, _PROVEN, _PROVEN))
        session.execute(proof.on_conflict_do_nothing())

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let no epoch begin or end, and no key be made, until the block is left; what is on its way ends first."""
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH)
            yield

    def living_epochs(self) -> list[int]:
        """Return the epochs whose keys have not been destroyed."""
        with Session(self._engine) as session:
            living = select(Epoch.number).where(Epoch.destroyed_at.is_(None)).order_by(Epoch.number)
            return list(session.scalars(living))

    def epochs_in_use(self) -> list[int]:
        """Return the epochs that a data key is wrapped under, and the current one."""
        with Session(self._engine) as session:
            used = session.scalars(select(DataKey.epoch).distinct())
            return sorted({*used, self._current(session)})

    def proves(self, epoch: int, key: bytes) -> bool:
        """Whether `key` is the epoch's."""
        with Session(self._engine) as session:
            proof = session.get(EpochProof, epoch)
        try:
            return proof is not None and open_sealed(key, proof.wrapped, _PROVEN) == _PROVEN
        except CannotOpen:
            return False

    def is_empty(self) -> bool:
        """Whether the store holds no key and has never destroyed one."""
        with Session(self._engine) as session:
            return not any(session.scalar(select(table).limit(1)) for table in (DataKey, ErasedOwner))

    @staticmethod
    def _current(session: Session) -> int:
        number = session.scalar(select(func.max(Epoch.number)).where(Epoch.closed_at.is_(None)))
        assert number is not None, "create_tables() opens the first epoch"
        return number

    @staticmethod
    def _associated(owner_id: UUID) -> bytes:
        return b"headshots data key " + owner_id.bytes

    def create(self, owner_ids: Iterable[UUID]) -> dict[UUID, bytes]:
        """Make a key for each owner that has none; return the keys of all of them.

        Raises:
            KeyErased: one of them is in the erasure ledger; no key was made.
        """
        owners = list(owner_ids)
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH, shared=True)
            hashes = [self.erasures.hash(owner) for owner in owners]
            # One array each, where thousands of parameters would take seconds to prepare.
            erased = ErasedOwner.hash == any_(literal(hashes, ARRAY(String)))
            if session.scalar(select(ErasedOwner.hash).where(erased).limit(1)):
                raise KeyErased("This person was erased; a new invitation starts a new record.")
            epoch = self._current(session)
            self._demand_keyring(session, epoch)  # before anything is wrapped that no other host could open
            made = self._kms.wrap_all(epoch, [(new_key(), self._associated(owner)) for owner in owners])
            if made:
                both = (literal(owners, ARRAY(Uuid)), literal(made, ARRAY(LargeBinary)))
                some = func.unnest(*both).table_valued("owner_id", "wrapped", name="some").render_derived()
                rows = select(some.c.owner_id, literal(epoch), some.c.wrapped)
                session.execute(
                    insert(DataKey)
                    .from_select(["owner_id", "epoch", "wrapped"], rows)
                    .on_conflict_do_nothing()
                )
            return self._opened(session, owners)

    def data_key(self, owner_id: UUID) -> bytes:
        """Return the owner's key. Never cached: a destroyed key is gone for every process at once.

        Raises:
            KeyErased: the key does not exist any more.
        """
        return self.data_keys(owner_id)[0]

    def data_keys(self, *owner_ids: UUID) -> list[bytes]:
        """Do as `data_key` for several owners at once; return their keys in the same order.

        Raises:
            KeyErased: one of them does not exist any more.
        """
        found = self.living(owner_ids)
        if len(found) < len(set(owner_ids)):
            raise KeyErased("This has been erased and cannot be opened any more.")
        return [found[owner_id] for owner_id in owner_ids]

    def living(self, owner_ids: Collection[UUID]) -> dict[UUID, bytes]:
        """Return the keys of those of the owners who have one."""
        try:
            return self._unwrapped(owner_ids)
        except EpochKeyGone:  # the epoch ended between the two looks, and the keys have moved on
            return self._unwrapped(owner_ids)

    def _unwrapped(self, owner_ids: Collection[UUID]) -> dict[UUID, bytes]:
        with Session(self._engine) as session:
            return self._opened(session, owner_ids)

    def _opened(self, session: Session, owner_ids: Collection[UUID]) -> dict[UUID, bytes]:
        wanted = DataKey.owner_id == any_(literal(list(owner_ids), ARRAY(Uuid)))
        rows = session.execute(select(DataKey.owner_id, DataKey.epoch, DataKey.wrapped).where(wanted)).all()
        return self._open_all(rows)

    def _open_all(self, rows: Sequence[Row[UUID, int, bytes]]) -> dict[UUID, bytes]:
        """Open rows of owner, epoch and wrapped key, with one look at the key of each epoch."""
        found: dict[UUID, bytes] = {}
        for epoch in {row.epoch for row in rows}:
            theirs = [(row.owner_id, row.wrapped) for row in rows if row.epoch == epoch]
            keys = self._kms.unwrap_all(epoch, [(wrapped, self._associated(one)) for one, wrapped in theirs])
            found |= zip((one for one, _ in theirs), keys, strict=True)
        return found

    def owners(self, at_once: int) -> Iterator[list[UUID]]:
        """Yield who has a key, in the order of their ids, so many at once."""
        page, last = select(DataKey.owner_id).order_by(DataKey.owner_id).limit(at_once), UUID(int=0)
        while True:
            with Session(self._engine) as session:
                some = list(session.scalars(page.where(DataKey.owner_id > last)))
            if not some:
                return
            last = some[-1]
            yield some

    def among(self, owner_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these owners have a key."""
        wanted = DataKey.owner_id == any_(literal(list(owner_ids), ARRAY(Uuid)))
        with Session(self._engine) as session:
            return set(session.scalars(select(DataKey.owner_id).where(wanted)))

    def exists(self, owner_id: UUID) -> bool:
        """Whether the owner still has a key."""
        return bool(self.among([owner_id]))

    def destroy(self, owner_id: UUID) -> Destruction:
        """Destroy the owner's wrapped key and write the erasure ledger, in one transaction.

        Idempotent: a second call returns the first destruction.
        """
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH, shared=True)
            epoch = self._current(session)
            session.execute(delete(DataKey).where(DataKey.owner_id == owner_id))
            session.execute(
                insert(ErasedOwner)
                .values(hash=self.erasures.hash(owner_id), epoch=epoch, at=now())
                .on_conflict_do_nothing()
            )
            entry = session.get_one(ErasedOwner, self.erasures.hash(owner_id))
            return Destruction(epoch=entry.epoch, at=entry.at)

    def forget(self, owner_ids: Collection[UUID]) -> int:
        """Destroy the keys of what is nobody: lists, single pictures; the ledger is for people. Who has none is fine.

        Returns:
            The epoch in which that was: copies of these keys are dead once its key is destroyed.
        """
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH, shared=True)
            epoch = self._current(session)
            session.execute(
                delete(DataKey).where(DataKey.owner_id == any_(literal(list(owner_ids), ARRAY(Uuid))))
            )
            return epoch

    def turn_epoch(self) -> EpochTurn:
        """Begin a new epoch, re-wrap every key under its key, then destroy the old epoch's.

        Nobody waits for it: from the beginning on new keys are made under the new epoch, while survivors move some
        at a time. A crash leaves the old epoch closed and its key in place; the next call, or `finish_turns`, goes on.
        """
        with Session(self._engine) as session:
            before = self._current(session)
            self._demand_keyring(session, before)
        self._kms.prepare(before + 1)
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH)
            self._may_turn()
            old = self._current(session)
            self._demand_keyring(session, old)  # before this host makes a key that no other host has
            new = old + 1
            self._kms.create(new)
            self._prove(session, new)
            session.add(Epoch(number=new, opened_at=now()))
            session.execute(update(Epoch).where(Epoch.number == old).values(closed_at=now()))
        return EpochTurn(closed=old, opened=new, rewrapped=self.finish_turns())

    def finish_turns(self) -> int:
        """Move what is still under a closed epoch, then destroy its key; return how many keys moved.

        A key that somebody outside holds on to for a while is looked at again from time to time, until it is gone.
        """
        with Session(self._engine) as session:
            due = [
                one for one in session.scalars(_CLOSED.with_only_columns(Epoch.number)) if self._kms.due(one)
            ]
        if not due:
            return 0  # asked every few seconds, and nobody who makes a key is to wait for that
        moved = 0
        while some := self._rewrap():
            moved += some
        # Whoever is outside is asked first, as nobody who makes a key is to wait for an answer.
        gone = set()
        for number in due:
            with Session(self._engine) as session:
                self._demand_unused(session, number)
            self._kms.retire(number)
            if self._kms.held_until(number) is not None and not self._kms.exists(number):
                gone.add(number)
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH)
            self._may_turn()
            for epoch in session.scalars(_CLOSED.where(Epoch.number.in_(due))):
                self._demand_unused(session, epoch.number)
                self._kms.destroy(epoch.number)
                if epoch.number not in gone:
                    if self._kms.held_until(epoch.number) is not None:
                        continue
                    if self._kms.exists(epoch.number):
                        raise RuntimeError(
                            f"the key of epoch {epoch.number} still exists after its destruction"
                        )
                epoch.destroyed_at = now()
                session.execute(delete(EpochProof).where(EpochProof.epoch == epoch.number))
        return moved

    @staticmethod
    def _demand_unused(session: Session, epoch: int) -> None:
        if session.scalar(select(DataKey.owner_id).where(DataKey.epoch <= epoch).limit(1)):
            raise RuntimeError(f"a key is still under epoch {epoch}, which is not destroyed")

    def _rewrap(self) -> int:
        """Move some keys to the current epoch; return how many. The lock is shared, so others go on making keys."""
        with Session(self._engine) as session, session.begin():
            locks.wait(session, locks.Space.EPOCH, shared=True)
            epoch = self._current(session)
            rows = session.execute(
                select(DataKey.owner_id, DataKey.epoch, DataKey.wrapped)
                .where(DataKey.epoch < epoch)
                .limit(REWRAPPED_AT_ONCE)
                .with_for_update(key_share=True)
            ).all()
            if not rows:
                return 0
            opened = self._open_all(rows)
            wrapped = self._kms.wrap_all(
                epoch, [(opened[row.owner_id], self._associated(row.owner_id)) for row in rows]
            )
            moved = (
                func.unnest(
                    literal([row.owner_id for row in rows], ARRAY(Uuid)), literal(wrapped, ARRAY(LargeBinary))
                )
                .table_valued("owner_id", "wrapped", name="moved")
                .render_derived()
            )
            session.execute(
                update(DataKey)
                .where(DataKey.owner_id == cast(moved.c.owner_id, Uuid))
                .values(epoch=epoch, wrapped=cast(moved.c.wrapped, LargeBinary))
                .execution_options(synchronize_session=False)
            )
            return len(rows)

    def epoch_destroyed_at(self, number: int) -> datetime | None:
        """Return when the epoch's key was destroyed, or `None` while it lives."""
        with Session(self._engine) as session:
            return session.scalar(select(Epoch.destroyed_at).where(Epoch.number == number))

    def destroyed_epochs(self, numbers: Collection[int]) -> set[int]:
        """Return which of these epochs' keys have been destroyed."""
        if not numbers:
            return set()
        with Session(self._engine) as session:
            over = select(Epoch.number).where(Epoch.number.in_(numbers), Epoch.destroyed_at.is_not(None))
            return set(session.scalars(over))

    def waiting(self, epoch: int) -> timedelta:
        """How long after its epoch's turn a key may still be there: some time where a key service holds it."""
        return self._kms.waiting(epoch)

    def held_until(self, epoch: int) -> datetime | None:
        """Until when a key service keeps the key of an epoch that has turned; `None` where none does."""
        return self._kms.held_until(epoch)

    def taken_back(self) -> list[int]:
        """Return the epochs whose key's destruction was undone at the key service."""
        return self._kms.taken_back()

    def current_epoch(self) -> tuple[int, datetime]:
        """Return the current epoch's number and when it opened."""
        with Session(self._engine) as session:
            epoch = session.get_one(Epoch, self._current(session))
            return epoch.number, epoch.opened_at

    def check_keyring(self, epoch: int) -> None:
        """Seal and open something under the key of `epoch`.

        Raises:
            EpochKeyGone: the keyring does not have that key.
            Unavailable: the keyring cannot be read.
        """
        probe = new_key()
        if self._kms.unwrap(epoch, self._kms.wrap(epoch, probe, b"check"), b"check") != probe:
            raise RuntimeError(f"the key of epoch {epoch} does not open what it sealed")
