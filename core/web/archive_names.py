"""Names inside an archive: safe on every file system, short enough for all, never twice."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field

from core.composed import composed
from core.portraits.file_names import FORBIDDEN

# eCryptfs takes 143 bytes and everything else 255; unpacking tools put a few of their own in front of ours.
LONGEST = 200  # bytes of UTF-8, folders included
LONGEST_ENDING = 10  # bytes; a longer one is no ending
FALLBACK = "file"
# Windows device names are no file names, with or without an ending (Microsoft, "Naming Files, Paths, and Namespaces").
RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])\s*(?:\..*)?", re.IGNORECASE)
JOINERS = "\u200c\u200d"  # Persian, Indic scripts and emoji are spelt with them
# Controls, invisible marks (some turn the direction of writing, so that an ending hides), halves of characters, and
# what Unicode has not assigned, which APFS refuses.
DROPPED = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


def safe(part: str) -> str:
    """Return one part of a path without what some file system refuses; never empty."""
    kept = "".join(
        letter for letter in part if letter in JOINERS or unicodedata.category(letter) not in DROPPED
    )
    # A dot in front hides a file or climbs a folder; Windows drops dots and spaces at the end.
    kept = FORBIDDEN.sub("", composed(kept)).strip(" .")
    if RESERVED.fullmatch(kept):
        kept = f"_{kept}"
    return kept or FALLBACK


@dataclass
class Names:
    """Gives each file of one archive a path of its own."""

    _numbers: dict[str, int] = field(default_factory=dict)  # next number for a path, by its key

    def next(self, path: str) -> str:
        """Return `path`, made safe, cut to `LONGEST` bytes, and numbered from 2 where an earlier one equals it.

        A cut never splits a character from its accents, and leaves the ending.
        """
        *folders, name = [safe(part) for part in path.split("/")]
        stem, dot, ending = name.rpartition(".")
        if not dot or len(ending.encode()) > LONGEST_ENDING:
            stem, ending = name, ""
        start, end = "".join(f"{folder}/" for folder in folders), f".{ending}" if ending else ""
        while len(start.encode()) > LONGEST // 2:  # folders are ours, and short; none may crowd out the name
            start = "".join(f"{folder}/" for folder in start.split("/")[:-2])
        room = LONGEST - len((start + end).encode())
        first = candidate = start + _cut(stem, room) + end
        number = self._numbers.get(_key(first), 1)
        while _key(candidate) in self._numbers:
            number += 1
            mark = f"_{number}"
            candidate = start + _cut(stem, room - len(mark)) + mark + end
        self._numbers[_key(first)] = number
        self._numbers.setdefault(_key(candidate), 1)
        return candidate


def _key(path: str) -> str:
    """Return what is equal for paths that macOS or Windows take for one file, or a person for one name."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", path).casefold())
    return "".join(letter for letter in plain if letter not in JOINERS)


def _cut(text: str, room: int) -> str:
    """Return the start of `text` that takes at most `room` bytes and ends where a written character ends."""
    encoded = text.encode()
    if len(encoded) <= room:
        return text
    fitting = encoded[:room].decode(errors="ignore")
    end = len(fitting)
    while end and _continues(text, end):
        end -= 1
    return text[:end].rstrip(" ._-") or fitting


def _continues(text: str, place: int) -> bool:
    """Return whether `text[place]` belongs to the written character before it (UAX #29, the parts that names have)."""
    letter = text[place]
    if unicodedata.category(letter).startswith("M") or letter in JOINERS or text[place - 1] == "\u200d":
        return True
    if "\U0001f3fb" <= letter <= "\U0001f3ff":  # skin tones
        return True
    before = 0  # halves of flags: the second half belongs to the first
    while before < place and _is_flag_half(text[place - 1 - before]):
        before += 1
    return _is_flag_half(letter) and before % 2 == 1


def _is_flag_half(letter: str) -> bool:
    return "\U0001f1e6" <= letter <= "\U0001f1ff"
