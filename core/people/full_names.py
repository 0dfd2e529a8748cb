"""First and last name, however a list gives them: apart, as one, or both."""

from __future__ import annotations

import unicodedata

# Words that begin a last name of several words.
PARTICLES = frozenset(
    ("von", "vom", "van", "vander", "zu", "zum", "zur", "de", "del", "della", "dela", "di", "da", "das", "do", "dos",
     "du", "des", "der", "den", "la", "le", "lo", "al", "el", "bin", "bint", "ibn", "abu", "ben", "ter", "ten", "te",
     "af", "av", "st", "st.")
)  # fmt: skip
SUFFIXES = frozenset(
    ("jr", "jr.", "sr", "sr.", "ii", "iii", "iv", "phd", "ph.d.", "md", "m.d.", "msc", "mba", "esq", "esq.")
)
SHORTEST_LOUD = 3  # letters: JP Smith has initials, Jean DUPONT a last name
# Scripts in which the family's name comes first.
FAMILY_FIRST = ("CJK", "HANGUL", "HIRAGANA", "KATAKANA")


def parts(first: str, last: str, full: str, *, family_first: bool = False) -> tuple[str, str]:
    """Return first and last name of a row.

    What the list gives apart stands; `full` fills only what is missing. So a column “Name” can hold the
    whole name or, beside a column with first names, the last name.

    Args:
        first: What the list gives as first name.
        last: What it gives as last name.
        full: What it gives as a whole name.
        family_first: The header says that a whole name begins with the family's.
    """
    if not full or (first and last):
        return first, last
    if first:
        return first, _without(full, first)
    if last:
        return _without(full, last), last
    return split(full, family_first=family_first)


def split(full: str, *, family_first: bool = False) -> tuple[str, str]:
    """Split a whole name: at its comma, before a particle, before capitals, else before the last word.

    Where the family's name comes first, behind its particles and its first word.

    >>> split("Müller, Jürgen"), split("Ludwig van Beethoven"), split("Anna Maria Schmidt")
    (('Jürgen', 'Müller'), ('Ludwig', 'van Beethoven'), ('Anna Maria', 'Schmidt'))
    """
    last, comma, first = (part.strip() for part in full.partition(","))
    if comma and first.casefold() in SUFFIXES:
        given, family = split(last)
        return given, f"{family}, {first}"
    if comma:
        return first, last
    words = full.split()
    if len(words) < 2:
        return full, ""
    if unicodedata.name(words[0][0], "").startswith(FAMILY_FIRST):
        return " ".join(words[1:]), words[0]
    if behind := _loud(words[::-1]):
        return " ".join(words[:-behind]), " ".join(words[-behind:])
    if before := _loud(words):
        return " ".join(words[before:]), " ".join(words[:before])
    if family_first:
        ends = next(
            n for n, word in enumerate(words, 1) if word.casefold() not in PARTICLES or n == len(words)
        )
        return " ".join(words[ends:]), " ".join(words[:ends])
    begins = len(words) - 1
    if words[-1].casefold() in SUFFIXES and len(words) > 2:
        begins -= 1
    particle = next((n for n, word in enumerate(words[1:begins], 1) if word.casefold() in PARTICLES), begins)
    return " ".join(words[:particle]), " ".join(words[particle:])


def _loud(words: list[str]) -> int:
    """Return how many words at the beginning are a last name in capitals, as French lists write it."""
    size = next((n for n, word in enumerate(words) if not word.isupper()), len(words))
    return size if size < len(words) and any(len(word) >= SHORTEST_LOUD for word in words[:size]) else 0


def _without(full: str, part: str) -> str:
    """Return what `part` leaves of a whole name; all of it where it does not begin or end with `part`."""
    if "," in full:
        full = " ".join(split(full))
    whole, known = full.split(), part.split()
    fold, size = [word.casefold() for word in whole], len(known)
    own = [word.casefold() for word in known]
    if fold[:size] == own:
        return " ".join(whole[size:])
    if fold[-size:] == own:
        return " ".join(whole[:-size])
    return full
