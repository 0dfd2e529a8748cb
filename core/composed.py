"""Letters in one composed spelling, at a cost that nobody can drive up."""

from __future__ import annotations

import unicodedata
from typing import Final

# The stream-safe text format (Unicode Standard Annex #15, section 13) has no more marks on one letter; the longest
# that any language writes is 18.
_MOST_MARKS: Final = 30


def is_stream_safe(text: str) -> bool:
    """Whether no letter of `text` carries more marks than any language writes."""
    if len(text) <= _MOST_MARKS or text.isascii():
        return True
    marks = 0
    for sign in text:
        marks = marks + 1 if unicodedata.combining(sign) else 0
        if marks > _MOST_MARKS:
            return False
    return True


def composed(text: str) -> str:
    """Return `text` in normalization form C; as it is where it is not stream-safe.

    Putting n marks in their order takes n² steps, and nothing else runs in the process meanwhile.
    """
    return unicodedata.normalize("NFC", text) if is_stream_safe(text) else text
