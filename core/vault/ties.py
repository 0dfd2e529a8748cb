"""What holds an installation together: main database, key store and storage carry one mark.

The mark says whose they are, and as of when: the scheduler gives all three a new *generation* every hour. So whatever
belongs to another installation is known by its id; and a copy of the main database, whether restored from a backup or
made for a trial, by its generation, once the original has gone on. Nothing of a storage is deleted, and no process
starts, while the parts disagree.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from enum import Enum, auto
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from core import locks
from core.db import engine
from core.errors import Misfit
from core.ids import new_id
from core.models import Installation
from core.vault.escrow import ESCROW, Escrow
from core.vault.keys import KeyStore
from core.vault.marks import Mark
from core.vault.store import ObjectMissing, ObjectStore

MARKER = "installation.json"  # beside the objects, which all have a prefix of their own
# A purge job deletes a few objects; one look at the mark serves those of a minute.
TRUSTED_SECONDS = 60.0
OF_ANOTHER_TIME = (
    "The main database and the key store are of different times: one of them was restored, or is a copy. "
    "Run `headshots replay`, which erases again whoever a backup brought back, before anything is served."
)


class NotInitialized(Misfit):
    """This database has no installation yet."""

    code = "not_initialized"


class StorageNotOurs(Misfit):
    """The storage carries no mark, another installation's, or that of another time."""

    code = "storage_not_ours"


class KeyStoreNotOurs(Misfit):
    """The key store carries no mark, another installation's, or that of another time."""

    code = "key_store_not_ours"


def installation() -> Installation:
    """Return the main database's row.

    Raises:
        NotInitialized: there is none.
    """
    try:
        with Session(engine()) as session:
            row: Installation | None = session.scalar(select(Installation))
    except ProgrammingError as error:
        if (
            getattr(error.orig, "sqlstate", None) != "42P01"
        ):  # undefined_table (PostgreSQL manual, appendix A)
            raise
        row = None
    if row is None:
        raise NotInitialized(
            operator="This installation has no keys yet. Run `headshots migrate` once, on one host, and give every host the "
            "folders that it made."
        )
    return row


class EscrowNotOurs(Misfit):
    """This process keeps its copies of epoch keys elsewhere than the installation expects, or none where it does."""

    code = "escrow_not_ours"


def demand_escrow(escrow: Escrow | None) -> None:
    """Hold the escrow that this process was started with against the installation's, which may have begun or ended since.

    Else it would open an epoch without a copy, or leave a copy of one that it destroys.

    Raises:
        EscrowNotOurs: they differ.
    """
    if installation().fingerprints.get(ESCROW) != (None if escrow is None else escrow.fingerprint):
        raise EscrowNotOurs(
            operator="The escrow of the keyring began, changed or ended after this process was started. No epoch turns until it "
            "is started again with HEADSHOTS_ESCROW_PATH and HEADSHOTS_ESCROW_PUBLIC_KEY as they are now."
        )


class Tie(Enum):
    """How a part's mark compares with the main database's."""

    HOLDS = auto()
    NONE = auto()  # it carries none
    ANOTHER = auto()  # of another installation
    APART = auto()  # of this one, at another time


