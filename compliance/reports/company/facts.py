"""The facts of a signed report about a company's handling of data."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated, Literal
from uuid import UUID

import rfc8785
from pydantic import Field, TypeAdapter

from compliance.certificate.facts import Controller, Operator
from compliance.certificate.parts import Clock, Count, Moment, Part, Slug, Tool, canonical_json, log_facts
from compliance.reports.document import Section

_SECTIONS: TypeAdapter[tuple[Section, ...]] = TypeAdapter(tuple[Section, ...])


class ReportBody(Part):
    """The stated facts."""

    format: Literal["headshots.company-report/1"] = "headshots.company-report/1"
    certificate_id: UUID
    status: Literal["REPORT"] = "REPORT"
    report: Slug  # a `Report`
    version: Count = Field(ge=1)  # of this report in this language; another one says something else
    language: Annotated[str, Field(pattern=r"^[a-z]{2}$")]
    organization: Controller
    operator: Operator
    issued_at: Moment
    sections: tuple[Section, ...]
    clock: Clock = Clock.OWN
    performed_by: Tool

    @property
    def failed(self) -> list[str]:
        """Nothing is deleted by a report, so nothing can have failed."""
        return []

    @property
    def checked(self) -> str:
        """What it says, in words."""
        return f"no deletion claimed: {self.report}, version {self.version}, {len(self.sections)} section(s)"

    def canonical(self) -> bytes:
        """Return the facts as canonical JSON (RFC 8785)."""
        return canonical_json(self)

    def facts(self) -> dict[str, str]:
        """Return what the audit event of this report must hold under `facts`."""
        return log_facts(self.certificate_id, self.canonical(), self.status)


def hash_of(sections: tuple[Section, ...]) -> str:
    """Return the hash over what is said, without date and number: the same input says the same."""
    return sha256(rfc8785.dumps(_SECTIONS.dump_python(sections, mode="json"))).hexdigest()
