"""The words of a report in one language, and how that language writes dates and numbers."""

from __future__ import annotations

import tomllib
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from core import formal
from core.words import fill

FOLDER = Path(__file__).parent / "words"
LANGUAGES = ("en", "de")


class Wording:
    """What a report says, by name.

    Args:
        language: A tag such as `de-AT`; English where one of the reports has no translation.
        *reports: Files in `words/`, without their language; what a later one says counts.

    Attributes:
        language: Of the words, such as `de`.
        spoken: The same with how they speak to somebody, such as `de-x-sie`.
    """

    def __init__(self, language: str, *reports: str) -> None:
        short = formal.written(language)
        whole = all((FOLDER / f"{one}.{short}.toml").exists() for one in ("shared", *reports))
        self.language = short if whole and short in LANGUAGES else "en"
        self.spoken = formal.spoken(self.language, formal=language == formal.SIE)
        self._words: dict[str, Any] = {}
        for one in ("shared", *reports):
            self._words |= formal.worded(self.spoken, _load(one, self.language))

    def __call__(self, name: str, /, **values: object) -> str:
        """Return a text by its dotted name, filled in.

        Raises:
            KeyError: there is none: a mistake of ours.
        """
        found = self.table(name)
        assert isinstance(found, str), f"{name} is not one text"
        return found.format(**values) if values else found

    def table(self, name: str) -> Any:
        """Return whatever stands under a dotted name."""
        found: Any = self._words
        for part in name.split("."):
            found = found[part]
        return found

    def label(self, table: str, code: str | None) -> str:
        """Return the words for a code; one that is newer than the words reads as its own name."""
        if code is None:
            return self("none")
        known: dict[str, str] = self.table(table)
        return known.get(code, code.replace("_", " ").replace(".", ": "))

    def said(self, text: str, /, **values: object) -> str:
        """Return what the pages say in English, in this language."""
        return fill(formal.catalogue(self.spoken).gettext(text), values)

    def moment(self, at: datetime | None) -> str:
        """Return a time, UTC."""
        return self("none") if at is None else format_datetime(at, self("moment"), locale=self.language)

    def day(self, at: datetime | None) -> str:
        """Return a day, UTC."""
        return self("none") if at is None else str(format_date(at, "medium", locale=self.language))

    def day_of(self, one: date | None) -> str:
        """Return a day that somebody stated."""
        return self("none") if one is None else str(format_date(one, "medium", locale=self.language))

    def number(self, value: float) -> str:
        """Return a number with at most four digits behind the point."""
        return str(format_decimal(round(value, 4), locale=self.language))

    def yes(self, is_so: bool) -> str:
        """Return yes or no."""
        return self("yes" if is_so else "no")

    def stated(self, value: str, missing: str = "not_stated") -> str:
        """Return what somebody has said of themselves, or the words for that they have not."""
        lines = value.split("\n")
        sentences = any(line.endswith((".", "!", "?")) for line in lines)
        return (" " if sentences else ", ").join(lines) if value.strip() else self(missing)


@cache
def _load(report: str, language: str) -> dict[str, Any]:
    return tomllib.loads((FOLDER / f"{report}.{language}.toml").read_text(encoding="utf-8"))