class Ties:
    """The marks of this process's main database, key store and storage."""

    def __init__(self, keys: KeyStore, store: ObjectStore) -> None:
        self._keys = keys
        self._store = store
        self._storage_trusted_until = 0.0  # monotonic seconds

    def storage_mark(self) -> Mark | None:
        """Return what the storage says of itself, if anything."""
        try:
            said = json.loads(self._store.get(MARKER))
            return Mark(UUID(said["installation"]), UUID(said["generation"]))
        except ObjectMissing:
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise StorageNotOurs(
                operator=f"The storage's {MARKER} is damaged. Nothing is deleted there."
            ) from error

    def check_storage(self) -> None:
        """Hold the storage's mark against the main database's.

        Raises:
            StorageNotOurs: they differ.
            NotInitialized: the database has none.
            Unavailable: the storage does not answer.
        """
        match self._compare(self.storage_mark):
            case Tie.NONE:
                raise StorageNotOurs(
                    operator="The storage carries no mark of an installation: a folder that is not mounted, an empty bucket, or "
                    f"another HEADSHOTS_STORAGE_URL than before. Nothing is deleted there. {_ADOPT}"
                )
            case Tie.ANOTHER:
                raise StorageNotOurs(
                    operator="The storage belongs to another installation. Nothing is deleted there. Check HEADSHOTS_STORAGE_URL "
                    "and HEADSHOTS_DATABASE_URL."
                )
            case Tie.APART:
                raise StorageNotOurs(
                    operator="The storage has been used with a later or another copy of this database. Nothing is deleted there. "
                    f"{_ADOPT}"
                )

    def demand_storage(self) -> None:
        """Do as `check_storage`, at most once a minute."""
        if time.monotonic() < self._storage_trusted_until:
            return
        self.check_storage()
        self._storage_trusted_until = time.monotonic() + TRUSTED_SECONDS

    def check_key_store(self) -> None:
        """Hold the key store's mark against the main database's.

        Raises:
            KeyStoreNotOurs: they differ.
            NotInitialized: the database has none.
        """
        match self._compare(self._keys.marks.read):
            case Tie.NONE | Tie.ANOTHER:
                raise KeyStoreNotOurs(
                    operator="The key store belongs to no installation or to another one. Check HEADSHOTS_KEYS_DATABASE_URL and "
                    "HEADSHOTS_DATABASE_URL."
                )
            case Tie.APART:
                raise KeyStoreNotOurs(operator=OF_ANOTHER_TIME)

    def _compare(self, read: Callable[[], Mark | None]) -> Tie:
        for _ in range(2):  # a turn may have ended between the two looks, but not a second one
            mark, ours = read(), installation()
            if mark is None:
                return Tie.NONE
            if mark.installation != ours.id:
                return Tie.ANOTHER
            if mark.generation in (ours.generation, ours.next_generation):
                return Tie.HOLDS
        return Tie.APART

    def turn(self) -> None:
        """Give all three the next generation; after a crash on the way the next turn goes on.

        Raises:
            KeyStoreNotOurs, StorageNotOurs: they did not belong together; nothing was changed.
            Unavailable: the storage does not answer; both generations count until it does.
        """
        self.check_key_store()
        self.check_storage()
        self._mark_all()

    def adopt_key_store(self) -> None:
        """Let the main database and the key store belong together from now on."""
        with Session(engine()) as session, session.begin():
            mark = self._next(session)
        self._keys.marks.write(mark)

    def adopt_storage(self) -> None:
        """Let the main database and the storage belong together from now on."""
        with Session(engine()) as session, session.begin():
            mark = self._next(session)
        self._set_storage_mark(mark)

    def begin(self) -> None:
        """Mark the parts of an installation that has just been made; again after a crash in between is fine."""
        ours = installation()
        mark = Mark(ours.id, ours.generation)
        self._keys.marks.write(mark)
        self._set_storage_mark(mark)

    def _mark_all(self) -> None:
        with Session(engine()) as session, session.begin():
            mark = self._next(session)
        self._keys.marks.write(mark)
        self._set_storage_mark(mark)
        with Session(engine()) as session, session.begin():
            row = self._locked(session)
            if row.next_generation == mark.generation:
                row.generation, row.next_generation = mark.generation, None

    def _next(self, session: Session) -> Mark:
        row = self._locked(session)
        row.next_generation = row.next_generation or new_id()
        return Mark(row.id, row.next_generation)

    @staticmethod
    def _locked(session: Session) -> Installation:
        locks.wait(session, locks.Space.INSTALLATION)
        return session.scalars(select(Installation).with_for_update(key_share=True)).one()

    def _set_storage_mark(self, mark: Mark) -> None:
        said = {"installation": str(mark.installation), "generation": str(mark.generation)}
        self._store.put(MARKER, json.dumps(said).encode())


_ADOPT = "If this database is the one that owns it, run `headshots storage adopt`."
