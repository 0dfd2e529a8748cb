"""What the compressed data of a JPEG is made of: its passes, its codes, what can be wrong with it (ITU-T T.81)."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


class Pass(IntEnum):
    """What a scan codes."""

    SEQUENTIAL = 0
    DC_FIRST = 1
    DC_REFINED = 2
    AC_FIRST = 3
    AC_REFINED = 4


class Fault(IntEnum):
    """What is wrong with the data between two markers."""

    NONE = 0
    ENDS_EARLY = 1
    NO_SUCH_CODE = 2
    TOO_LONG = 3  # a block of more than 64 coefficients
    TOO_BRIGHT = (
        4  # or too dark: means add up, so that a lost block shifts all that follow, beyond black or white
    )
    LEFT_OVER = 5  # more behind the last block before a restart marker than cameras leave there


LOOK_AHEAD: Final = 8  # bytes that have to lie behind the data: a code is looked up 16 bits at a time


def lookup(counts: bytes, symbols: bytes) -> NDArray[np.uint16]:
    """Return the answer to the next 16 bits of a Huffman code: length × 256 + symbol; 0 is no code.

    Args:
        counts: How many codes have 1, 2, … 16 bits.
        symbols: In the order of their codes.

    Raises:
        ValueError: that is no code: more codes than bits can tell apart.
    """
    lengths = np.repeat(np.arange(1, 17), np.frombuffer(counts, np.uint8))
    share = 1 << (16 - lengths)  # of all that the next 16 bits can be
    if len(lengths) > len(symbols) or share.sum() > 1 << 16:
        raise ValueError
    answers = lengths << 8 | np.frombuffer(symbols, np.uint8, len(lengths))
    table = np.zeros(1 << 16, np.uint16)
    table[: share.sum()] = np.repeat(answers, share)  # codes follow one another without gaps
    return table
