"""What numbers mean as colours, and how they become sRGB: code points (ITU-T H.273), gamma, and HDR.

A picture in PQ or HLG (BT.2100) is brought to a standard display so: its reference white is 203 cd/m²
(BT.2408, table 1), HLG is shown by the system gamma of a display of 1,000 cd/m² (BT.2100, table 5), and what is
brighter than white is rolled off by the EETF of BT.2390, section 5.4, on the largest of the three channels, so that
no hue turns. The roll-off begins where the picture's own brightest parts need it: one that is nowhere brighter than
white stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.srgb import Values, to_linear, to_srgb

Numbers = NDArray[Any]  # uint8 or uint16
_Matrix = NDArray[np.float64]

_WHITE: Final = 203.0  # cd/m², BT.2408: of what is white in the scene
_PEAK: Final = 10_000.0  # cd/m², of PQ
_HLG_DISPLAY: Final = 1_000.0  # cd/m²
_HLG_GAMMA: Final = 1.2  # of such a display
_BRIGHTEST: Final = 99.9  # percentile; a few sparks may clip
_ROWS: Final = 256  # rows that are converted at a time: 12 bytes a pixel are in use meanwhile

Point = tuple[float, float]
_D65: Final = (0.3127, 0.329)


class Cicp(NamedTuple):
    """Code points of ITU-T H.273."""

    primaries: int
    transfer: int


class Primaries(NamedTuple):
    """Chromaticities, CIE 1931 xy."""

    red: Point
    green: Point
    blue: Point
    white: Point = _D65


class Curve(StrEnum):
    """How a number becomes light."""

    SRGB = "srgb"
    POWER = "power"
    PQ = "pq"
    HLG = "hlg"


_BT709: Final = Primaries((0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
_PRIMARIES: Final = {
    1: _BT709,
    2: _BT709,  # not specified
    5: Primaries((0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: Primaries((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    7: Primaries((0.63, 0.34), (0.31, 0.595), (0.155, 0.07)),
    9: Primaries((0.708, 0.292), (0.17, 0.797), (0.131, 0.046)),
    11: Primaries((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.314, 0.351)),
    12: Primaries((0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: Primaries((0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}
# What a camera of television codes is shown on a display of sRGB, as browsers do.
_CURVES: Final[dict[int, tuple[Curve, float]]] = {
    **dict.fromkeys((1, 2, 6, 11, 12, 13, 14, 15), (Curve.SRGB, 0.0)),
    4: (Curve.POWER, 2.2),
    5: (Curve.POWER, 2.8),
    8: (Curve.POWER, 1.0),
    16: (Curve.PQ, 0.0),
    18: (Curve.HLG, 0.0),
}


@dataclass(frozen=True, slots=True)
class Space:
    """A colour space with three primaries.

    Attributes:
        primaries: Its colours.
        curve: From a number to light.
        exponent: Of `Curve.POWER`.
    """

    primaries: Primaries
    curve: Curve
    exponent: float = 0.0

    @property
    def is_hdr(self) -> bool:
        """Whether its light goes beyond white."""
        return self.curve in (Curve.PQ, Curve.HLG)


SRGB: Final = Space(_BT709, Curve.SRGB)
# Adobe RGB (1998), 4.3.4.2: its exponent is 563 / 256.
ADOBE_RGB: Final = Space(Primaries((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), Curve.POWER, 563 / 256)


def space_of(points: Cicp) -> Space | None:
    """Return what code points stand for; `None` for those that no photo has."""
    if points.primaries not in _PRIMARIES or points.transfer not in _CURVES:
        return None
    return Space(_PRIMARIES[points.primaries], *_CURVES[points.transfer])


def gamma_space(gamma: float, primaries: Primaries | None) -> Space | None:
    """Return what a PNG's `gAMA` and `cHRM` stand for; `None` where they are none.

    Args:
        gamma: Of the encoding, such as 0.45455.
        primaries: Those of sRGB where the file does not say.
    """
    if not 0.1 <= gamma <= 5 or (primaries is not None and _to_xyz(primaries) is None):
        return None
    return Space(primaries or _BT709, Curve.POWER, 1 / gamma)


def peak_of(sample: Numbers, space: Space, depth: int = 8) -> float:
    """Return how bright the brightest parts of a picture are, as a multiple of white; never below 1.

    Args:
        sample: … × 3, some pixels of the whole picture.
        space: Of these numbers.
        depth: Bits of each.
    """
    if not space.is_hdr:
        return 1.0
    light = _light(sample.reshape(-1, 1, 3), space, depth).max(axis=-1)
    return max(1.0, float(np.percentile(light, _BRIGHTEST)))


def to_srgb_pixels(numbers: Numbers, space: Space, peak: float = 1.0, depth: int = 8) -> NDArray[np.uint8]:
    """Convert to sRGB; colours outside of it are clipped.

    Args:
        numbers: uint8 or uint16, height × width × 3.
        space: What they mean.
        peak: As `peak_of` gives it for the whole picture.
        depth: Bits of each number.
    """
    made = np.empty(numbers.shape, np.uint8)
    matrix = _to_bt709(space.primaries).T.astype(np.float32)
    for top in range(0, len(numbers), _ROWS):
        light = _light(numbers[top : top + _ROWS], space, depth)
        if peak > 1:
            light *= _rolled_off(light.max(axis=2, keepdims=True), peak)
        made[top : top + _ROWS] = np.rint(to_srgb(light @ matrix) * 255)
    return made


def _light(numbers: Numbers, space: Space, depth: int) -> Values:
    """Return linear light in the space's own primaries; 1 is white."""
    light: Values = _table(space.curve, space.exponent, 1 << depth)[numbers]
    if space.curve is Curve.HLG:
        scene = light @ _luminance(space.primaries)
        shown = np.maximum(scene, 1e-6) ** np.float32(_HLG_GAMMA - 1) * np.float32(_HLG_DISPLAY / _WHITE)
        light *= shown[..., None]
    return light


