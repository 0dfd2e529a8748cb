"""The number that a model-made picture carries as a watermark, and how people write it."""

from __future__ import annotations

import secrets
from typing import Final

_BITS: Final = 45  # what the watermark has room for
_LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's 32: none is taken for another
_LENGTH: Final = 9  # letters of five bits
_MEANT: Final = str.maketrans("oil", "011")


def new() -> int:
    """Return a random mark; it says nothing, and with 2^45 of them nobody finds one by trying."""
    return secrets.randbits(_BITS)


def written(mark: int) -> str:
    """Return a mark as an address has it, nine letters."""
    return "".join(_LETTERS[mark >> 5 * place & 31] for place in reversed(range(_LENGTH)))


def parsed(text: str) -> int | None:
    """Return the mark that somebody typed; `None` for what is none."""
    letters = text.lower().replace("-", "").translate(_MEANT)
    if len(letters) != _LENGTH or not set(letters) <= set(_LETTERS):
        return None
    mark = 0
    for letter in letters:
        mark = mark << 5 | _LETTERS.index(letter)
    return mark
