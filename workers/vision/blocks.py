"""The squares that strong JPEG compression leaves, seen in the pixels: whichever way a file was saved since."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import Pixels

_SIDE: Final = 8  # px of a block, ITU-T T.81
_EVERY: Final = 3  # of three lines one is enough
_CLIP: Final = 24.0  # levels: an edge of what was photographed counts no more
_LEAST: Final = 0.25  # levels; grain has more, within the blocks of a flat wall there is nothing


def blockiness(pixels: Pixels) -> float:
    """Return how much stronger the steps between blocks are than those within them; 1 for no blocks.

    Columns and rows both have to show them, which stripes and windows do not. Where the grid begins does not matter:
    a picture may have been cut or turned since. One that was reduced or enlarged has no grid of this size any more.
    """
    grey = pixels.astype(np.int16).sum(axis=2) / np.float32(3)
    return min(_across(grey[::_EVERY]), _across(grey.T[::_EVERY]))


def _across(lines: NDArray[np.float32]) -> float:
    steps = np.minimum(np.abs(np.diff(lines, axis=1)), _CLIP).mean(axis=0)
    whole = len(steps) // _SIDE * _SIDE
    if not whole:
        return 1.0
    by_place = steps[:whole].reshape(-1, _SIDE).mean(axis=0)
    return float(by_place.max() / max(np.median(by_place), _LEAST))
