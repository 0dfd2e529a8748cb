"""What is written down of a breach: what Art. 33(3) and (5) GDPR ask for."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, Any, Final

import rfc8785
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.errors import InvalidInput
from core.words import N_

MOST: Final = 4000  # letters of a text
MOST_COUNTED: Final = 100_000_000


class BreachUnusable(InvalidInput):
    """Something that was written down cannot be used."""

    code = "breach_unusable"


def _lines(value: object) -> object:
    return "\n".join(line.strip() for line in value.strip().splitlines()) if isinstance(value, str) else value


def _nothing(value: object) -> object:
    return None if value == "" else value


Text = Annotated[str, Field(max_length=MOST), BeforeValidator(_lines)]
Counted = Annotated[Annotated[int, Field(ge=0, le=MOST_COUNTED)] | None, BeforeValidator(_nothing)]


class BreachFacts(BaseModel):
    """All of it; what is empty is not known yet.

    Attributes:
        nature: what happened, when and how.
        people: about how many; `None`: not known.
        records: about how many records.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    nature: Annotated[Text, Field(min_length=1)]
    of_whom: Text = ""
    people: Counted = None
    of_what: Text = ""
    records: Counted = None
    consequences: Text = ""
    measures: Text = ""
    contact: Text = ""
    authority_reason: Text = ""
    people_reason: Text = ""
    delay_reason: Text = ""

    @property
    def sha256(self) -> str:
        """The hash over all of it, as its events in the log have it."""
        return sha256(rfc8785.dumps(self.model_dump(mode="json"))).hexdigest()


def checked(values: Mapping[str, Any]) -> BreachFacts:
    """Return what somebody wrote down.

    Raises:
        BreachUnusable: what happened is missing, a text is too long, a number is none, or somebody's address stands in
            a text; `field` names which.
    """
    try:
        facts = BreachFacts.model_validate(dict(values))
    except ValidationError as error:
        raise _problem(error) from error
    for name, value in facts.model_dump(exclude={"contact", "people", "records"}).items():
        if "@" in value:
            raise BreachUnusable(
                N_(
                    "Leave mail addresses of people out: the register is kept for good and shown to others. Nothing was changed."
                ),
                field=name,
            )
    return facts


def _problem(error: ValidationError) -> BreachUnusable:
    first = error.errors()[0]
    field = str(first["loc"][0])
    if field in ("people", "records"):
        return BreachUnusable(
            N_("Give about how many as a whole number, or leave it empty. Nothing was changed."), field=field
        )
    if first["type"] == "string_too_long":
        return BreachUnusable(
            N_("This text is too long: at most %(most)s letters. Nothing was changed."),
            field=field,
            most=MOST,
        )
    return BreachUnusable(N_("Say what happened, as far as it is known. Nothing was changed."), field=field)
