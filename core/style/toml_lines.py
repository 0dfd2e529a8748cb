"""Which line of a TOML text sets which field: Python's reader does not say."""

from __future__ import annotations

import re
from typing import Final

Place = tuple[str | int, ...]

_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
# Alternatives in this order: a text in three quotes would otherwise be taken for an empty one.
_TEXT: Final = re.compile(
    "|".join(
        (
            r'"""(?:\\.|[^\\])*?"""(?:"{0,2}(?!"))',
            r"'''.*?'''(?:'{0,2}(?!'))",
            r'"(?:\\.|[^"\\])*"',
            r"'[^']*'",
        )
    ),
    re.DOTALL,
)
_WORD: Final = re.compile(r"[^\s,\]}#]+(?: \d[^\s,\]}#]*)?")  # a date and its time may have a space between


def lines_of(text: str) -> dict[Place, int]:
    """Return the line, from 1, that begins each table, key and list entry.

    Args:
        text: TOML that `tomllib` has read without an error; anything else gives lines that mean nothing.
    """
    reader = _Reader(text.replace("\r\n", "\n"))
    reader.document()
    return reader.lines


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._counted, self._line = 0, 1
        self._tables: dict[Place, int] = {}  # entries so far in each list of tables
        self.lines: dict[Place, int] = {}

    def document(self) -> None:
        table: Place = ()
        while self._skip(_BLANK) < len(self._text):
            if self._text.startswith("[[", self._at):
                self._at += 2
                name = self._within(self._key())
                index = self._tables[name] = self._tables.get(name, -1) + 1
                self._note(name)
                table = (*name, index)
                self._note(table)
                self._at = self._text.index("]", self._at) + 2
            elif self._text[self._at] == "[":
                self._at += 1
                table = self._within(self._key())
                self._note(table)
                self._at = self._text.index("]", self._at) + 1
            else:
                self._pair(table)

    def _within(self, name: Place) -> Place:
        """Return a header's path, lists of tables on the way resolved to their newest entry."""
        path: Place = ()
        for count, part in enumerate(name, 1):
            path = (*path, part)
            if count < len(name) and path in self._tables:
                path = (*path, self._tables[path])
        return path

    def _skip(self, pattern: re.Pattern[str]) -> int:
        found = pattern.match(self._text, self._at)
        if found:
            self._at = found.end()
        return self._at

    def _note(self, place: Place) -> None:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        self.lines.setdefault(place, self._line)

    def _key(self) -> Place:
        parts: list[str] = []
        while True:
            self._skip(_SPACE)
            start = self._at
            if self._text[start] in "\"'":
                self._skip(_TEXT)
                parts.append(self._text[start + 1 : self._at - 1])
            else:
                self._skip(_BARE_KEY)
                parts.append(self._text[start : self._at])
            self._skip(_SPACE)
            if self._text[self._at] != ".":
                return tuple(parts)
            self._at += 1

    def _pair(self, table: Place) -> None:
        key = self._key()
        for count in range(1, len(key) + 1):
            self._note((*table, *key[:count]))
        self._at += 1  # the equals sign
        self._skip(_SPACE)
        self._value((*table, *key))

    def _value(self, place: Place) -> None:
        first = self._text[self._at]
        if first == "[":
            self._entries(place, "]")
        elif first == "{":
            self._entries(place, "}")
        elif first in "\"'":
            self._skip(_TEXT)
        else:
            self._skip(_WORD)

    def _entries(self, place: Place, end: str) -> None:
        self._at += 1
        index = 0
        while self._text[self._skip(_BLANK)] != end:
            if end == "]":
                self._note((*place, index))
                self._value((*place, index))
            else:
                self._pair(place)
            index += 1
            self._skip(_BLANK)
            if self._text[self._at] == ",":
                self._at += 1
        self._at += 1
