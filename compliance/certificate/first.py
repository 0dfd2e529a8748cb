"""The first edition of the deletion certificate, as it was handed out until the second: for reading only.

It is never made any more. What it says goes on to be verified as it was.
"""

from __future__ import annotations

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


class FirstOrganization(Part):
    """The company that is responsible for the data."""

    id: UUID
    name: str = Field(min_length=1, max_length=200)


class FirstVerification(Part):
    """How one location was checked after the erasure."""

    method: Literal["not_found", "key_absent", "row_absent"]
    at: Moment
    ok: bool


class FirstLocation(Part):
    """One place and what was destroyed there."""

    locator: Opaque
    category: Slug
    count: Count
    bytes: Count
    method: Literal["delete", "crypto_erase"]
    key_id: Opaque | None = None
    epoch: Count | None = None
    tool: Tool
    verification: FirstVerification
    backup_readable_until: Moment | None = None


class FirstRetained(Part):
    """Something that is kept."""

    what: Literal["erasure_ledger", "audit_log", "consent_record"]
    basis: Literal["accountability"]
    until: Moment | None = None
    identifies_person: Literal[False] = False


class FirstBody(Part):
    """The certified facts."""

    format: Literal["headshots.deletion-certificate/1"]
    certificate_id: UUID
    replaces: UUID | None = None
    status: Status
    organization: FirstOrganization
    subject: Sha256
    reason: Slug
    requested_at: Moment
    executed_at: Moment
    issued_at: Moment
    locations: tuple[FirstLocation, ...] = Field(min_length=1)
    epoch: EpochTurn
    retained: tuple[FirstRetained, ...] = ()
    performed_by: Tool

    @model_validator(mode="after")
    def _status_is_true(self) -> FirstBody:
        turned = self.epoch.destroyed_at is not None
        if (self.status is Status.COMPLETE) is not turned:
            raise ValueError("COMPLETE and a destroyed epoch key belong together")
        if not self.requested_at <= self.executed_at <= self.issued_at:
            raise ValueError("requested, executed and issued must follow each other in time")
        if self.epoch.destroyed_at is not None and self.epoch.destroyed_at > self.issued_at:
            raise ValueError("an epoch key that is destroyed was destroyed before the certificate")
        return self

    @property
    def clock(self) -> Clock:
        """Whose time the signature carries: none of this edition has an authority's."""
        return Clock.OWN

    @property
    def failed(self) -> list[str]:
        """The locations of which something was left."""
        return [one.locator for one in self.locations if not one.verification.ok]

    @property
    def checked(self) -> str:
        """What was looked at, in words."""
        return f"{len(self.locations)} location(s), each checked when deleted"

    def canonical(self) -> bytes:
        """Return the facts as canonical JSON (RFC 8785)."""
        return canonical_json(self)

    def facts(self) -> dict[str, str]:
        """Return what the audit event of this certificate holds under `facts`."""
        return log_facts(self.certificate_id, self.canonical(), self.status.value)
