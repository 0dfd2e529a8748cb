"""Addresses alone, pasted from a mail or a chat: read as a list with a column of addresses and one of names."""

from __future__ import annotations

import csv
import io
import re
from typing import Final

# `Ada Lovelace <ada@example.com>`, `"Lovelace, Ada" <ada@example.com>` and a bare address.
_NAMED: Final = re.compile(r'"?(?P<name>[^"<>@]*?)"?\s*<\s*(?P<address>[^<>\s]+@[^<>\s]+?)\s*>')
# What stands between two: a semicolon or a line's end, and a comma where no name can hold it.
_BETWEEN: Final = re.compile(r"[;\r\n]+|(?<=>)\s*,|,\s*(?=[^\s,;<>\"]+@)")
_BARE: Final = re.compile(r"[^\s@,;:<>\"(){}\[\]]+@[^\s@,;:<>\"(){}\[\]]+\.[^\s@,;:<>\"(){}\[\]]+")
_WITHIN: Final = re.compile(r"[._\-+]+")
HEADER: Final = ("email", "full name")


def table(text: str) -> str | None:
    """Return addresses as CSV with a header, each with its name or with the one that it spells; `None` for anything else.

    A name that stands nowhere is guessed from the address where that has two words, as `ada.lovelace@` has.
    """
    found: list[tuple[str, str]] = []
    for item in map(str.strip, _BETWEEN.split(text)):
        if not item:
            continue
        if named := _NAMED.fullmatch(item):
            found.append((named["address"], named["name"].strip() or spelt(named["address"])))
        elif _BARE.fullmatch(item):
            found.append((item, spelt(item)))
        else:
            return None
    if not found:
        return None
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerows([HEADER, *found])
    return target.getvalue()


def spelt(address: str) -> str:
    """Return the name that an address spells, or its first part where it spells none.

    >>> spelt("ada.lovelace@example.com"), spelt("info@example.com")
    ('Ada Lovelace', 'Info')
    """
    words = [word for word in _WITHIN.split(address.partition("@")[0]) if word and not word.isdigit()]
    return " ".join(word[:1].upper() + word[1:] for word in words)
