"""Texts that are written where they arise and translated where they are shown."""

from __future__ import annotations

import re
from collections.abc import Mapping

_BLANK = re.compile(r"%\((\w+)\)s")


def N_(text: str) -> str:  # noqa: N802 - gettext's customary name, which its extractor looks for
    """Mark `text` for the catalogue; whoever shows it looks it up."""
    return text


def fill(text: str, values: Mapping[str, object]) -> str:
    """Return `text` with each `%(name)s` that `values` knows filled in.

    Not Python's `%`: a text that quotes somebody's input may hold a per cent sign of its own, and an error
    message must never fail.
    """
    return _BLANK.sub(lambda blank: str(values.get(blank[1], blank[0])), text)
