"""Epoch keys under AWS KMS: one symmetric key of the service's for each epoch, which ends with it.

The service's key never leaves the service. It seals the epoch's own key, whose sealed form lies in the key store and so in its
backups; a process has that opened once and keeps it in memory, so data keys are wrapped as fast as under a folder. When
the epoch has turned, the service's key is disabled and its deletion scheduled: from then on the service opens nothing with it, and
the sealed form here is removed. But until the service has deleted it, somebody with rights there could take that back. So an epoch
counts as destroyed only once the service says that the key is not there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.clock import now
from core.logs import logger
from core.vault import aws_client
from core.vault.aws_client import Address, Code, KeyServiceRefuses, asking
from core.vault.crypto import open_sealed, seal
from core.vault.key_tables import KmsKey
from core.vault.kms import EpochKeyGone, FileKms

LOOK_EVERY: Final = timedelta(minutes=15)  # at a key whose deletion waits
LATE: Final = timedelta(
    days=1
)  # the service deletes at most so long after the date that it named (AWS KMS guide)
SAME_DATE: Final = timedelta(minutes=1)  # between two answers of when a key will be deleted
FORGET_SECONDS: Final = 600.0  # a key that nobody used for so long is opened anew


@dataclass
class _Opened:
    key: bytes
    used: float  # time.monotonic()


class AwsKms:
    """Epochs whose keys a key of AWS KMS seals; those from before are still in the folder until their turn.

    Args:
        engine: the key store's database.
        address: which service, as `HEADSHOTS_KMS_URL` names it.
        before: the folder.

    Each verb that asks the service raises `Outage`, and `KeyServiceRefuses` where waiting does not help.
    """

    def __init__(self, engine: Engine, address: Address, before: FileKms) -> None:
        self._engine = engine
        self._address = address
        self._before = before
        self._first: int | None = None  # epoch that the service seals; all later ones are, too
        self._opened: dict[int, _Opened] = {}
        self._lock = threading.Lock()

    def waiting(self, epoch: int) -> timedelta:
        """How long after its epoch's turn a key may still be there; one in the folder goes at once."""
        return timedelta(days=self._address.days) + LATE if self._is_ours(epoch) else timedelta()

    def _row(self, epoch: int) -> KmsKey | None:
        with Session(self._engine, expire_on_commit=False) as session:
            return session.get(KmsKey, epoch)

    def _note(self, epoch: int, **values: Any) -> None:
        with Session(self._engine) as session, session.begin():
            session.execute(update(KmsKey).where(KmsKey.epoch == epoch).values(**values))

    def _is_ours(self, epoch: int) -> bool:
        """Whether the service seals this epoch, and not the folder."""
        if self._first is None:
            with Session(self._engine) as session:
                self._first = session.scalar(select(func.min(KmsKey.epoch)))
        return self._first is not None and epoch >= self._first

    def _client(self) -> Any:
        return aws_client.client(self._address)

    def prepare(self, epoch: int) -> None:
        """Have the service make a key and seal the epoch's with it, unless there is one: nobody should wait for that."""
        if self._row(epoch) is not None:
            return
        with asking(self._address):
            made = self._client().create_key(
                Description=f"Headshots, epoch {epoch}",
                Tags=[{"TagKey": "headshots-epoch", "TagValue": str(epoch)}],
            )["KeyMetadata"]
        try:
            with asking(self._address):
                key = self._client().generate_data_key(
                    KeyId=made["KeyId"], KeySpec="AES_256", EncryptionContext=_context(epoch)
                )
        except Exception:
            self._let_go(made["KeyId"])
            raise
        with Session(self._engine) as session, session.begin():
            row = insert(KmsKey).values(
                epoch=epoch, arn=made["Arn"], sealed=key["CiphertextBlob"], created_at=now()
            )
            kept = session.execute(row.on_conflict_do_nothing().returning(KmsKey.epoch)).first()
        if kept is None:  # another process was first
            self._let_go(made["KeyId"])

    create = prepare

    def _let_go(self, key_id: str) -> None:
        """End a key that seals nothing. Where that fails it stays, which costs money and harms nobody, and is told."""
        try:
            self._client().schedule_key_deletion(KeyId=key_id, PendingWindowInDays=self._address.days)
        except Exception as error:  # noqa: BLE001 - what went wrong before this is what counts
            logger().warning("unused_key_stays", key=key_id, error=type(error).__name__)

    def wrap(self, epoch: int, key: bytes, associated: bytes) -> bytes:
        """Seal `key` under the epoch's key."""
        return self.wrap_all(epoch, [(key, associated)])[0]

    def wrap_all(self, epoch: int, keys: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Seal keys under the epoch's, with one look at that."""
        if not self._is_ours(epoch):
            return self._before.wrap_all(epoch, keys)
        key = self._key(epoch)
        return [seal(key, one, associated) for one, associated in keys]

    def unwrap(self, epoch: int, wrapped: bytes, associated: bytes) -> bytes:
        """Open what `wrap` made."""
        return self.unwrap_all(epoch, [(wrapped, associated)])[0]

    def unwrap_all(self, epoch: int, wrapped: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Open what `wrap` made, with one look at the key."""
        if not self._is_ours(epoch):
            return self._before.unwrap_all(epoch, wrapped)
        key = self._key(epoch)
        return [open_sealed(key, one, associated) for one, associated in wrapped]

    def _key(self, epoch: int) -> bytes:
        moment = time.monotonic()
        with self._lock:
            for old in [at for at, one in self._opened.items() if moment - one.used > FORGET_SECONDS]:
                del self._opened[old]
            if (found := self._opened.get(epoch)) is not None:
                found.used = moment
                return found.key
        row = self._row(epoch)
        if row is None or not row.sealed:
            raise EpochKeyGone(f"epoch {epoch}")
        self._demand_region(row)
        with asking(self._address):
            key: bytes = self._client().decrypt(
                KeyId=row.key_id, CiphertextBlob=row.sealed, EncryptionContext=_context(epoch)
            )["Plaintext"]
        with self._lock:
            self._opened[epoch] = _Opened(key, moment)
        return key

    def _demand_region(self, row: KmsKey) -> None:
        if row.region != self._address.region:
            raise KeyServiceRefuses(self._address, Code.REGION, f"Its keys are in {row.region}.")

    def retire(self, epoch: int) -> None:
        """Disable the service's key and schedule its deletion, and forget its sealed form; a second call changes nothing."""
        row = self._row(epoch)
        if row is None or row.ends_at is not None:
            return
        self._demand_region(row)
        found = self._describe(row)
        if found is None:
            ends_at = now()  # `exists` says whether it can be believed
        elif found["KeyState"] == "PendingDeletion":  # we died before this was noted
            ends_at = found["DeletionDate"]
        else:
            ends_at = self._schedule(row)
        self._note(epoch, sealed=b"", ends_at=ends_at, looked_at=now())
        with self._lock:
            self._opened.pop(epoch, None)
        logger().info("key_deletion_scheduled", epoch=epoch)

    def _schedule(self, row: KmsKey) -> datetime:
        with asking(self._address):
            self._client().disable_key(KeyId=row.key_id)
            answer = self._client().schedule_key_deletion(
                KeyId=row.key_id, PendingWindowInDays=self._address.days
            )
        ends_at: datetime = answer["DeletionDate"]
        return ends_at

    def destroy(self, epoch: int) -> None:
        """Do as `retire`, and destroy what the folder has of the epoch."""
        self._before.destroy(epoch)
        self.retire(epoch)

    def exists(self, epoch: int) -> bool:
        """Whether the key still exists, as the service says now. One whose deletion was taken back counts as there for ever."""
        row = self._row(epoch)
        if row is None:
            return self._before.exists(epoch)
        if row.ends_at is None:
            return True
        self._demand_region(row)
        found = self._describe(row)
        if found is None:
            self._demand_answers_of(row)
        elif found["KeyState"] != "PendingDeletion" or abs(found["DeletionDate"] - row.ends_at) > SAME_DATE:
            # Nobody moves the date of a deletion: another one was scheduled after it had been taken back.
            waits = found["KeyState"] == "PendingDeletion"
            ends_at = found["DeletionDate"] if waits else self._schedule(row)
            logger().error("key_deletion_taken_back", epoch=epoch)
            self._note(epoch, taken_back_at=row.taken_back_at or now(), ends_at=ends_at)
            return True
        self._note(epoch, looked_at=now())
        return found is not None or row.taken_back_at is not None or self._before.exists(epoch)

    def _describe(self, row: KmsKey) -> dict[str, Any] | None:
        """Return what the service says of a key; `None` where it says that there is none."""
        try:
            with asking(self._address):
                found: dict[str, Any] = self._client().describe_key(KeyId=row.key_id)["KeyMetadata"]
        except KeyServiceRefuses as error:
            if error.why is Code.NO_KEY:
                return None
            raise
        return found

    def _demand_answers_of(self, row: KmsKey) -> None:
        """See that whoever says that a key is not there is who had it: it knows the newest one, of the same account."""
        with Session(self._engine) as session:
            newest = session.scalars(select(KmsKey).order_by(KmsKey.epoch.desc()).limit(1)).one()
        known = None if newest.epoch == row.epoch else self._describe(newest)
        if known is None or known["Arn"].rpartition("/")[0] != row.arn.rpartition("/")[0]:
            raise KeyServiceRefuses(self._address, Code.NO_KEY, f"It was asked for {newest.arn}.")

    def due(self, epoch: int) -> bool:
        """Whether it is time to look at the key of a closed epoch."""
        row = self._row(epoch)
        if row is None or row.ends_at is None or row.looked_at is None:
            return True
        return now() - row.looked_at >= LOOK_EVERY

    def held_until(self, epoch: int) -> datetime | None:
        """Until when the service keeps the key, disabled; `None` where no deletion is scheduled."""
        row = self._row(epoch)
        return None if row is None else row.ends_at

    def taken_back(self) -> list[int]:
        """Return the epochs whose key's deletion somebody took back."""
        with Session(self._engine) as session:
            return list(
                session.scalars(
                    select(KmsKey.epoch).where(KmsKey.taken_back_at.is_not(None)).order_by(KmsKey.epoch)
                )
            )


def _context(epoch: int) -> dict[str, str]:
    return {"headshots-epoch": str(epoch)}
