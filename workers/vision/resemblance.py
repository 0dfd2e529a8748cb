"""Whether two pictures of a face are the same picture: fine detail, whatever the light, colour or mirror."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from workers.vision.geometry import Face, Pixels
from workers.vision.upright import Grey, upright

_SIDE: Final = 128  # px
_EYES: Final = 0.4  # of the side between the eyes: the face fills the picture
_EYE_LINE: Final = 0.38  # of the side
_FINE: Final = 1.5  # px; noise and compression stay below
_COARSE: Final = 12.0  # px; light and complexion stay above
_FLAT: Final = 4.0  # of 255; what varies by less is even
_SHIFT: Final = 4  # px by which two pictures are moved for the best fit


def detail(pixels: Pixels, face: Face) -> Grey:
    """Return the drawing of a face with light and contrast taken out, 128 × 128; see `resemblance`.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    grey = upright(pixels, face, (_SIDE, _SIDE), _EYES * _SIDE, _EYE_LINE * _SIDE)
    band = cv2.GaussianBlur(grey, (0, 0), _FINE) - cv2.GaussianBlur(grey, (0, 0), _COARSE)
    contrast = np.sqrt(cv2.GaussianBlur(band * band, (0, 0), _COARSE)) + _FLAT
    return np.asarray(band / contrast, np.float32)


def resemblance(one: Grey, other: Grey) -> float:
    """Return the correlation of two `detail`, as they are or with one mirrored; 1 is the same picture."""
    core = np.ascontiguousarray(one[_SHIFT:-_SHIFT, _SHIFT:-_SHIFT])
    views = (other, np.ascontiguousarray(other[:, ::-1]))
    return max(float(cv2.matchTemplate(view, core, cv2.TM_CCOEFF_NORMED).max()) for view in views)
