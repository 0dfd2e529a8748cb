"""Whether somebody wears glasses: the frame's bridge over the nose and its lower rims."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from workers.vision.geometry import Face, Pixels
from workers.vision.upright import Grey, upright

_EYES: Final = 80  # px between the eyes while looking
_EYE_LINE: Final = 80  # px from the top
_SIDE: Final = 240  # px
_BRIDGE: Final = (-0.09, 0.09, -0.35, 0.35)  # left, right, top, bottom: eye distances from the eyes' middle
_RIMS: Final = ((-0.62, -0.38, 0.12, 0.6), (0.38, 0.62, 0.12, 0.6))
_THICK: Final = 0.09  # eye distances: a frame is thinner, a fold of the skin mostly thicker
# In natural logarithms of light, of the second darkest of the three lines. Bare faces had up to 0.14, dark
# frames that were painted on 0.8 to 1.7, thin brown ones 0.3 to 0.7. Thin gold ones are missed.
_FRAME: Final = 0.25


def wears_glasses(pixels: Pixels, face: Face) -> bool:
    """Say whether two of the bridge and the lower rims show a frame.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    grey = upright(pixels, face, (_SIDE, _SIDE), _EYES, _EYE_LINE)
    light = np.log(grey + np.float32(8.0))
    return sorted(_line(light, part) for part in (_BRIDGE, *_RIMS))[1] > _FRAME


def _line(light: Grey, part: tuple[float, float, float, float]) -> float:
    """Return how much darker the darkest level line is than what lies above and below it."""
    left, right, top, bottom = (round(reach * _EYES) for reach in part)
    middle = _SIDE // 2
    rows = light[_EYE_LINE + top : _EYE_LINE + bottom, middle + left : middle + right].mean(axis=1)
    rows = cv2.GaussianBlur(rows[:, None], (1, 1), 1)[:, 0]
    reach = round(_THICK * _EYES)
    around = np.minimum(rows[: -2 * reach], rows[2 * reach :])
    return float((around - rows[reach:-reach]).max())
