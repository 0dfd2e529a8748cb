"""The facts of a deletion certificate, second edition.

It names nobody: people are keyed hashes, places are opaque names, and everything else comes from closed sets or
patterns that cannot hold a sentence; only the company and the operator are named. Its order of making: every place is
read again (`compliance.certificate.readback`) → `CertificateBody` → its `facts()` go into the audit event → the event is
in the log → `compliance.certificate.evidence.Certificate` → `compliance.certificate.document`.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from compliance.certificate.parts import (
    Clock,
    Count,
    EpochTurn,
    Moment,
    Opaque,
    Part,
    Sha256,
    Slug,
    Status,
    Tool,
    canonical_json,
    log_facts,
)
from core.regimes import Regime


class Where(StrEnum):
    """Which part of the platform a line is about."""

    OBJECTS = "objects"  # the storage of sealed files
    KEYS = "key_store"
    DATABASE = "database"


class Method(StrEnum):
    """What was done to the data."""

    DELETE = "delete"
    CRYPTO_ERASE = "crypto_erase"
    OVERWRITE = "overwrite"


class Check(StrEnum):
    """How it was verified."""

    NOT_FOUND = "not_found"  # the storage, asked for each file again, has none of these names
    KEY_ABSENT = "key_absent"  # the key store, asked for each key again, has none of them
    EMPTIED = "emptied"  # each column was read again in every row about the person, and nothing stands there


class Basis(StrEnum):
    """Why something may be kept; which law says so is the case's."""

    ACCOUNTABILITY = "accountability"  # that, when and how it was done can be shown
    CONSENT_PROOF = "consent_proof"  # that somebody agreed, or took it back, can be shown
    RESTORE = "restore"  # so that no restored backup undoes the erasure
    RECALL = "recall"  # so that copies which were handed out can be found and deleted


class Assumption(StrEnum):
    """What the certificate rests on and the platform cannot see."""

    KEYRING = "keyring"  # no backup holds the epoch keys, nor a sealed second copy of them
    BACKUPS = "backups"  # backups of the database are deleted after as many days as the operator says
    COPIES = "copies"  # what was downloaded before is out of the platform's reach


class Keeper(StrEnum):
    """What keeps the epoch keys."""

    FOLDER = "folder"  # files of the operator's
    AWS_KMS = "aws_kms"  # a key service, which keeps an old key for some days before it deletes it


class PartStatus(StrEnum):
    """How far one part of the erasure has come."""

    NONE_HELD = "NONE_HELD"  # there never was anything of it
    PENDING = "PENDING"  # gone from the live systems; a backup could still be read
    COMPLETE = "COMPLETE"  # no backup can be read either


class Controller(Part):
    """The company that is responsible for the data."""

    id: UUID
    name: str = Field(min_length=1, max_length=200)  # as its people know it
    legal_name: str | None = Field(None, min_length=1, max_length=200)  # None: it has not said
    address: str | None = Field(None, min_length=1, max_length=400)


class Operator(Part):
    """Who runs the platform for the company, and erased on its behalf."""

    name: str = Field(min_length=1)
    address: str | None = Field(None, min_length=1, max_length=400)


class Verification(Part):
    """How one line was checked: its places were read again. Whether that is good follows from the numbers alone.

    Made by `compliance.certificate.readback.ReadBack` and by reading a certificate, and nowhere else.
    """

    check: Check
    at: Moment
    read: Count  # places that were looked at
    left: Count  # of these, in which something still stood

    @property
    def ok(self) -> bool:
        """Whether somebody looked and nothing was left."""
        return self.read > 0 and self.left == 0


class Line(Part):
    """One category of data in one part of the platform, and what was destroyed there."""

    where: Where
    category: Slug  # an `artifacts.kind`, a table, or a kind of key
    count: Count  # things: a photo counts once, whatever files it was stored in
    bytes: Count = 0  # of sealed data; 0 where there is no file
    places: tuple[Opaque, ...] = Field(min_length=1)  # keyed hashes of files and keys, or columns
    method: Method
    key_id: Opaque | None = None  # of the key that sealed it
    epoch: Count | None = None  # whose key wrapped that key
    verification: Verification
    backup_readable_until: Moment | None = (
        None  # None: only as long as the epoch key (where `epoch` is given)
    )

    @property
    def ok(self) -> bool:
        """Whether every place of the line was looked at and nothing was left in any."""
        return self.verification.ok and self.verification.read == len(self.places)


class Standing(Part):
    """How far pictures, or the directory, have come: each by itself."""

    status: PartStatus
    count: Count  # pictures that were ever held, or entries in the directory
    unreadable_since: Moment | None = None  # in the live systems
    backups_until: Moment | None = None  # when backups stop, or stopped, being readable

    @model_validator(mode="after")
    def _says_when(self) -> Standing:
        held = self.status is not PartStatus.NONE_HELD
        if held is not (self.count > 0 and self.unreadable_since is not None):
            raise ValueError("what was held has a number and a time, and what was not has none")
        if held and self.backups_until is None:
            raise ValueError("what was held stands in backups until some time")
        return self


