"""How large the pictures in AV1 data are, whatever the boxes around it say.

AV1 Bitstream & Decoding Process Specification, 5.3 and 5.5. The size in the boxes (`ispe`) is a promise that
decoders hold the data against only when they have decoded it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_SEQUENCE_HEADER: Final = 1
_LONGEST_HEADER: Final = 1024  # bytes; 32 operating points take 500
_MOST_UNITS: Final = 1_000  # a picture has three; each costs up to five microseconds
_MOST_ZEROS: Final = 32  # before a number of variable length


class Unclear(ValueError):
    """Nothing in the data says how large its picture is."""


def largest(data: bytes) -> tuple[int, int]:
    """Return the width and height that no frame in the data can exceed, pixels.

    Raises:
        Unclear: it does not say so.
    """
    sizes = [_size(_Bits(body)) for kind, body in _units(data) if kind == _SEQUENCE_HEADER]
    if not sizes:
        raise Unclear("no sequence header")
    return max(width for width, _ in sizes), max(height for _, height in sizes)


class _Bits:
    """Reads numbers, the highest bit first."""

    def __init__(self, data: bytes) -> None:
        self._number, self._left = int.from_bytes(data, "big"), 8 * len(data)

    def take(self, count: int) -> int:
        """Return the next `count` bits as a number."""
        self._left -= count
        if self._left < 0:
            raise Unclear("a header ends early")
        return (self._number >> self._left) & ((1 << count) - 1)

    def skip_variable(self) -> None:
        """Pass over a number of variable length (`uvlc`)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        if zeros < _MOST_ZEROS:
            self.take(zeros)


def _units(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Return kind and body of each OBU."""
    at = 0
    for _ in range(_MOST_UNITS):
        if at >= len(data):
            return
        head = data[at]
        at += 2 if head & 4 else 1  # an extension
        size = len(data) - at
        if head & 2:
            size, at = _leb128(data, at)
        if size < 0 or at + size > len(data):
            raise Unclear("a part ends early")
        yield (head >> 3) & 15, data[at : at + min(size, _LONGEST_HEADER)]
        at += size
    raise Unclear("too many parts")


def _leb128(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(8):
        if at >= len(data):
            break
        value |= (data[at] & 127) << (7 * place)
        at += 1
        if not data[at - 1] & 128:
            return value, at
    raise Unclear("a length has no end")


def _size(bits: _Bits) -> tuple[int, int]:
    """Return what the frames of a sequence are limited to (5.5.1)."""
    bits.take(4)  # profile, whether it is a still picture
    reduced = bits.take(1)
    if reduced:
        bits.take(5)
    else:
        _skip_operating_points(bits)
    wide, high = bits.take(4) + 1, bits.take(4) + 1
    width, height = bits.take(wide) + 1, bits.take(high) + 1
    # Of a sequence that is not reduced a frame may say another size, in as many bits.
    return (width, height) if reduced else (1 << wide, 1 << high)


def _skip_operating_points(bits: _Bits) -> None:
    delay = 0  # bits of a delay, where decoders are told how much to buffer
    if bits.take(1):
        bits.take(64)
        if bits.take(1):
            bits.skip_variable()
        if bits.take(1):
            delay = bits.take(5) + 1
            bits.take(42)
    shown_late = bits.take(1)
    for _ in range(bits.take(5) + 1):
        bits.take(12)
        if bits.take(5) > 7:  # levels that have two tiers
            bits.take(1)
        if delay and bits.take(1):
            bits.take(2 * delay + 1)
        if shown_late and bits.take(1):
            bits.take(4)
