"""A cell of a roster: tidied of what nobody sees, and looked at for what nobody means."""

from __future__ import annotations

import re
import unicodedata

from core.composed import composed, is_stream_safe
from core.people import tabular

# Characters that turn the reading direction: a name with one can look like another name.
DIRECTION_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
# Letters and marks that show nothing: grapheme joiner, Hangul fillers, blank Braille. Format characters (Cf) as well.
BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# The two that Persian and the scripts of India need within a word; elsewhere nobody sees them.
JOINERS = frozenset("\u200c\u200d")
JOINED = ("ARABIC", "SYRIAC", "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA",
          "MALAYALAM", "SINHALA", "KHMER", "MONGOLIAN")  # fmt: skip
LOST = "\ufffd"
# What stands for letters that a system could not write. In names and addresses none is meant.
STANDS_FOR_LETTERS = frozenset("\ufffd?¿□■")
# Signs of HTML, escapes, quoted-printable and UTF-7, and what keyboards have beside letters: no name has them.
_NOT_OF_NAMES = frozenset("\\_=&;+<>^~|$%#@{}[]")
_WITHIN_A_WORD = re.compile(r"[^\W\d_]\?+[^\W\d_]")


def tidy(cell: str) -> str:
    """Return a cell in composed letters, without invisible ones; a line break or a run of blanks is a blank."""
    if not cell.isascii():
        cell = composed(_visible(cell))
    return " ".join(cell.split())


def _visible(cell: str) -> str:
    return "".join(sign for place, sign in enumerate(cell) if not _is_invisible(cell, place))


def _is_invisible(cell: str, place: int) -> bool:
    sign = cell[place]
    if sign in JOINERS:
        beside = (cell[place - 1 : place], cell[place + 1 : place + 2])
        return not all(other and unicodedata.name(other, "").startswith(JOINED) for other in beside)
    return sign in BLANK_LETTERS or (unicodedata.category(sign) == "Cf" and sign not in DIRECTION_MARKS)


def is_strange(cell: str) -> bool:
    """Whether it holds control, surrogate, private or unassigned characters, turns the reading direction, or piles up marks."""
    if cell.isascii():
        return not cell.isprintable()
    return not is_stream_safe(cell) or any(
        sign in DIRECTION_MARKS or unicodedata.category(sign) in ("Cc", "Cs", "Co", "Cn") for sign in cell
    )


def is_formula(cell: str) -> bool:
    """Whether a spreadsheet may run it."""
    return cell.startswith(tabular.FORMULA_STARTS) or cell.lstrip().startswith(tabular.FORMULA_STARTS)


def has_lost_letters(cell: str) -> bool:
    """Whether a name or an address shows that letters were replaced before it came here."""
    return not STANDS_FOR_LETTERS.isdisjoint(cell)


def has_odd_signs(cell: str) -> bool:
    """Whether a name holds signs that names do not have, as letters leave behind that were written another way."""
    return not _NOT_OF_NAMES.isdisjoint(cell) or (
        not cell.isascii() and any(unicodedata.category(sign) == "So" for sign in cell)
    )


def may_have_lost_letters(cell: str) -> bool:
    """The same of a text in which a question mark can be meant."""
    return _WITHIN_A_WORD.search(cell) is not None
