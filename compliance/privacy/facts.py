"""What a company says of how it answers for its people's data: functions, places and sentences, and nobody's name is needed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Annotated, Any, Final

import rfc8785
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from core.brand.brands import LONGEST_ADDRESS, LONGEST_LEGAL_NAME
from core.clock import now
from core.errors import InvalidInput
from core.mail.message import can_be_addressed
from core.words import N_

MOST_ROWS: Final = (
    40  # a company's list of subprocessors; a form of more fields than a browser sends is refused
)
# What counsel works with, and the public page does not show.
INSIDE: Final = ("impact_advice", "impact_people", "impact_authority", "impact_decision", "impact_review")
_ADDRESS: Final = re.compile(r"[^\s@<>:]+@[^\s@<>:]+\.[^\s@<>:]+")


class PrivacyUnusable(InvalidInput):
    """Something that was said cannot be used."""

    code = "privacy_unusable"


def _line(value: object) -> object:
    return " ".join(value.split()) if isinstance(value, str) else value


def _lines(value: object) -> object:
    if not isinstance(value, str):
        return value
    return "\n".join(line for line in (" ".join(one.split()) for one in value.splitlines()) if line)


def _nothing(value: object) -> object:
    return None if value == "" else value


Line = Annotated[str, Field(max_length=LONGEST_LEGAL_NAME), BeforeValidator(_line)]
Lines = Annotated[str, Field(max_length=LONGEST_ADDRESS), BeforeValidator(_lines)]
Text = Annotated[str, Field(max_length=2000), BeforeValidator(_lines)]
Day = Annotated[date | None, BeforeValidator(_nothing)]
Days = Annotated[Annotated[int, Field(ge=0, le=365)] | None, BeforeValidator(_nothing)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Subprocessor(_Part):
    """Somebody who handles data for whoever runs the platform (Art. 28(2) and (4) GDPR).

    Attributes:
        objections: what the company or its people objected to, and what came of it.
    """

    name: Annotated[Line, Field(min_length=1)]
    service: Line = ""
    country: Line = ""
    safeguard: Line = ""  # Art. 46 GDPR, where it is a third country
    added: Day = None
    notified: Day = None  # when the company was told of it
    objections: Lines = ""


class Transfer(_Part):
    """Data that goes to another country (Art. 30(1)(e) GDPR)."""

    recipient: Annotated[Line, Field(min_length=1)]
    country: Line = ""
    safeguard: Line = ""


class PrivacyFacts(_Part):
    """All of it; what is empty nobody has stated."""

    legal_name: Line = ""
    postal_address: Lines = ""
    contact_email: Annotated[Line, Field(max_length=254)] = ""
    dpo: Lines = ""
    representative: Lines = ""
    joint: Lines = ""
    authority: Lines = ""
    basis_organise: Lines = ""
    basis_evidence: Lines = ""
    measures: Text = ""
    training: Lines = ""
    regions: Lines = ""
    no_transfers: bool = False
    transfers: Annotated[tuple[Transfer, ...], Field(max_length=MOST_ROWS)] = ()
    notice_days: Days = None
    objection: Lines = ""
    subprocessors: Annotated[tuple[Subprocessor, ...], Field(max_length=MOST_ROWS)] = ()
    incident_contact: Lines = ""
    sentence_en: Text = ""
    sentence_de: Text = ""
    impact_advice: Text = ""
    impact_people: Text = ""
    impact_authority: Text = ""
    impact_decision: Text = ""
    impact_review: Day = None

    @model_validator(mode="after")
    def _one_answer(self) -> PrivacyFacts:
        if self.no_transfers and self.transfers:
            raise ValueError("transfers")
        return self

    def canonical(self) -> bytes:
        """Return it as canonical JSON (RFC 8785)."""
        return rfc8785.dumps(self.model_dump(mode="json"))

    @property
    def sha256(self) -> str:
        """The hash over all of it."""
        return sha256(self.canonical()).hexdigest()

    def unlike(self, other: PrivacyFacts) -> list[str]:
        """Return which of its facts the other states differently, by name."""
        return [name for name in type(self).model_fields if getattr(self, name) != getattr(other, name)]

    @property
    def missing(self) -> list[str]:
        """Which facts reports need and nobody has stated, by name."""
        said = self.no_transfers or self.transfers
        needless = {"no_transfers", "sentence_en", "sentence_de", *(("transfers",) if said else ())}
        return [
            name
            for name in type(self).model_fields
            if name not in needless and getattr(self, name) in ("", None, ())
        ]

    def sentence(self, language: str) -> str:
        """Return the company's own words in a language; its English ones where it has none in that."""
        own: str = getattr(self, f"sentence_{language}", "")
        return own or self.sentence_en


def checked(values: Mapping[str, Any], *, before: PrivacyFacts) -> PrivacyFacts:
    """Return what somebody stated, spaces tidied.

    Args:
        values: by name.
        before: what is stated now; a day of a review that has come since stays until somebody gives another.

    Raises:
        PrivacyUnusable: a text is too long, a day is none, an address is none, or two answers exclude each other;
            `field` names which.
    """
    try:
        facts = PrivacyFacts.model_validate(dict(values))
    except ValidationError as error:
        raise _problem(error) from error
    given = facts.contact_email
    if given and not (_ADDRESS.fullmatch(given) and can_be_addressed(given)):
        raise PrivacyUnusable(
            N_("The privacy contact is not a complete mail address. Nothing was changed."),
            field="contact_email",
        )
    review = facts.impact_review
    if review is not None and review != before.impact_review and review < now().date():
        raise PrivacyUnusable(
            N_("The next review cannot be on a day that is over. Nothing was changed."), field="impact_review"
        )
    return facts


def _problem(error: ValidationError) -> PrivacyUnusable:
    first = error.errors()[0]
    field = str(first["loc"][0]) if first["loc"] else "no_transfers"
    if not first["loc"]:
        return PrivacyUnusable(
            N_(
                "You say that nothing goes to third countries, and name transfers: one of the two. Nothing was changed."
            ),
            field=field,
        )
    if first["type"] == "string_too_long":
        return PrivacyUnusable(
            N_("This text is too long: at most %(most)s letters. Nothing was changed."),
            field=field,
            most=int(first["ctx"]["max_length"]),
        )
    if first["type"] in ("string_too_short", "too_short"):
        return PrivacyUnusable(
            N_("A row has no name. Give it one, or remove the row. Nothing was changed."), field=field
        )
    if first["type"] == "too_long":
        return PrivacyUnusable(
            N_("There is room for %(most)s rows. Nothing was changed."), field=field, most=MOST_ROWS
        )
    if field == "notice_days":
        return PrivacyUnusable(
            N_("Give days of notice as a whole number from 0 to 365. Nothing was changed."), field=field
        )
    return PrivacyUnusable(
        N_("Please give a day as year-month-day, such as 2026-11-30. Nothing was changed."), field=field
    )
