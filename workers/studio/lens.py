"""What a wide-open lens does to things far behind the person: every point becomes a disc."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from workers.vision.color import Values

_LARGEST_RADIUS: Final = 24.0  # pixels at which a blur is computed; a larger one on a smaller picture
_SWIRL: Final = 0.4  # of the radius, by which the barrel cuts discs in the corners to cat's eyes
_RIM: Final = 0.15  # by which a disc's edge is brighter than its middle: spherical aberration


def defocus(linear: Values, radius: float) -> Values:
    """Blur as an open aperture does: the mean over a disc, not a bell.

    Args:
        linear: float32, height × width × channels, linear light; highlights may be above 1.
        radius: Of the disc, pixels.
    """
    if radius < 0.3:
        return linear
    height, width = linear.shape[:2]
    shrink = max(1.0, radius / _LARGEST_RADIUS)
    if shrink > 1:
        size = (max(1, round(width / shrink)), max(1, round(height / shrink)))
        linear = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.filter2D(linear, -1, disc(radius / shrink), borderType=cv2.BORDER_REFLECT)
    if shrink > 1:
        blurred = cv2.resize(blurred, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.maximum(blurred, 0), np.float32).reshape(height, width, *linear.shape[2:])


@lru_cache(maxsize=16)
def disc(radius: float) -> Values:
    """Return a disc of sum 1 with a soft pixel at its edge."""
    reach = int(np.ceil(radius + 0.5))
    away = np.hypot(*np.ogrid[-reach : reach + 1, -reach : reach + 1])
    kernel = np.clip(radius + 0.5 - away, 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def add_light(linear: Values, x: float, y: float, radius: float, light: Values) -> None:
    """Add the disc of one bright point to a blurred picture, in place.

    Args:
        linear: float32, height × width × 3, linear light.
        x: Pixels from the left; the point may lie outside.
        y: Pixels from the top.
        radius: Of the disc, pixels.
        light: What the disc's middle adds, linear red, green and blue.
    """
    height, width = linear.shape[:2]
    left, right = max(0, int(x - radius - 1)), min(width, int(x + radius + 2))
    top, bottom = max(0, int(y - radius - 1)), min(height, int(y + radius + 2))
    if left >= right or top >= bottom:
        return
    rows, columns = np.ogrid[top:bottom, left:right]
    away = np.hypot(rows - y, columns - x)
    half = min(width, height) / 2
    # The rear rim of the barrel is a second disc, shifted towards the frame's middle.
    shift_x, shift_y = (width / 2 - x) / half * _SWIRL * radius, (height / 2 - y) / half * _SWIRL * radius
    behind = np.hypot(rows - y - shift_y, columns - x - shift_x)
    soft = 0.12 * radius + 1  # air and glass: no disc has a cut edge
    inside = np.clip((radius - away) / soft, 0, 1) * np.clip((1.15 * radius - behind) / soft, 0, 1)
    shape = inside**2 * (3 - 2 * inside) * (1 + _RIM * np.clip(away / radius, 0, 1) ** 6)
    linear[top:bottom, left:right] += shape[..., None].astype(np.float32) * light
