"""What a training picture shows besides the person, in plain words: clothes and setting.

What is said is learned as what it is; what is not said would become part of the person.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import CHIN, Face, Pixels

Mask = NDArray[np.float32]
Seen = NDArray[np.bool_]

_BELOW: Final = 0.3  # head heights below the chin, where clothes begin
_SURE: Final = 0.9  # of the mask
_LEAST: Final = 0.03  # of the picture: less of something says nothing
_PLAIN: Final = 9.0  # standard deviation of L* of a wall, its light falling off included: judgement
_COLOURED: Final = 12.0  # C*ab, from where a grey is called by a colour: judgement
_DARK: Final = 35.0  # L*
_LIGHT: Final = 70.0  # L*
# Upper ends of hue angles, degrees, in CIE L*a*b*.
_HUES: Final = (
    (20, "pink"),
    (50, "red"),
    (75, "orange"),
    (110, "yellow"),
    (170, "green"),
    (300, "blue"),
    (340, "purple"),
)


def clothes(picture: Pixels, mask: Mask, face: Face) -> str:
    """Name the colour of what the person wears; empty where too little of it is in the picture.

    Args:
        picture: uint8, height × width × 3, sRGB.
        mask: How surely a pixel is the person.
        face: In these pixels.
    """
    top = max(0, round(float(face.landmarks[CHIN, 1]) + _BELOW * face.head_height))
    worn = mask > _SURE
    worn[:top] = False
    return f"wearing {_colour(picture, worn)} clothes" if worn.mean() > _LEAST else ""


def setting(picture: Pixels, mask: Mask) -> str:
    """Name what is behind the person; empty where too little of it is in the picture."""
    behind = mask < 1 - _SURE
    if behind.mean() <= _LEAST:
        return ""
    plain = float(_lab(picture)[..., 0][behind].std()) < _PLAIN
    colour = _colour(picture, behind)
    return f"plain {colour} wall" if plain else f"{colour} surroundings with details"


def _colour(picture: Pixels, where: Seen) -> str:
    lightness, a, b = np.median(_lab(picture)[where], axis=0)
    tone = "dark " if lightness < _DARK else "light " if lightness > _LIGHT else ""
    if np.hypot(a, b) < _COLOURED:
        return f"{tone}grey"
    hue = np.degrees(np.arctan2(b, a)) % 360
    name = next((name for end, name in _HUES if hue < end), "pink")
    return f"{tone}{'brown' if name == 'orange' and lightness < _LIGHT else name}"


def _lab(picture: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(picture.astype(np.float32) / 255, cv2.COLOR_RGB2Lab), np.float32)
