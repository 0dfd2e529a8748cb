"""The facts of a monthly statement: how many, of what, and why. It counts and names nobody."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, model_validator

from compliance.certificate.facts import Controller, Operator
from compliance.certificate.parts import Clock, Count, Moment, Part, Slug, Tool, canonical_json, log_facts
from core.grounds import Ground

Month = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")]  # UTC


class Ended(Part):
    """Files of one kind that ended in the month for one reason."""

    category: Slug  # an `artifacts.kind`
    ground: Ground
    files: Count = Field(ge=1)
    people: Count = Field(ge=1)
    bytes: Count  # of sealed data
    read: Count  # files and keys that were looked for again for this statement
    left: Count  # of these, what was still there

    @property
    def ok(self) -> bool:
        """Whether everything was looked for again and nothing was there."""
        return self.read >= self.files and self.left == 0


class Withdrawn(Part):
    """Consents to one purpose that were taken back in the month."""

    purpose: Slug
    count: Count = Field(ge=1)


class StatementBody(Part):
    """The stated facts."""

    format: Literal["headshots.monthly-statement/1"] = "headshots.monthly-statement/1"
    certificate_id: UUID
    status: Literal["STATEMENT"] = "STATEMENT"
    month: Month
    organization: Controller
    operator: Operator
    issued_at: Moment
    # As the company promises now; whoever was promised less is kept for less.
    retention_days: Count  # of photos and working data, after approval
    headshot_days: Count  # of headshots, after their shoot has ended
    ended: tuple[Ended, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()
    erasures: Count  # people erased in the month; each has a certificate of its own
    clock: Clock = Clock.OWN
    performed_by: Tool

    @model_validator(mode="after")
    def _is_of_the_past(self) -> StatementBody:
        if f"{self.issued_at:%Y-%m}" <= self.month:
            raise ValueError("a month is stated when it is over")
        return self

    @property
    def failed(self) -> list[str]:
        """The lines of which something was left, or not all was looked for."""
        return [f"{one.category}/{one.ground.value}" for one in self.ended if not one.ok]

    @property
    def checked(self) -> str:
        """What was looked at, in words."""
        return f"{sum(one.files for one in self.ended)} file(s) of {self.month}, each looked for again"

    def canonical(self) -> bytes:
        """Return the facts as canonical JSON (RFC 8785)."""
        return canonical_json(self)

    def facts(self) -> dict[str, str]:
        """Return what the audit event of this statement must hold under `facts`."""
        return log_facts(self.certificate_id, self.canonical(), self.status)
