"""A mark in a picture's brightness that nobody sees, and that survives what removes everything else.

A field that repeats every 112 pixels is added to the picture: 226 waves of 9 to 32 pixels, too slow for an eye to catch at
this strength and for a JPEG to throw away. 98 of them have known phases, by which a reader finds size and place of the field
in whatever became of the picture; the others carry 255 bits (`compliance.origin.bch`), two a wave. Anybody can read the mark,
and whoever knows this code could write one: it says which picture this was, and credentials alone say who vouches for it.
Where the figures come from stands in docs/sources.md, "Watermark".
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from compliance.origin import bch

Pixels = NDArray[np.uint8]  # height × width × 3, sRGB
Field = NDArray[np.float32]

BITS: Final = bch.DATA  # of a mark
PERIOD: Final = 112  # pixels after which the field repeats, in files whose shorter side is at most `_SIDE`
_SIDE: Final = 1024  # pixels; in larger files the field grows with the file, since they are looked at smaller
_SLOWEST, _FASTEST = 3.5, 12.6  # waves in a period
_REACH: Final = 13  # waves in a period along one axis, at most
_CARRIERS: Final = 128  # waves that carry two bits each
_STRENGTH: Final = 0.7  # 8-bit steps, standard deviation: what a JPEG at quality 70 leaves on a white wall

# Chosen on badges at half size, where the fewest pixels are left; docs/sources.md, "Watermark".
_DETAIL: Final = 3.0  # pixels, sigma: what is slower belongs to the picture
_AROUND: Final = 4.0  # pixels, sigma, within which detail makes a place doubtful
_CALM: Final = 0.5  # variance of detail, 8-bit steps squared, below which every place is believed alike
_LOUDEST: Final = 3.0  # 8-bit steps; more detail than that is the picture's own
_SMALLEST_SCALE, _LARGEST_SCALE = 0.35, 1.6  # of the size at which the mark was put in
_STEP: Final = 0.0012  # between the sizes that are tried, fraction
_TRIED: Final = 4  # sizes that are looked at closely
_READ_SIDE: Final = (
    640  # pixels; a larger picture is read at this size, where the fastest wave is still 5 pixels long
)
_GRID: Final = 256  # places in a period that are told apart, along one axis


@dataclass(frozen=True, eq=False)
class _Waves:
    """Waves of the field.

    Attributes:
        across: Waves in a period from left to right; may be negative.
        down: The same from top to bottom.
        phase: Unit complex number by which a wave is turned.
    """

    across: NDArray[np.int64]
    down: NDArray[np.int64]
    phase: NDArray[np.complex128]

    def part(self, which: slice) -> _Waves:
        return _Waves(self.across[which], self.down[which], self.phase[which])


@cache
def _waves() -> _Waves:
    """Return every wave in an order that hangs on nothing but its numbers, those that carry bits first."""
    found = []
    for down in range(_REACH + 1):
        for across in range(-_REACH, _REACH + 1):
            if _SLOWEST <= math.hypot(across, down) <= _FASTEST and (down > 0 or across > 0):
                digest = sha256(f"{across},{down}".encode()).digest()
                turn = int.from_bytes(digest[:4], "big") / 2**32
                found.append((digest, across, down, turn))
    found.sort()
    return _Waves(
        np.array([one[1] for one in found]),
        np.array([one[2] for one in found]),
        np.exp(2j * np.pi * np.array([one[3] for one in found])),
    )


@cache
def _mask() -> bch.Bits:
    """Return bits by which a code word is turned, so that a picture in which nothing is seen is none of them."""
    return np.unpackbits(np.frombuffer(sha256(b"mark").digest(), np.uint8))[: bch.LENGTH]


def _carriers() -> _Waves:
    return _waves().part(slice(0, _CARRIERS))


def _pilots() -> _Waves:
    return _waves().part(slice(_CARRIERS, None))


def put(pixels: Pixels, mark: int) -> Pixels:
    """Return the picture with a mark.

    Args:
        pixels: uint8, height × width × 3, sRGB, of the size of the file; below 400 pixels a mark may not be readable.
        mark: Below 2^45.

    Raises:
        ValueError: it has more bits.
    """
    height, width = pixels.shape[:2]
    field = _spread(_tile(bch.encode(mark)), height, width, max(1.0, min(height, width) / _SIDE))
    return np.clip(np.rint(pixels + np.float32(_STRENGTH) * field[..., None]), 0, 255).astype(np.uint8)


def _tile(bits: bch.Bits) -> Field:
    """Return one period of the field, standard deviation 1."""
    signs = np.append(bits ^ _mask(), 0).reshape(_CARRIERS, 2) * 2.0 - 1
    spectrum = np.zeros((PERIOD, PERIOD), np.complex128)
    carriers, pilots = _carriers(), _pilots()
    spectrum[carriers.down, carriers.across] = (
        (signs[:, 0] + 1j * signs[:, 1]) / math.sqrt(2) * carriers.phase
    )
    spectrum[pilots.down, pilots.across] = pilots.phase
    tile = np.fft.ifft2(spectrum).real
    return np.asarray(tile / tile.std(), np.float32)


def _spread(tile: Field, height: int, width: int, scale: float) -> Field:
    down, across = math.ceil(height / scale / PERIOD) + 1, math.ceil(width / scale / PERIOD) + 1
    field = np.tile(tile, (down, across))
    if scale > 1:
        turn = np.array([[scale, 0, 0], [0, scale, 0]], np.float32)
        return np.asarray(cv2.warpAffine(field, turn, (width, height), flags=cv2.INTER_CUBIC), np.float32)
    return field[:height, :width]


def read(pixels: Pixels) -> int | None:
    """Return the mark of a picture, whatever size it has now; `None` where there is none.

    Args:
        pixels: uint8, height × width × 3, sRGB.
    """
    if min(pixels.shape[:2]) < 2 * _SMALLEST_SCALE * PERIOD:
        return None
    detail, weight = _detail(pixels)
    for period in _periods(detail * weight):
        mark = bch.decode(_bits(detail, np.sqrt(weight), period))
        if mark is not None:
            return mark
    return None


def _detail(pixels: Pixels) -> tuple[Field, Field]:
    """Return what is fine enough to be the field, 8-bit steps, and how far each place is to be believed."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    smaller = _READ_SIDE / max(grey.shape)
    if smaller < 1:
        grey = cv2.resize(grey, None, fx=smaller, fy=smaller, interpolation=cv2.INTER_AREA)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), _DETAIL)
    weight = 1 / (_CALM + cv2.GaussianBlur(detail * detail, (0, 0), _AROUND))
    return np.asarray(np.clip(detail, -_LOUDEST, _LOUDEST), np.float32), np.asarray(weight, np.float32)


