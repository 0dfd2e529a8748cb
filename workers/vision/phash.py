"""A perceptual hash of the picture around a face: the same shot keeps it, whatever it was cropped or saved as.

64 bits say how the details of a 32 px grey picture lie; its two coarsest waves are left out, since they
tell the lamp, which two moments share. The bits tell a shot, not a person: two photos of one face
differ as much as those of two faces.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from workers.vision.geometry import Face, Pixels
from workers.vision.upright import upright

_SIDE: Final = 32  # px of the aligned picture
_EYES: Final = 0.4  # of the side between the eyes: the face fills the picture, so a crop changes nothing
_EYE_LINE: Final = 0.38  # of the side
_WAVES: Final = slice(2, 10)  # frequencies in each direction


def phash(pixels: Pixels, face: Face) -> str:
    """Return 16 hex digits; `ranking.same_shot` compares them.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels; levelled and brought to one size first.
    """
    small = upright(pixels, face, (_SIDE, _SIDE), _EYES * _SIDE, _EYE_LINE * _SIDE)
    waves = cv2.dct(small)[_WAVES, _WAVES].ravel()
    bits = waves > np.median(waves)
    return f"{int(''.join('1' if bit else '0' for bit in bits), 2):016x}"
