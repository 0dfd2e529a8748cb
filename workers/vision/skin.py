"""Complexion: measured on the cheeks and the forehead, compared in ΔE2000 and ITA°.

The individual typology angle (Chardon et al. 1991) orders complexions by `atan((L* - 50) / b*)`; its six
classes are 13° to 40° wide, so a drift of some degrees is visible as another complexion.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import color

from workers.vision.geometry import Face, Pixels

# Polygons of the face mesh that show bare skin: no lids, lips, nostrils, brows; little beard or hair.
RIGHT_CHEEK: Final = (117, 118, 101, 36, 205, 187, 123)
LEFT_CHEEK: Final = (346, 347, 330, 266, 425, 411, 352)
_FOREHEAD: Final = (109, 10, 338, 337, 151, 108)


@dataclass(frozen=True, slots=True)
class SkinTone:
    """Median colour of the skin in CIE L*a*b* (D65)."""

    lightness: float  # L*, 0 to 100
    red: float  # a*
    yellow: float  # b*

    @property
    def ita(self) -> float:
        """Individual typology angle, degrees: above 55 very light, below -30 dark."""
        return float(np.degrees(np.arctan2(self.lightness - 50.0, max(self.yellow, 1e-3))))

    @property
    def hue(self) -> float:
        """Hue angle, degrees: 0 red, 90 yellow."""
        return float(np.degrees(np.arctan2(self.yellow, self.red)))

    def towards(self, other: SkinTone, share: float) -> SkinTone:
        """Return the tone that lies `share` (0 to 1) of the way to `other`."""
        return SkinTone(
            self.lightness + share * (other.lightness - self.lightness),
            self.red + share * (other.red - self.red),
            self.yellow + share * (other.yellow - self.yellow),
        )

    def difference(self, other: SkinTone) -> float:
        """ΔE2000 between two tones."""
        ours, theirs = (np.array([tone.lightness, tone.red, tone.yellow]) for tone in (self, other))
        return float(color.deltaE_ciede2000(ours, theirs))


def around(picture: NDArray[Any], face: Face) -> tuple[NDArray[Any], Face]:
    """Return the part of a picture in which the face lies, whatever its numbers, and the face in it."""
    box, (height, width) = face.box, picture.shape[:2]
    top, left = max(0, int(box.top)), max(0, int(box.left))
    bottom, right = min(height, int(box.bottom) + 2), min(width, int(box.right) + 2)
    if top >= bottom or left >= right:
        return picture, face
    return picture[top:bottom, left:right], face.moved(-left, -top, 1.0)


def polygon_mask(shape: tuple[int, ...], face: Face, indices: tuple[int, ...]) -> NDArray[np.bool_]:
    """Return where the polygon of these landmarks lies, as a boolean height × width."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.rint(face.landmarks[list(indices), :2]).astype(np.int32)], 1)
    return mask.astype(bool)


def skin_mask(shape: tuple[int, ...], face: Face) -> NDArray[np.bool_]:
    """Return where cheeks and forehead show skin."""
    parts = [polygon_mask(shape, face, part) for part in (RIGHT_CHEEK, LEFT_CHEEK, _FOREHEAD)]
    return parts[0] | parts[1] | parts[2]


def skin_tone(pixels: Pixels, face: Face) -> SkinTone:
    """Measure the complexion.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: Whose.

    Highlights and shadows (the brightest and darkest fifth of the skin) are left out: gloss shows the
    lamp's colour and deep shadow that of the room.
    """
    part, moved = around(pixels, face)
    values = part[skin_mask(part.shape, moved)]
    if values.size == 0:
        values = pixels.reshape(-1, 3)
    lab = color.rgb2lab(values[None].astype(np.float64) / 255.0)[0]
    low, high = np.percentile(lab[:, 0], (20, 80))
    middle = lab[(lab[:, 0] >= low) & (lab[:, 0] <= high)]
    lightness, red, yellow = np.median(middle, axis=0)
    return SkinTone(float(lightness), float(red), float(yellow))
