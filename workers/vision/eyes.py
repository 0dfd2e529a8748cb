"""The whites of the eyes: the one part of a face that has nearly the same colour in everybody."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import color

from workers.vision.geometry import LEFT_IRIS, RIGHT_IRIS, Face, Pixels
from workers.vision.skin import polygon_mask

OPENINGS: Final = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
# a*, b* of the whites in 30 real photos of good light: medians 5 and 6; blood vessels make them no true grey.
WHITE: Final = (5.0, 6.0)
_LEAST: Final = 60  # px of white, below which lids and lashes decide
_IRIS: Final = 1.15  # radii around the pupil that belong to the iris and its rim
_NIGHT: Final = 25.0  # L*; below, a colour is noise
_DARK: Final = 45.0  # L*; darker whites are shadow of the lid, which takes the skin's colour


def white_of_eyes(pixels: Pixels, face: Face) -> tuple[float, float] | None:
    """Measure the colour of the whites.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: Whose.

    Returns:
        CIE a* and b* (D65), or `None` where too little white is seen.
    """
    bright = _whites(pixels, face, _LEAST)
    if bright is None:
        return None
    lightness, red, yellow = np.median(bright, axis=0)
    return None if lightness < _DARK else (float(red), float(yellow))


def cast(pixels: Pixels, face: Face) -> float | None:
    """Return how far the whites are at least from their natural colour.

    The nearest quarter of them counts: of narrow eyes the rest is lids, which have the skin's colour. So a
    complexion is never taken for the lamp's colour, and coloured light still shows, since it falls on all.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: Whose.

    Returns:
        Distance in CIE a*b*, or `None` where too little white is seen.
    """
    bright = _whites(pixels, face, _LEAST // 2)
    if bright is None or float(np.median(bright[:, 0])) < _NIGHT:
        return None
    return float(np.percentile(np.hypot(bright[:, 1] - WHITE[0], bright[:, 2] - WHITE[1]), 25))


def _whites(pixels: Pixels, face: Face, least: int) -> NDArray[np.float64] | None:
    """Return L*, a*, b* of the brighter part of both eyes beside the irises; `None` where it is too little."""
    mask = np.zeros(pixels.shape[:2], np.uint8)
    for opening, iris in zip(OPENINGS, (RIGHT_IRIS, LEFT_IRIS), strict=True):
        mask |= polygon_mask(pixels.shape, face, opening).astype(np.uint8)
        centre = face.landmarks[iris, :2]
        radius = _IRIS * float(np.linalg.norm(face.landmarks[iris + 1, :2] - centre))
        cv2.circle(mask, (round(float(centre[0])), round(float(centre[1]))), max(1, round(radius)), 0, -1)
    mask = cv2.erode(mask, np.ones((3, 3), np.uint8))
    values = pixels[mask > 0]
    if len(values) < least:
        return None
    lab = color.rgb2lab(values[None].astype(np.float64) / 255.0)[0]
    return np.asarray(lab[lab[:, 0] >= np.percentile(lab[:, 0], 60)], np.float64)
