"""The squares that strong JPEG compression leaves, seen in the pixels: whichever way a file was saved since."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import Pixels

_SIDE: Final = 8  # px of a block, ITU-T T.81
_EVERY: Final = 3  # of three lines one is enough
# Levels, times three: red, green and blue are summed, since whole numbers are faster.
_CLIP: Final = 72  # an edge of what was photographed counts no more
_LEAST: Final = 0.75  # grain has more, within the blocks of a flat wall there is nothing


def blockiness(pixels: Pixels) -> float:
    """Return how much stronger the steps between blocks are than those within them; 1 for no blocks.

    Columns and rows both have to show them, which stripes and windows do not. Where the grid begins does not matter:
    a picture may have been cut or turned since. One that was reduced or enlarged has no grid of this size any more.
    """
    across, down = pixels[::_EVERY], pixels[:, ::_EVERY].transpose(1, 0, 2)
    return min(_across(_summed(across)), _across(_summed(down)))


def _summed(pixels: Pixels) -> NDArray[np.int16]:
    red, green, blue = cv2.split(np.ascontiguousarray(pixels))
    return np.asarray(cv2.add(cv2.add(red, green, dtype=cv2.CV_16S), blue, dtype=cv2.CV_16S), np.int16)


def _across(lines: NDArray[np.int16]) -> float:
    steps = cv2.reduce(
        np.minimum(cv2.absdiff(lines[:, 1:], lines[:, :-1]), _CLIP), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F
    )[0]
    steps /= len(lines)
    whole = len(steps) // _SIDE * _SIDE
    if not whole:
        return 1.0
    by_place = steps[:whole].reshape(-1, _SIDE).mean(axis=0)
    return float(by_place.max() / max(np.median(by_place), _LEAST))
