"""Whether a picture stands in another: a phone's screenshot, a frame around a photo."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import Pixels

_SIDE: Final = 480  # px, the longest side at which edges are looked for
_SAME: Final = 3  # of 255; what compression leaves of one colour, reduced
_EVEN: Final = 0.85  # of a row's pixels have its median colour
_BAND: Final = 0.75  # of a band's rows are even: the others are its text and buttons
_ONE_SHADE: Final = 4.0  # of 255, deviation of the even rows' medians
_EDGE: Final = 12  # of 255, across a band's end
_ACROSS: Final = 0.6  # of the width over which a picture begins in one line; an even wall's end covers less
_LEAST: Final = 0.02  # of the height
_MOST: Final = 0.45


def is_framed(pixels: Pixels) -> bool:
    """Say whether an even band with a straight end lies along an edge.

    A plain wall behind a person has no end in a line across the picture, so it is none.

    Args:
        pixels: uint8, height × width × 3, sRGB.
    """
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.int16)
    return any(_band(one) for whole in (grey, grey.T) for one in (whole, whole[::-1]))


def _band(grey: NDArray[np.int16]) -> bool:
    """Say whether the first rows are such a band."""
    height = grey.shape[0]
    rows = grey[: round(_MOST * height) + 2]
    shades = np.median(rows, axis=1)
    even = (np.abs(rows - shades[:, None]) <= _SAME).mean(axis=1) >= _EVEN
    # Over two rows, since reducing a picture spreads an edge.
    step = (np.abs(rows[2:] - rows[:-2]) > _EDGE).mean(axis=1) >= _ACROSS
    for end in np.flatnonzero(step) + 1:
        inside = even[:end]
        if (
            end >= max(2, _LEAST * height)
            and inside.mean() >= _BAND
            and shades[:end][inside].std() <= _ONE_SHADE
        ):
            return True
    return False
