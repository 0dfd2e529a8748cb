"""What every part of a style shares: it is frozen, has no fields of others' making, and says what is wrong with it."""

from __future__ import annotations

import re
from typing import Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from core.words import N_, fill

HEX_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


RULE: Final = "style_rule"  # pydantic's type of an error that `refusal` made


def refusal(template: str, **values: object) -> PydanticCustomError:
    """Return what a validator raises; template and values go along, so that a page can translate it."""
    # Pydantic would take braces for blanks of its own.
    said = fill(template, values).replace("{", "(").replace("}", ")")
    return PydanticCustomError(RULE, said, {"template": template, "values": values})


def check_color(value: str) -> str:
    """Return a colour as it is kept; for a validator."""
    if not HEX_COLOR.fullmatch(value):
        raise refusal(N_("must be a colour such as #2F4B6E"))
    return value.lower()


class Part(BaseModel):
    """A table of a style."""

    model_config = ConfigDict(frozen=True, extra="forbid")
