"""The one door to personal bytes.

Only this module writes, reads and deletes them, and each has one row in `artifacts`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from typing import NamedTuple
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import ARRAY, Engine, Uuid, any_, func, literal, select, update
from sqlalchemy.orm import Session

from core import locks
from core.clock import now
from core.connections import postgres_engine
from core.db import connect_args, demand_no_transaction, organization_of, pool_that_tells
from core.errors import ConfigurationError, Gone
from core.grounds import Ground, ground_of
from core.ids import new_id
from core.models import Artifact, Kind, Member
from core.models.artifact import PASSING
from core.queue import JobName, enqueue_all
from core.settings import settings
from core.vault.aws_client import Address
from core.vault.aws_kms import AwsKms
from core.vault.crypto import joined, open_sealed, seal
from core.vault.escrow import Escrow
from core.vault.key_answers import KeyErased
from core.vault.keys import KeyStore
from core.vault.kms import FileKms, Kms
from core.vault.ledger import after_commit
from core.vault.store import ObjectMissing, ObjectStore
from core.vault.ties import Ties, demand_escrow


class ArtifactGone(Gone):
    """The bytes were deleted."""

    code = "erased"


def derive(purpose: str) -> bytes:
    """Return the 256-bit secret for `purpose`, derived from the settings' secret key (HKDF-SHA256)."""
    return HKDF(SHA256(), 32, salt=None, info=b"headshots " + purpose.encode()).derive(
        settings().secret_key.get_secret_value().encode()
    )


@dataclass(frozen=True)
class Sealed:
    """What lies in the storage and has no row yet; `Vault.keep` gives it one, else the sweep takes it."""

    id: UUID
    org_id: UUID
    member_id: UUID | None
    kind: Kind
    media_type: str
    object_name: str
    size: int  # bytes, of the plaintext
    own_key: bool
    sealed_sha256: str = ""


@dataclass(frozen=True)
class Held:
    """What it takes to open an artifact once its transaction has ended."""

    id: UUID
    org_id: UUID
    member_id: UUID | None
    kind: str
    object_name: str
    own_key: bool


class Marked(NamedTuple):
    """An object that nobody can read any more and that has to go."""

    artifact_id: UUID
    object_name: str


