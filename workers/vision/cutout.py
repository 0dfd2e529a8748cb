"""A person without background: what matting hands to the finisher."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import Face, Pixels

Mask = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """A person without background.

    Attributes:
        foreground: uint8, height × width × 3, sRGB; the person's own colours, also at soft edges.
        alpha: float32, height × width, 0 to 1.
        face: The face in the cut-out's pixels.
        photo_scale: Cut-out pixels per photo pixel, at most 1.
    """

    foreground: Pixels
    alpha: Mask
    face: Face
    photo_scale: float
