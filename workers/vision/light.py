"""How the light falls on a face: exposure, evenness and direction.

The measures follow ISO/IEC 29794-5:2025 where it has one, on the face's own area. None of them is judged
where a complexion alone could change the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.color import Values, luminance
from workers.vision.geometry import Face, Pixels
from workers.vision.shading import SKIN, Shading, fit, lamp, normals

# The outline of the face mesh, in order.
OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
_BRIDGE: Final = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 17, 18, 200, 152)  # down the middle
_UNDER: Final = 25  # sRGB; ISO/IEC 29794-5 counts 0 to 25 as under-exposed
_BINS: Final = 32  # of a histogram of grey values
_AZIMUTHS: Final = range(-75, 76, 5)
_ELEVATIONS: Final = range(-30, 71, 10)
_CONTRASTS: Final = (0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Grey values of a face."""

    mean: float  # 0 to 1, sRGB
    under: float  # share that is black
    bits: float  # entropy of the grey values, 0 to 8
    uniformity: float  # 0 to 1: how much of their histograms both halves share


def face_area(shape: tuple[int, ...], face: Face) -> NDArray[np.bool_]:
    """Return where the face is, as a boolean height × width."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(face.landmarks[list(OVAL), :2]).astype(np.int32)], 1)
    return mask.astype(bool)


def exposure(pixels: Pixels, face: Face) -> Exposure:
    """Measure the exposure of a face.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    area = face_area(pixels.shape, face)
    values = grey[area]
    if values.size == 0:
        return Exposure(0.0, 0.0, 0.0, 0.0)
    share = np.bincount(values, minlength=256) / values.size
    present = share[share > 0]
    halves = [np.histogram(grey[half], _BINS, (0, 256))[0].astype(float) for half in _halves(area, face)]
    right, left = (half / max(1.0, half.sum()) for half in halves)
    return Exposure(
        mean=float(values.mean()) / 255,
        under=float((values <= _UNDER).mean()),
        bits=float(-(present * np.log2(present)).sum()),
        uniformity=float(np.minimum(right, left).sum()),
    )


def brightest(linear: Values, face: Face) -> float:
    """Return the 97th percentile of the face's luminance, the wall beside it left out, 0 to 1."""
    values = luminance(linear)[face_area(linear.shape, face)]
    return float(np.percentile(values, 97)) if values.size else 0.0


def direction(linear: Values, face: Face) -> tuple[float, float]:
    """Return where a single lamp would stand that lights this face most alike: azimuth, elevation, degrees.

    Args:
        linear: float32, height × width × 3, linear light.
        face: In these pixels.
    """
    vectors = normals(face)
    seen = vectors[list(SKIN)]
    source = fit(linear, face, vectors).at(seen)
    places, lamps = _lamps()
    light = lamps.at(seen)
    off = np.square(light / light.mean(axis=0) - (source / source.mean())[:, None]).sum(axis=0)
    return places[int(np.argmin(off))]


def _halves(area: NDArray[np.bool_], face: Face) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Split the face along its middle: the picture's left half and its right half."""
    points = face.landmarks[list(_BRIDGE), :2]
    height, width = area.shape
    order = np.argsort(points[:, 1])
    middle = np.interp(np.arange(height), points[order, 1], points[order, 0])
    left = np.arange(width)[None] < middle[:, None]
    return area & left, area & ~left


@cache
def _lamps() -> tuple[list[tuple[float, float]], Shading]:
    """Every lamp that is tried; their harmonics are the columns of one matrix."""
    tried = [
        (float(azimuth), float(elevation), contrast)
        for azimuth in _AZIMUTHS
        for elevation in _ELEVATIONS
        for contrast in _CONTRASTS
    ]
    harmonics = np.stack([lamp(*one).harmonics for one in tried], axis=1)
    return [(azimuth, elevation) for azimuth, elevation, _ in tried], Shading(harmonics)