def _periods(seen: Field) -> Iterator[float]:
    """Yield the periods that the field may have in a picture, likeliest first; pixels."""
    waves = _waves()
    side = 2 * _SIDE
    spectrum = np.abs(np.fft.fft2(seen, (side, side)))
    periods = PERIOD * np.exp(np.arange(math.log(_SMALLEST_SCALE), math.log(_LARGEST_SCALE), _STEP))

    def strength(off: float) -> NDArray[np.float64]:
        """Return how strong each wave is at each period, or what lies `off` beside it."""
        down = np.rint(np.outer(side / periods, waves.down + off)).astype(int) % side
        across = np.rint(np.outer(side / periods, waves.across + off)).astype(int) % side
        return np.asarray(spectrum[down, across], np.float64)

    on, off = strength(0.0), strength(0.5)
    share = np.mean(on / (on + off + 1e-9), axis=1)
    tried: list[float] = []
    for place in np.argsort(-share):
        period = float(periods[place])
        if all(abs(math.log(period / other)) > 5 * _STEP for other in tried):
            tried.append(period)
        if len(tried) == _TRIED:
            break
    near = [period * (1 + step) for period in tried for step in np.arange(-0.004, 0.0041, 0.0008)]
    pilots = _pilots()
    sharpness = {}
    for period in near:
        table = _sums(seen, period, _REACH)
        sharpness[period] = _place(table[pilots.down + _REACH, pilots.across + _REACH])[0]
    best = sorted(sharpness, key=lambda period: -sharpness[period])
    yield best[0]
    # Others only where they are another size, not the same one again.
    yield from [one for one in best[1:] if abs(math.log(one / best[0])) > 10 * _STEP][:1]


