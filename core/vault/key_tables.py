"""The tables of the key store, which lie in a database apart from the one that names people."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, DateTime, LargeBinary, String, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class KeyBase(DeclarativeBase):
    """Tables of the key store."""


class Epoch(KeyBase):
    """An epoch; the newest without `closed_at` is current."""

    __tablename__ = "epochs"

    number: Mapped[int] = mapped_column(primary_key=True)
    opened_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    closed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    destroyed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class DataKey(KeyBase):
    """One owner's wrapped key."""

    __tablename__ = "data_keys"

    owner_id: Mapped[UUID] = mapped_column(primary_key=True)
    epoch: Mapped[int] = mapped_column(index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class Note(KeyBase):
    """A keyed hash of something, and when it happened to it."""

    __abstract__ = True

    hash: Mapped[str]
    at: Mapped[datetime]


class ErasedOwner(Note):
    """The erasure ledger: a keyed hash of each erased owner, so that a restore cannot bring one back."""

    __tablename__ = "erasure_ledger"

    hash: Mapped[str] = mapped_column("owner_hash", String(64), primary_key=True)
    epoch: Mapped[int]
    at: Mapped[datetime] = mapped_column("erased_at", DateTime(timezone=True))


class NamedErasure(KeyBase):
    """The opaque id of an erasure, so that one that is carried out again after a restore is the same, with its receipt."""

    __tablename__ = "erasure_names"

    owner_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    erasure_id: Mapped[UUID]


class WithdrawnConsent(Note):
    """A keyed hash of a consent that was taken back, so that a restore cannot undo it."""

    __tablename__ = "withdrawal_ledger"

    hash: Mapped[str] = mapped_column("consent_hash", String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column("withdrawn_at", DateTime(timezone=True))


class RemovedThing(Note):
    """A keyed hash of what a person removed singly, such as a photo, so that a restore cannot bring it back."""

    __tablename__ = "removal_ledger"

    hash: Mapped[str] = mapped_column("thing_hash", String(64), primary_key=True)
    owner_hash: Mapped[str] = mapped_column(String(64), index=True)
    at: Mapped[datetime] = mapped_column("removed_at", DateTime(timezone=True), index=True)


class LogHead(KeyBase):
    """The newest tree head that was signed for an organization's log, so that a restore cannot have it signed anew."""

    __tablename__ = "log_heads"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    peaks: Mapped[bytes] = mapped_column(LargeBinary)
    note: Mapped[str] = mapped_column(Text)


class KeptCertificate(KeyBase):
    """A deletion certificate as it was handed out; see `core.vault.kept`."""

    __tablename__ = "kept_certificates"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    org_id: Mapped[UUID] = mapped_column(index=True)
    erasure_id: Mapped[UUID]
    receipt_sha256: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    status: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary)


class LogWatch(KeyBase):
    """How far the running look at a whole log is; see `core.vault.watches`."""

    __tablename__ = "log_watches"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    position: Mapped[int] = mapped_column(BigInteger)
    event_after: Mapped[UUID | None]
    covered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class LogDifference(KeyBase):
    """Something in the main database that is not as it was signed."""

    __tablename__ = "log_differences"

    org_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    what: Mapped[str] = mapped_column(String(16), primary_key=True)
    found_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    seen_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class EpochProof(KeyBase):
    """A known text under an epoch's key: a keyring that cannot open it is another installation's."""

    __tablename__ = "epoch_proofs"

    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)


class KmsKey(KeyBase):
    """An epoch's key, sealed by a key of a cloud's key service; see `core.vault.aws_kms`."""

    __tablename__ = "kms_keys"

    epoch: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    arn: Mapped[str] = mapped_column(String(400))  # of the service's key
    sealed: Mapped[bytes] = mapped_column(LargeBinary)  # empty once its end has begun
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # when the service deletes it
    looked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    taken_back_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))

    @property
    def key_id(self) -> str:
        """What the service calls its key, within a region and account."""
        return self.arn.rpartition("/")[2]

    @property
    def region(self) -> str:
        """Where it is."""
        return self.arn.split(":")[3]


class KeyStoreMark(KeyBase):
    """Which installation this store belongs to, in one row; see `core.vault.ties`."""

    __tablename__ = "installation"

    single: Mapped[bool] = mapped_column(primary_key=True, default=True)
    id: Mapped[UUID]
    generation: Mapped[UUID]