@cache
def _table(curve: Curve, exponent: float, size: int) -> Values:
    encoded = np.arange(size, dtype=np.float64) / (size - 1)
    if curve is Curve.SRGB:
        return to_linear(encoded.astype(np.float32))
    if curve is Curve.POWER:
        return (encoded**exponent).astype(np.float32)
    if curve is Curve.PQ:
        return (_pq_light(encoded) / _WHITE).astype(np.float32)
    # BT.2100, table 5: the inverse of HLG's OETF.
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(encoded <= 0.5, encoded**2 / 3, (np.exp((encoded - c) / a) + b) / 12)
    return np.asarray(scene, np.float32)


# BT.2100, table 4.
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def _pq_light(signal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return cd/m² for PQ's numbers 0 to 1."""
    root = signal ** (1 / _M2)
    return np.asarray(_PEAK * (np.maximum(root - _C1, 0) / (_C2 - _C3 * root)) ** (1 / _M1))


def _pq_signal(light: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return PQ's numbers 0 to 1 for cd/m²."""
    power = (light / _PEAK) ** _M1
    return np.asarray(((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2)


def _rolled_off(light: Values, peak: float) -> Values:
    """Return by what to multiply, so that `peak` becomes 1 and dark parts stay: BT.2390's EETF."""
    grid = np.linspace(0.0, 1.0, 1024)
    (top,) = _pq_signal(np.array([peak * _WHITE]))
    (white,) = _pq_signal(np.array([_WHITE])) / top
    knee = 1.5 * white - 0.5
    t = np.clip((grid - knee) / (1 - knee), 0, 1)
    spline = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * white
    )
    mapped = np.where(grid < knee, grid, spline)
    before, after = _pq_light(grid * top) / _WHITE, _pq_light(mapped * top) / _WHITE
    inside = np.clip(light, 1e-6, peak)
    return np.asarray(np.interp(inside, before, after) / np.maximum(light, 1e-6), np.float32)


@cache
def _to_bt709(primaries: Primaries) -> _Matrix:
    source, target = _to_xyz(primaries), _to_xyz(_BT709)
    assert source is not None, "spaces are checked when they are made"
    assert target is not None, "sRGB has primaries"
    return np.asarray(np.linalg.inv(target) @ _adapted(primaries.white) @ source)


def _luminance(primaries: Primaries) -> Values:
    matrix = _to_xyz(primaries)
    assert matrix is not None, "spaces are checked when they are made"
    return np.asarray(matrix[1], np.float32)


def _to_xyz(primaries: Primaries) -> _Matrix | None:
    """Return the matrix to CIE XYZ with white at Y = 1; `None` where these points span no colours."""
    points = (primaries.red, primaries.green, primaries.blue)
    if not all(0 < y <= 1 and 0 <= x <= 1 for x, y in (*points, primaries.white)):
        return None
    columns = np.array([_xyz(point) for point in points]).T
    if abs(np.linalg.det(columns)) < 1e-6:
        return None
    return np.asarray(columns * np.linalg.solve(columns, _xyz(primaries.white)))


def _xyz(point: Point) -> NDArray[np.float64]:
    x, y = point
    return np.array([x / y, 1.0, (1 - x - y) / y])


# Bradford, as ICC.1 annex E.
_CONE: Final = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


def _adapted(white: Point) -> _Matrix:
    gain = (_CONE @ _xyz(_D65)) / (_CONE @ _xyz(white))
    return np.asarray(np.linalg.inv(_CONE) @ np.diag(gain) @ _CONE)