class Retained(Part):
    """Something that is kept."""

    what: Slug  # a table, or a list of the key store
    where: Where
    count: Count
    basis: Basis
    until: Moment | None = None  # None: no end is set
    identifies_person: bool = False  # only names of files that a company is asked to delete do, sealed


class Recipient(Part):
    """A copy that left the platform before the erasure."""

    what: Literal["headshot", "alternative"]
    at: Moment


class Recall(Part):
    """That the company was asked to delete its copies, and what it said."""

    asked_at: Moment
    files: Count
    until: Moment  # when it ends without an answer
    confirmed_at: Moment | None = None


class Attestation(Part):
    """Who of the operator's attested that no backup holds the epoch keys."""

    by: str = Field(min_length=1, max_length=200)
    role: str | None = Field(None, min_length=1, max_length=200)  # None: not said
    at: Moment
    sentence_sha256: Sha256  # of the sentence, which the operator can show
    same_place: bool  # whether the keys lie where they lay then


class Keyring(Part):
    """Who held the key of the erasure's epoch, which no backup may hold."""

    kept: Keeper
    attested: Attestation | None = None  # None: nobody ever has
    held_until: Moment | None = (
        None  # of the erasure's epoch: when a key service was, or is, to delete its key
    )


def _is_none(value: object) -> bool:
    return value is None


class CertificateBody(Part):
    """The certified facts; field names follow NIST SP 800-88 Rev. 1 §4.8 where logical storage has them."""

    format: Literal["headshots.deletion-certificate/2"] = "headshots.deletion-certificate/2"
    certificate_id: UUID
    request_id: UUID
    replaces: UUID | None = None  # the pending certificate that this one completes
    status: Status
    organization: Controller
    operator: Operator
    regime: Regime
    subject: Sha256  # keyed hash; its key died with the person's data
    reason: Slug
    requested_at: Moment
    executed_at: Moment
    issued_at: Moment
    pictures: Standing
    directory: Standing
    locations: tuple[Line, ...] = Field(min_length=1)
    epoch: EpochTurn
    retained: tuple[Retained, ...] = ()
    recipients: tuple[Recipient, ...] = ()
    recall: Recall | None = None
    clock: Clock = Clock.OWN
    assumptions: tuple[Assumption, ...] = (Assumption.KEYRING, Assumption.BACKUPS, Assumption.COPIES)
    # None: from before it was said. It stays out of the JSON then, or such a certificate would not hash to what its log has.
    keyring: Keyring | None = Field(None, exclude_if=_is_none)
    performed_by: Tool

    @model_validator(mode="after")
    def _is_true(self) -> CertificateBody:
        turned = self.epoch.destroyed_at is not None
        if self.status is Status.COMPLETE and not turned:
            raise ValueError("COMPLETE needs the epoch key to be destroyed")
        if self.status is Status.PENDING and turned:
            raise ValueError("PENDING ends when the epoch key is destroyed")
        if not self.requested_at <= self.executed_at <= self.issued_at:
            raise ValueError("requested, executed and issued must follow each other in time")
        if self.epoch.destroyed_at is not None and self.epoch.destroyed_at > self.issued_at:
            raise ValueError("an epoch key that is destroyed was destroyed before the certificate")
        if any(one.verification.at < self.executed_at for one in self.locations):
            raise ValueError("every line was read again after the erasure")
        if self.pictures.status.value not in {PartStatus.NONE_HELD.value, self.status.value}:
            raise ValueError("pictures are as far as the certificate says")
        attested = self.keyring.attested if self.keyring is not None else None
        if attested is not None and attested.at > self.issued_at:
            raise ValueError("what is attested was attested before the certificate")
        if self.recipients and self.recall is None:
            raise ValueError("whoever had copies was asked to delete them")
        return self

    @property
    def failed(self) -> list[str]:
        """The lines of which something was left, or not all was looked at."""
        return [f"{one.where.value}/{one.category}" for one in self.locations if not one.ok]

    @property
    def checked(self) -> str:
        """What was looked at, in words."""
        places = sum(one.verification.read for one in self.locations)
        return f"{len(self.locations)} line(s), each of {places} place(s) read again and found empty"

    @property
    def sealed_until(self) -> datetime:
        """When backups of everything sealed with the person's keys stop (or stopped) being readable."""
        return self.epoch.destroyed_at or self.epoch.due_at

    @property
    def others_until(self) -> datetime | None:
        """When the last backup of what those keys did not seal expires; None where there is no such thing."""
        return latest(one.backup_readable_until for one in self.locations)

    def canonical(self) -> bytes:
        """Return the facts as canonical JSON (RFC 8785)."""
        return canonical_json(self)

    def facts(self) -> dict[str, str]:
        """Return what the audit event of this certificate must hold under `facts`."""
        return log_facts(self.certificate_id, self.canonical(), self.status.value)


def latest(moments: Iterable[datetime | None]) -> datetime | None:
    """Return the last of some moments; None where there is none."""
    return max(filter(None, moments), default=None)
