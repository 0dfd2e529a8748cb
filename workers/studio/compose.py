"""Put the person before the wall so that both seem to be in one room: contact light, and the same grain."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from core.style.spec import Backdrop
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.cutout import Mask

CONTACT_REACH: Final = 0.12  # of the frame's height: as far as the contact light can be seen
_CONTACT_SIGMA: Final = 0.045  # of the frame's height
_CONTACT_DROP: Final = 0.02  # of the frame's height: light from above throws it a little lower
# 8-bit steps; noisier selfies keep their own noise, but a wall that noisy would miss the brand's colour
# (ΔE2000 0.5 in the median is one step and a half).
_MOST_GRAIN: Final = 1.2
# 8-bit steps. Seven photos of good cameras have 0.9 to 2.3 in a headshot, skin's pores among them; what has more than
# the first is taken down to the second.
_GRAINY: Final = 2.6
_COMMON: Final = 1.8
_WINDOW: Final = (5, 5)  # px
_NOISE_SEEN: Final = 1.3  # times the flattest patches' noise: grain is stronger on lit skin than there
_BLOCK: Final = 16  # px, side of a patch whose noise is measured
_FLAT: Final = 0.2  # quantile of the patches: the flattest ones show noise, the others skin and cloth


def compose(person: Values, alpha: Mask, wall: Values, spec: Backdrop) -> Values:
    """Mix person and wall.

    Args:
        person: float32, height × width × 3, sRGB 0 to 1.
        alpha: float32, height × width.
        wall: float32, height × width × 3, sRGB 0 to 1.
        spec: Says how much contact light and grain.

    Alpha and colours were estimated on encoded values, so they are mixed on encoded values.
    """
    if spec.contact:
        wall = _with_contact(wall, alpha, spec.contact)
    found = grain_of(person, alpha)
    if found > _GRAINY / 255:
        person = _calmed(person, found)
    sigma = min(_MOST_GRAIN / 255, found) * spec.grain
    if sigma > 0.1 / 255:
        wall = wall + sigma * _grain(wall.shape[0], wall.shape[1])
    return np.asarray(wall + (person - wall) * alpha[..., None], np.float32)


def grain_of(person: Values, alpha: Mask) -> float:
    """Return the standard deviation of the photo's fine noise in the person, sRGB 0 to 1."""
    grey = cv2.cvtColor(np.ascontiguousarray(person, np.float32), cv2.COLOR_RGB2GRAY)
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
    """Take a grainy photo's noise down to a clean one's, so that it can stand beside such.

    Detail that is stronger than the noise stays (Wiener's filter, in brightness); its colour is noise at that size.

    Args:
        person: float32, height × width × 3, sRGB 0 to 1.
        sigma: Of the noise, as `grain_of` found it.
    """
    grey = cv2.cvtColor(np.ascontiguousarray(person, np.float32), cv2.COLOR_RGB2GRAY)
    mean = cv2.blur(grey, _WINDOW)
    power = np.maximum(cv2.blur(grey * grey, _WINDOW) - mean * mean, 1e-9)
    kept = cv2.blur(np.maximum(power - (_NOISE_SEEN * sigma) ** 2, 0) / power, (3, 3))
    left = _COMMON / 255 / sigma
    fine = (grey - mean) * (1 - kept) * (1 - left)
    tint = person - grey[..., None]
    smooth = cv2.blur(tint, _WINDOW)
    edge = np.clip(kept, left, 1)[..., None]
    return np.asarray(grey[..., None] - fine[..., None] + smooth + (tint - smooth) * edge, np.float32)


def _with_contact(wall: Values, alpha: Mask, stops: float) -> Values:
    height = alpha.shape[0]
    shift = np.array([[1, 0, 0], [0, 1, _CONTACT_DROP * height]], np.float64)
    lower = cv2.warpAffine(alpha, shift, (alpha.shape[1], height), borderMode=cv2.BORDER_REPLICATE)
    near = cv2.GaussianBlur(lower, (0, 0), _CONTACT_SIGMA * height, borderType=cv2.BORDER_REPLICATE)
    return to_srgb(to_linear(np.asarray(wall, np.float32)) * np.exp2(stops * near)[..., None])


@lru_cache(maxsize=2)  # a team shares one frame
def _grain(height: int, width: int) -> Values:
    noise = np.random.default_rng(1).standard_normal((height, width), np.float32)
    noise = cv2.GaussianBlur(
        noise, (0, 0), 0.6
    )  # a sensor's noise after demosaicking and JPEG is never one pixel wide
    noise = (noise / noise.std())[..., None]
    noise.flags.writeable = False
    return np.asarray(noise, np.float32)
