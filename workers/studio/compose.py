"""Put the person before the wall so that both seem to be in one room: contact light, and the same grain."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from core.style.spec import Backdrop
from workers.studio.texture import GRAIN, grain
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.cutout import Mask

CONTACT_REACH: Final = 0.12  # of the frame's height: as far as the contact light can be seen
_CONTACT_SIGMA: Final = 0.045  # of the frame's height
_CONTACT_DROP: Final = 0.02  # of the frame's height: light from above throws it a little lower


def compose(person: Values, alpha: Mask, wall: Values, spec: Backdrop, noise: float) -> Values:
    """Mix person and wall.

    Args:
        person: float32, height × width × 3, sRGB 0 to 1.
        alpha: float32, height × width.
        wall: float32, height × width × 3, sRGB 0 to 1.
        spec: Says how much contact light and grain.
        noise: Standard deviation of the person's own grain, sRGB 0 to 1.

    Alpha and colours were estimated on encoded values, so they are mixed on encoded values.
    """
    if spec.contact:
        wall = _with_contact(wall, alpha, spec.contact)
    if spec.grain > 0:
        pattern, common = grain(wall.shape[0], wall.shape[1]), GRAIN / 255
        wall = wall + common * spec.grain * pattern
        if noise < common:
            person = person + float(np.sqrt(common**2 - noise**2)) * spec.grain * pattern
    return np.asarray(wall + (person - wall) * alpha[..., None], np.float32)


def _with_contact(wall: Values, alpha: Mask, stops: float) -> Values:
    height = alpha.shape[0]
    shift = np.array([[1, 0, 0], [0, 1, _CONTACT_DROP * height]], np.float64)
    lower = cv2.warpAffine(alpha, shift, (alpha.shape[1], height), borderMode=cv2.BORDER_REPLICATE)
    near = cv2.GaussianBlur(lower, (0, 0), _CONTACT_SIGMA * height, borderType=cv2.BORDER_REPLICATE)
    return to_srgb(to_linear(np.asarray(wall, np.float32)) * np.exp2(stops * near)[..., None])
