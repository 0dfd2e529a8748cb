"""The code that a watermark is written in: 45 bits as 255, of which any 43 may be read wrongly.

BCH(255, 45) over GF(2^8), narrow sense (Lin and Costello, Error Control Coding, 2nd ed., ch. 6). Of all words of 255
bits a share of 2^-46.7 lies within 43 of one of the 2^45 code words: so often, and no oftener, a picture without a watermark
is taken for one that has one (docs/sources.md, "Watermark").
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

LENGTH: Final = 255  # bits of a code word
DATA: Final = 45  # bits of what is written
MOST: Final = 43  # wrong bits that are put right
_FIELD: Final = 0x11D  # primitive polynomial x^8 + x^4 + x^3 + x^2 + 1

Bits = NDArray[np.uint8]


def _tables() -> tuple[list[int], list[int]]:
    powers, logs, value = [0] * (2 * LENGTH), [0] * (LENGTH + 1), 1
    for exponent in range(LENGTH):
        powers[exponent] = powers[exponent + LENGTH] = value
        logs[value] = exponent
        value <<= 1
        if value > LENGTH:
            value ^= _FIELD
    return powers, logs


_POWER, _LOG = _tables()


def _times(one: int, other: int) -> int:
    return _POWER[_LOG[one] + _LOG[other]] if one and other else 0


def _generator() -> int:
    """Return the generator polynomial, its coefficients as bits: the minimal polynomials of α to α^86, each once."""
    product, taken = 1, set[int]()
    for root in range(1, 2 * MOST + 1):
        conjugates = {root * 2**turn % LENGTH for turn in range(8)}
        if conjugates & taken:
            continue
        taken |= conjugates
        minimal = [1]  # lowest coefficient first
        for exponent in sorted(conjugates):
            shifted = [0, *minimal]
            scaled = [*(_times(one, _POWER[exponent]) for one in minimal), 0]
            minimal = [a ^ b for a, b in zip(shifted, scaled, strict=True)]
        found = 0
        for place, bit in enumerate(minimal):
            if bit:
                found ^= product << place
        product = found
    return product


_GENERATOR: Final = _generator()
assert _GENERATOR.bit_length() == LENGTH - DATA + 1


def encode(value: int) -> Bits:
    """Return the 255 bits, 0 or 1, that stand for a number below 2^45; the number's own come last.

    Raises:
        ValueError: it has more bits.
    """
    if not 0 <= value < 1 << DATA:
        raise ValueError("more than the code can carry")
    rest = shifted = value << (LENGTH - DATA)
    while rest.bit_length() >= _GENERATOR.bit_length():
        rest ^= _GENERATOR << (rest.bit_length() - _GENERATOR.bit_length())
    word = shifted ^ rest
    return np.array([word >> place & 1 for place in range(LENGTH)], np.uint8)


def decode(bits: Bits) -> int | None:
    """Return the number of a word with at most 43 wrong bits; `None` for one that is further from every code word."""
    syndromes = _syndromes(bits)
    if any(syndromes):
        wrong = _places(syndromes)
        if wrong is None:
            return None
        bits = bits.copy()
        bits[wrong] ^= 1
        if any(_syndromes(bits)):
            return None
    return sum(int(bit) << place for place, bit in enumerate(bits[LENGTH - DATA :]))


def _syndromes(bits: Bits) -> list[int]:
    ones = np.flatnonzero(bits)
    powers = np.array(_POWER[:LENGTH])
    return [
        int(np.bitwise_xor.reduce(powers[ones * root % LENGTH])) if len(ones) else 0
        for root in range(1, 2 * MOST + 1)
    ]


def _places(syndromes: list[int]) -> list[int] | None:
    """Find where a word is wrong (Berlekamp and Massey, then Chien); `None` where too much is."""
    locator, before, gap, last, errors = [1], [1], 1, 1, 0
    for turn, syndrome in enumerate(syndromes):
        found = syndrome
        for place in range(1, errors + 1):
            if place < len(locator):
                found ^= _times(locator[place], syndromes[turn - place])
        if not found:
            gap += 1
            continue
        factor = _POWER[(_LOG[found] - _LOG[last]) % LENGTH]
        change = [0] * gap + [_times(factor, one) for one in before]
        longer = [0] * (max(len(locator), len(change)))
        for place, one in enumerate(locator):
            longer[place] ^= one
        for place, one in enumerate(change):
            longer[place] ^= one
        if 2 * errors <= turn:
            errors, before, last, gap = turn + 1 - errors, locator, found, 1
        else:
            gap += 1
        locator = longer
    if errors > MOST:
        return None
    found_at = [place for place in range(LENGTH) if not _at(locator, (LENGTH - place) % LENGTH)]
    return found_at if len(found_at) == errors else None


def _at(polynomial: list[int], exponent: int) -> int:
    total = 0
    for place, one in enumerate(polynomial):
        if one:
            total ^= _POWER[(_LOG[one] + exponent * place) % LENGTH]
    return total