class Vault:
    """Seals with the owner's key, stores under a meaningless name, keeps the inventory.

    The storage may take seconds, so it is asked outside of any transaction: sealed before the rows are written,
    opened after they were read, removed between two.
    """

    def __init__(self, keys: KeyStore, store: ObjectStore) -> None:
        self.keys = keys
        self.store = store
        self.ties = Ties(keys, store)

    @staticmethod
    def _associated(of: Artifact | Sealed | Held) -> bytes:
        member = of.member_id.bytes if of.member_id else bytes(16)
        return of.org_id.bytes + member + of.id.bytes + of.kind.encode()

    def _key(self, of: Sealed | Held) -> bytes:
        """Return what seals it: the key of whose it is, joined with its own where it has one; its own alone in passing.

        Raises:
            KeyErased: one of them does not exist any more.
        """
        if of.kind in PASSING:
            return self.keys.data_key(of.id)
        owner_id = of.member_id or of.org_id
        return joined(*self.keys.data_keys(owner_id, of.id)) if of.own_key else self.keys.data_key(owner_id)

    def seal(
        self, org_id: UUID, content: bytes, *, kind: Kind, media_type: str, member_id: UUID | None
    ) -> Sealed:
        """Seal and store `content`, before the transaction that keeps it.

        The object is written first: a crash before the commit leaves an unreadable object without a
        row, which the sweep deletes, and never a row without its object.

        Raises:
            KeyErased: the owner has been erased.
            Unavailable: the storage does not answer; nothing was kept.
        """
        made = Sealed(
            id=new_id(),
            org_id=org_id,
            member_id=member_id,
            kind=kind,
            media_type=media_type,
            object_name=ObjectStore.new_name(),
            size=len(content),
            # A company's own pictures are nobody's, and end with the company.
            own_key=member_id is not None,
        )
        if made.own_key or kind in PASSING:
            self.keys.create([made.id])
        sealed = seal(self._key(made), content, self._associated(made))
        self.store.put(made.object_name, sealed)
        return replace(made, sealed_sha256=hashlib.sha256(sealed).hexdigest())

    def keep(self, session: Session, sealed: Sealed) -> Artifact:
        """Add the row of what `seal` stored; it joins the caller's transaction.

        The person is locked, so an erasure either finds the row or keeps it from being written.

        Raises:
            KeyErased: the owner has been erased meanwhile.
        """
        assert sealed.org_id == organization_of(session)
        if sealed.member_id is not None:
            locks.person(session, sealed.member_id)
            if session.get_one(Member, sealed.member_id).erased_at is not None:
                raise KeyErased("This person has been erased, so nothing more of them is kept.")
        artifact = Artifact(**asdict(sealed), created_at=now())
        session.add(artifact)
        session.flush()
        return artifact

    def seal_alone(self, owner_id: UUID, content: bytes) -> bytes:
        """Return `content` sealed under a key of its own, for a row that tells what nothing else may.

        Args:
            owner_id: the row's id, by which the key is known; destroying it (`keys.forget`) ends the bytes in every copy.
            content: a few kilobytes.
        """
        self.keys.create([owner_id])
        return seal(self.keys.data_key(owner_id), content, owner_id.bytes)

    def open_alone(self, owner_id: UUID, sealed: bytes) -> bytes:
        """Return what `seal_alone` sealed.

        Raises:
            KeyErased: its key was destroyed.
        """
        return open_sealed(self.keys.data_key(owner_id), sealed, owner_id.bytes)

    def discard(self, sealed: Sealed) -> None:
        """Delete what will not be kept, sooner than the sweep would."""
        self.keys.forget([sealed.id])
        self.store.delete(sealed.object_name)

    @staticmethod
    def find(session: Session, artifact_id: UUID) -> Held:
        """Return where an artifact of the session's organization lies, to be opened after the transaction.

        Raises:
            ArtifactGone: it was deleted, or never existed here.
        """
        artifact = session.get(Artifact, artifact_id)
        if artifact is None or artifact.delete_requested_at is not None:
            raise ArtifactGone("This picture has been deleted.")
        return Held(
            artifact.id,
            artifact.org_id,
            artifact.member_id,
            artifact.kind,
            artifact.object_name,
            artifact.own_key,
        )

    def open(self, held: Held) -> bytes:
        """Return the plaintext of what `find` found.

        Raises:
            ArtifactGone: it was deleted meanwhile.
            KeyErased: its owner was erased.
            Unavailable: the storage does not answer.
        """
        key = self._key(held)
        try:
            sealed = self.store.get(held.object_name)
        except ObjectMissing as error:
            raise ArtifactGone("This picture has been deleted.") from error
        return open_sealed(key, sealed, self._associated(held))

    def delete(self, session: Session, artifact_ids: Sequence[UUID]) -> None:
        """Let nobody read artifacts from the commit on, and owe the job that removes their objects.

        Why is what `core.grounds` says. What is being deleted already, and none at all, is fine. The job is owed once for each person, and for
        each brand asset. The own key of each is destroyed right after the commit, and again by the job should the process die between: a
        restore in between would forget the job, and the key with it.
        """
        session.flush()
        marked = session.execute(
            update(Artifact)
            .where(Artifact.id.in_(artifact_ids), Artifact.delete_requested_at.is_(None))
            .values(delete_requested_at=now(), ended_because=ground_of(session))
            .returning(Artifact.id, Artifact.member_id)
        ).all()
        subjects = sorted({member_id or artifact_id for artifact_id, member_id in marked})
        if subjects:
            enqueue_all(session, JobName.PURGE, subjects)
            ended = [artifact_id for artifact_id, _ in marked]
            after_commit(session, lambda: self.keys.forget(ended), len(ended), "key_left_to_the_purge")

    @staticmethod
    def close(session: Session, member_id: UUID) -> None:
        """Let nobody read anything of a person from the commit on; their erasure removes and counts the objects."""
        session.execute(
            update(Artifact)
            .where(Artifact.member_id == member_id, Artifact.delete_requested_at.is_(None))
            .values(delete_requested_at=now(), ended_because=Ground.ERASURE)
        )

    @staticmethod
    def passing(session: Session) -> list[Marked]:
        """Return the organization's lists and searches that nobody can read any more and whose objects may be there."""
        rows = session.execute(
            select(Artifact.id, Artifact.object_name).where(
                Artifact.kind.in_(PASSING),
                Artifact.delete_requested_at.is_not(None),
                Artifact.destroyed_at.is_(None),
            )
        )
        return [Marked(*row) for row in rows]

    def remove(self, marked: Sequence[Marked]) -> set[UUID]:
        """Delete objects and check by reading back; return which artifacts' are gone.

        Before that the key of each that has one of its own is destroyed, also while the storage is away.

        Raises:
            StorageNotOurs: the storage belongs to another installation, or to a later state of this one.
        """
        demand_no_transaction("the storage")  # before the keys, which do not come back
        gone = set()
        if marked:
            self.keys.forget([one.artifact_id for one in marked])
            self.ties.demand_storage()
        for artifact_id, object_name in marked:
            self.store.delete(object_name)
            if not self.store.exists(object_name):
                gone.add(artifact_id)
        return gone

    @staticmethod
    def note_destroyed(session: Session, gone: Collection[UUID]) -> None:
        """Note of artifacts that their objects are gone, in the order in which everybody takes their rows."""
        rows = session.scalars(
            select(Artifact)
            .where(Artifact.id == any_(literal(sorted(gone), ARRAY(Uuid))), Artifact.destroyed_at.is_(None))
            .order_by(Artifact.id)
            .with_for_update(key_share=True)
        )
        for row in rows:
            assert row.delete_requested_at is not None
            row.destroyed_at = now()
        session.flush()

    def subject_pseudonym(self, owner_id: UUID, key: bytes | None = None) -> str:
        """Return the keyed hash that stands for a person in the evidence log.

        Its key is derived from the person's data key, so once that is destroyed nobody can tell whom
        the hash meant.
        """
        data_key = key if key is not None else self.keys.data_key(owner_id)
        subkey = HKDF(SHA256(), 32, salt=None, info=b"headshots subject pseudonym").derive(data_key)
        return hmac.new(subkey, owner_id.bytes, hashlib.sha256).hexdigest()

    @staticmethod
    def inventory(session: Session, member_id: UUID) -> dict[str, tuple[int, int]]:
        """Return for each kind how many of the member's artifacts can be read, and their bytes."""
        rows = session.execute(
            select(Artifact.kind, func.count(), func.coalesce(func.sum(Artifact.size), 0))
            .where(Artifact.member_id == member_id, Artifact.delete_requested_at.is_(None))
            .group_by(Artifact.kind)
        )
        return {kind: (count, size) for kind, count, size in rows}

    @staticmethod
    def being_removed(session: Session, member_id: UUID) -> int:
        """Return how many of the member's artifacts nobody can read any more, but whose objects may still be there."""
        marked = select(func.count()).where(
            Artifact.member_id == member_id,
            Artifact.delete_requested_at.is_not(None),
            Artifact.destroyed_at.is_(None),
        )
        return session.scalar(marked) or 0