def _sums(seen: Field, period: float, reach: int) -> NDArray[np.complex64]:
    """Return the picture's spectrum at multiples of the field's frequency, from `-reach` to `reach`, down and across."""
    height, width = seen.shape
    turn, multiples = -2j * np.pi / period, np.arange(-reach, reach + 1)
    across = np.exp(turn * np.outer(np.arange(width), multiples)).astype(np.complex64)
    down = np.exp(turn * np.outer(multiples, np.arange(height))).astype(np.complex64)
    return np.asarray(down @ (seen @ across), np.complex64)


def _place(found: NDArray[Any]) -> tuple[float, int, int]:
    """Return how sharply the pilots agree on a place of the field, and the place: down and across, of `_GRID`."""
    pilots, size = _pilots(), np.abs(found)
    even = found / (size + np.median(size) + 1e-12)
    spectrum = np.zeros((_GRID, _GRID), np.complex128)
    spectrum[pilots.down, pilots.across] = even * np.conj(pilots.phase)
    agreement = np.fft.ifft2(spectrum).real
    down, across = np.unravel_index(int(agreement.argmax()), agreement.shape)
    return float(agreement.max() / (agreement.std() + 1e-12)), int(down), int(across)


def _bits(detail: Field, weight: Field, period: float) -> bch.Bits:
    """Return the bits that a picture carries at a period."""
    sharpest, best = 0.0, (0, 0, np.zeros(len(_waves().down), np.complex128))
    for step in np.arange(-0.0048, 0.0049, 0.0008):
        waves = _fitted(detail, weight, period * (1 + step))
        sharpness, down, across = _place(waves[_CARRIERS:])
        if sharpness > sharpest:
            sharpest, best = sharpness, (down, across, waves)
    down, across, waves = best
    carriers = _carriers()
    back = np.exp(2j * np.pi * (carriers.down * down + carriers.across * across) / _GRID)
    carried = waves[:_CARRIERS] * np.conj(carriers.phase) * back
    signs = np.stack([carried.real, carried.imag], 1).ravel()[: bch.LENGTH]
    return np.asarray(signs > 0, np.uint8) ^ _mask()


def _fitted(detail: Field, weight: Field, period: float) -> NDArray[np.complex128]:
    """Fit all waves at once, least squares: a picture that is believed in part alone mixes them up."""
    waves, middle = _waves(), 2 * _REACH
    trust = weight * weight
    wanted = _sums(detail * trust, period, middle)[waves.down + middle, waves.across + middle]
    table = _sums(trust, period, middle)
    minus = table[waves.down[:, None] - waves.down + middle, waves.across[:, None] - waves.across + middle]
    plus = table[waves.down[:, None] + waves.down + middle, waves.across[:, None] + waves.across + middle]
    both = np.block(
        [
            [(minus + plus).real, (plus - minus).imag],
            [(minus + plus).imag, (minus - plus).real],
        ]
    ).astype(np.float64)
    both[np.diag_indices(len(both))] *= 1.01
    found = np.linalg.solve(both, np.concatenate([wanted.real, wanted.imag]))
    half = len(waves.down)
    return np.asarray(found[:half] + 1j * found[half:])
