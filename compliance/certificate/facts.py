"""Deletion certificates: the facts, the page that people read, and the signed PDF that carries both.

A certificate names nobody: people are keyed hashes, places are opaque names, and everything else comes
from closed sets or patterns that cannot hold a sentence. Its order of making: `CertificateBody` → its
`facts()` go into the audit event → the event is in the log → `Certificate(body, log)` →
`compliance.certificate.document`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any, Literal
from uuid import UUID

import rfc8785
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from compliance.log.merkle import leaf_hash
from compliance.log.proof import Proof
from core.errors import AppError

EVIDENCE_NAME = "evidence.json"
MAX_INTEGER = 2**53 - 1  # the largest integer that RFC 8785 writes exactly

Moment = Annotated[
    AwareDatetime, AfterValidator(lambda moment: moment.astimezone(UTC).replace(microsecond=0))
]  # UTC, whole seconds
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Opaque = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9:._/*-]{0,119}$")]  # no space, no @: no person
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class VerificationFailed(AppError):
    """Something that should be gone was still there, so nothing may be certified."""

    code = "verification_failed"
    status = 409


class Status(StrEnum):
    """How far the erasure has come."""

    PENDING = "PENDING"  # live systems are done; a backup copy could still be opened
    COMPLETE = "COMPLETE"  # no copy anywhere can be opened


class Method(StrEnum):
    """What was done to the data."""

    DELETE = "delete"
    CRYPTO_ERASE = "crypto_erase"


class Check(StrEnum):
    """How it was verified."""

    NOT_FOUND = "not_found"  # reading it again answered "not found"
    KEY_ABSENT = "key_absent"  # the key is not in the key store, and decryption fails without it
    ROW_ABSENT = "row_absent"  # the database row is not there any more


class RetainedWhat(StrEnum):
    """What is kept after an erasure."""

    ERASURE_LEDGER = "erasure_ledger"
    AUDIT_LOG = "audit_log"
    CONSENT_RECORD = "consent_record"


class RetainedBasis(StrEnum):
    """Why it may be kept."""

    ACCOUNTABILITY = "accountability"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class OrganizationRef(_Part):
    """The company that is responsible for the data."""

    id: UUID
    name: str = Field(min_length=1, max_length=200)


class Tool(_Part):
    """The software that did it."""

    name: Opaque
    version: Opaque


class Verification(_Part):
    """How one location was checked after the erasure."""

    method: Check
    at: Moment
    ok: bool


class Location(_Part):
    """One place and what was destroyed there."""

    locator: Opaque  # e.g. "objects/<random name>" or "key-store"
    category: Slug  # an `artifacts.kind`, "key", or a record type
    count: Count  # items
    bytes: Count  # of sealed data; 0 where there is no file
    method: Method
    key_id: Opaque | None = None  # of the key that sealed it
    epoch: Count | None = None  # epoch whose key wrapped that key
    tool: Tool
    verification: Verification
    backup_readable_until: Moment | None = (
        None  # None: only as long as the epoch key (where `epoch` is given)
    )


class EpochTurn(_Part):
    """The turn of the epoch key that makes older copies of the key store unreadable."""

    number: Count
    due_at: Moment  # when it is destroyed at the latest
    destroyed_at: Moment | None = None


class Retained(_Part):
    """Something that is kept."""

    what: RetainedWhat
    basis: RetainedBasis
    until: Moment | None = None  # None: as long as the log exists
    identifies_person: Literal[False] = False  # nothing that is kept tells anybody about the person


class CertificateBody(_Part):
    """The certified facts; field names follow NIST SP 800-88 Rev. 1 §4.8 where logical storage has them."""

    format: Literal["headshots.deletion-certificate/1"] = "headshots.deletion-certificate/1"
    certificate_id: UUID
    replaces: UUID | None = None  # the pending certificate that this one completes
    status: Status
    organization: OrganizationRef
    subject: Sha256  # keyed hash; its key died with the person's data
    reason: Slug
    requested_at: Moment
    executed_at: Moment
    issued_at: Moment
    locations: tuple[Location, ...] = Field(min_length=1)
    epoch: EpochTurn
    retained: tuple[Retained, ...] = ()
    performed_by: Tool

    @model_validator(mode="after")
    def _status_is_true(self) -> CertificateBody:
        turned = self.epoch.destroyed_at is not None
        if self.status is Status.COMPLETE and not turned:
            raise ValueError("COMPLETE needs the epoch key to be destroyed")
        if self.status is Status.PENDING and turned:
            raise ValueError("PENDING ends when the epoch key is destroyed")
        if not self.requested_at <= self.executed_at <= self.issued_at:
            raise ValueError("requested, executed and issued must follow each other in time")
        if self.epoch.destroyed_at is not None and self.epoch.destroyed_at > self.issued_at:
            raise ValueError("an epoch key that is destroyed was destroyed before the certificate")
        return self

    @property
    def sealed_until(self) -> datetime:
        """When backups of everything sealed with the person's key stop (or stopped) being readable."""
        return self.epoch.destroyed_at or self.epoch.due_at

    @property
    def others_until(self) -> datetime | None:
        """When the last backup of what that key did not seal expires; None where there is no such thing."""
        return max(filter(None, (one.backup_readable_until for one in self.locations)), default=None)

    def canonical(self) -> bytes:
        """Return the facts as canonical JSON (RFC 8785)."""
        return canonical_json(self)

    def facts(self) -> dict[str, str]:
        """Return what the audit event of this certificate must hold under `facts`.

        It ties the log's leaf to every word certified; `compliance.verify` checks it.
        """
        return {
            "certificate_id": str(self.certificate_id),
            "certificate_sha256": sha256(self.canonical()).hexdigest(),
            "certificate_status": self.status.value,
        }


class LogEvidence(_Part):
    """Where the certificate's audit event stands in the organization's log."""

    event: str  # the leaf: canonical JSON of the event
    leaf_hash: Sha256
    proof: str  # c2sp.org/tlog-proof@v1 with the event as `extra` and the signed checkpoint at its end

    @classmethod
    def of(cls, proof: Proof) -> LogEvidence:
        """Return the evidence that `proof` gives for its entry."""
        return cls(event=proof.entry.decode(), leaf_hash=leaf_hash(proof.entry).hex(), proof=proof.encode())


class Certificate(_Part):
    """The whole document: what `evidence.json` inside the PDF holds."""

    certificate: CertificateBody
    log: LogEvidence

    def canonical(self) -> bytes:
        """Return the document as canonical JSON (RFC 8785)."""
        return canonical_json(self)


def canonical_json(model: BaseModel) -> bytes:
    """Return `model` as canonical JSON (RFC 8785)."""
    values: dict[str, Any] = model.model_dump(mode="json")
    return rfc8785.dumps(values)
