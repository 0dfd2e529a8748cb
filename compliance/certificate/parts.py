"""What every edition of our signed documents is made of: values that cannot hold a sentence about anybody."""

from __future__ import annotations

from datetime import UTC
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any

import rfc8785
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

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
    """Something that should be gone was still there, or nobody looked, so nothing may be certified."""

    code = "verification_failed"
    status = 409


class Status(StrEnum):
    """How far the erasure has come."""

    PENDING = "PENDING"  # live systems are done; a backup copy could still be opened
    COMPLETE = "COMPLETE"  # no copy anywhere of what the person's keys sealed can be opened


class Clock(StrEnum):
    """Whose time a signature carries."""

    OWN = "own"  # the platform's
    AUTHORITY = "authority"  # an RFC 3161 authority's, in the signature


class Part(BaseModel):
    """A part of a signed document."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Tool(Part):
    """The software that did it."""

    name: Opaque
    version: Opaque


class EpochTurn(Part):
    """The turn of the epoch key that makes older copies of the key store unreadable."""

    number: Count
    due_at: Moment  # when it is destroyed at the latest
    destroyed_at: Moment | None = None


def canonical_json(model: BaseModel) -> bytes:
    """Return `model` as canonical JSON (RFC 8785)."""
    values: dict[str, Any] = model.model_dump(mode="json")
    return rfc8785.dumps(values)


def log_facts(number: object, content: bytes, status: str) -> dict[str, str]:
    """Return what the audit event of a signed document must hold under `facts`.

    It ties the log's leaf to every word that is signed; `compliance.verify` checks it.

    Args:
        number: The document's.
        content: Its facts as canonical JSON.
        status: What it says of itself.
    """
    return {
        "certificate_id": str(number),
        "certificate_sha256": sha256(content).hexdigest(),
        "certificate_status": status,
    }
