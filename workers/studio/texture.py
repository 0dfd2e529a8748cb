"""Sharpness and grain of one level, so that a picture of an old phone can stand beside a good camera's."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from workers.vision.color import Values
from workers.vision.cutout import Mask
from workers.vision.detail import Sharpness, sharpness
from workers.vision.geometry import Face
from workers.vision.skin import around

# 8-bit steps: what every headshot has. Noisier ones keep their own, but a wall that noisy would miss the brand's colour
# (ΔE2000 0.5 in the median is one step and a half).
GRAIN: Final = 1.2
# 8-bit steps. Seven photos of good cameras have 0.9 to 2.3 in a headshot, skin's pores among them; what has more than
# the first is taken down to the second.
_GRAINY: Final = 2.6
_COMMON: Final = 1.8
_WINDOW: Final = (5, 5)  # px
_NOISE_SEEN: Final = 1.3  # times the flattest patches' noise: grain is stronger on lit skin than there
_BLOCK: Final = 16  # px, side of a patch whose noise is measured
_FLAT: Final = 0.2  # quantile of the patches: the flattest ones show noise, the others skin and cloth
# `Sharpness.enough` is a tenth below the least of seven sharp portraits: up to that least a soft one is sharpened.
_SHARP: Final = 1 / 0.9
_MOST: Final = 1.6  # times the detail that is added; more of it shows as rims
_NOISE_LEFT: Final = 2.0  # times the grain: what is finer drawn than that is taken for it


def textured(person: Values, alpha: Mask, face: Face, enlarged: float) -> tuple[Values, float]:
    """Take a grainy photo's noise down to a clean one's, and bring a soft photo's edges nearer to a sharp one's.

    What is clean and sharp stays as it is; nothing is made softer, and no smooth skin gets pores.

    Args:
        person: float32, height × width × 3, sRGB 0 to 1.
        alpha: float32, height × width.
        face: In the same pixels.
        enlarged: Headshot pixels per photo pixel.

    Returns:
        The person, and the standard deviation of the grain that is left, sRGB 0 to 1.
    """
    found = grain_of(person, alpha)
    if found > _GRAINY / 255:
        person, found = _calmed(person, found), _COMMON / 255
    return _sharpened(person, found, face, enlarged), found


def _sharpened(person: Values, noise: float, face: Face, enlarged: float) -> Values:
    """Steepen edges by what the face lacks; never brighter or darker than a neighbour, which is what a halo is."""
    part, moved = around(person, face)
    found = _sharpness(part, moved, enlarged)
    wanted = _SHARP * found.enough
    if not 0 < found.value < wanted:
        return person
    width = face.eye_distance / found.value  # px, sigma of the finest edges
    most = _sharpness(_steeper(part, width, noise, _MOST), moved, enlarged).value
    # What is gained grows evenly with what is added.
    share = (wanted - found.value) / max(most - found.value, 1.0)
    return _steeper(person, width, noise, _MOST * min(1.0, share))


def _sharpness(part: Values, face: Face, enlarged: float) -> Sharpness:
    return sharpness(np.rint(np.clip(part, 0, 1) * 255).astype(np.uint8), face, enlarged)


def _steeper(person: Values, width: float, noise: float, amount: float) -> Values:
    grey = _grey(person)
    detail = grey - cv2.GaussianBlur(grey, (0, 0), width)
    detail = np.sign(detail) * np.maximum(np.abs(detail) - _NOISE_LEFT * noise, 0)
    near = np.ones((2 * max(1, round(width)) + 1,) * 2, np.uint8)
    sharp = np.clip(grey + amount * detail, cv2.erode(grey, near), cv2.dilate(grey, near))
    return np.asarray(person + (sharp - grey)[..., None], np.float32)


def grain_of(person: Values, alpha: Mask) -> float:
    """Return the standard deviation of the photo's fine noise in the person, sRGB 0 to 1."""
    grey = _grey(person)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    size = (max(1, grey.shape[1] // _BLOCK), max(1, grey.shape[0] // _BLOCK))
    power = cv2.resize(fine * fine, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > 0.99
    # Black cloth and clipped shirts are flat without being clean.
    middle = np.abs(cv2.resize(grey, size, interpolation=cv2.INTER_AREA) - 0.5) < 0.35
    values = power[inside & middle]
    if values.size < 8:
        return 0.0
    # The high-pass keeps 0.84 of white noise's deviation: 1 - 2·g(0) + Σg² for a Gaussian of sigma 1.
    return float(np.sqrt(np.quantile(values, _FLAT)) / 0.84)


def _calmed(person: Values, sigma: float) -> Values:
    """Take a grainy photo's noise down to a clean one's.

    Detail that is stronger than the noise stays (Wiener's filter, in brightness); its colour is noise at that size.

    Args:
        person: float32, height × width × 3, sRGB 0 to 1.
        sigma: Of the noise, as `grain_of` found it.
    """
    grey = _grey(person)
    mean = cv2.blur(grey, _WINDOW)
    power = np.maximum(cv2.blur(grey * grey, _WINDOW) - mean * mean, 1e-9)
    kept = cv2.blur(np.maximum(power - (_NOISE_SEEN * sigma) ** 2, 0) / power, (3, 3))
    left = _COMMON / 255 / sigma
    fine = (grey - mean) * (1 - kept) * (1 - left)
    tint = person - grey[..., None]
    smooth = cv2.blur(tint, _WINDOW)
    edge = np.clip(kept, left, 1)[..., None]
    return np.asarray(grey[..., None] - fine[..., None] + smooth + (tint - smooth) * edge, np.float32)


def _grey(person: Values) -> Values:
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(person, np.float32), cv2.COLOR_RGB2GRAY), np.float32)


@lru_cache(maxsize=2)  # a team shares one frame
def grain(height: int, width: int) -> Values:
    """Return the pattern of the grain, height × width × 1, standard deviation 1; the same one for everybody."""
    noise = np.random.default_rng(1).standard_normal((height, width), np.float32)
    noise = cv2.GaussianBlur(
        noise, (0, 0), 0.6
    )  # a sensor's noise after demosaicking and JPEG is never one pixel wide
    noise = (noise / noise.std())[..., None]
    noise.flags.writeable = False
    return np.asarray(noise, np.float32)