def escrow_of_settings() -> Escrow | None:
    """Return where epoch keys are kept sealed a second time, if anywhere.

    Raises:
        ConfigurationError: only half of it is set.
    """
    config = settings()
    if config.escrow_path is None and not config.escrow_public_key:
        return None
    if config.escrow_path is None or not config.escrow_public_key:
        raise ConfigurationError("Set HEADSHOTS_ESCROW_PATH and HEADSHOTS_ESCROW_PUBLIC_KEY, or neither.")
    if config.kms_url:
        raise ConfigurationError(
            "There is no escrow with HEADSHOTS_KMS_URL: AWS KMS gives no key out that could be copied. Run `headshots keys escrow --end` "
            "before it is set, then unset HEADSHOTS_ESCROW_PATH and HEADSHOTS_ESCROW_PUBLIC_KEY."
        )
    return Escrow(config.escrow_path, config.escrow_public_key)


def kms_of_settings(engine: Engine, escrow: Escrow | None) -> Kms:
    """Return who holds the epoch keys.

    Raises:
        ConfigurationError: the settings name a key service that there is not.
    """
    config = settings()
    folder = FileKms(config.keyring_path, escrow)
    return AwsKms(engine, Address.parse(config.kms_url), folder) if config.kms_url else folder


@cache
def vault() -> Vault:
    """Return the process's vault."""
    config = settings()
    engine = postgres_engine(
        config.keys_database_url.get_secret_value(),
        pool_size=5,
        poolclass=pool_that_tells("keys"),
        pool_pre_ping=True,
        connect_args=connect_args(),
    )
    escrow = escrow_of_settings()
    keys = KeyStore(
        engine,
        kms_of_settings(engine, escrow),
        derive("erasure ledger"),
        partial(demand_escrow, escrow),
    )
    return Vault(keys, ObjectStore(config.storage_url))
