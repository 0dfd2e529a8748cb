"""The rim of a cut without a veil of the place where the person stood.

Where wall and person have like colours, or the wall is out of focus, matting leaves a veil: alpha that changes slowly
over many pixels, with the wall's own colour in it. Before a painted place nobody sees it; before a plain dark or white
backdrop it is a halo. A real edge is as sharp as the lens, and hair that lets the wall through does so in strands. So
what is neither is settled to the side that it is nearer to.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from workers.vision.cutout import Mask
from workers.vision.segment import disc

# Chosen by eye on three real photos before a dark and a white wall; see docs/sources.md, "The rim of a cut".
_EDGE: Final = 0.008  # of the head's height, radius: within it an edge has crossed from wall to person
_CLEAN: Final = (
    0.75  # quantile of the slopes at a half: a photo's clean edges, which out of focus are wide and stay so
)
_WIDEST: Final = 12.0  # px of an edge
_STEEPER: Final = 3.0  # times, at most: what hardly changes is not decided by its noise
_STRAND: Final = 0.005  # of the head's height, radius: what is wider is no strand, and no gap between strands
_STANDS_OUT: Final = (
    0.4  # alpha by which a strand differs from both of its sides, and is left as it was solved
)


def settled(alpha: Mask, head: float) -> Mask:
    """Take the veil off: edges become as sharp as a lens draws them, strands and the gaps between them stay.

    What is above a half stays above it.

    Args:
        alpha: float32, height × width, 0 to 1.
        head: The head's height, px.
    """
    radius = max(1, round(max(_EDGE * head, _width(alpha))))
    around, narrow = disc(radius), disc(max(1, round(_STRAND * head)))
    rise = cv2.GaussianBlur(cv2.dilate(alpha, around) - cv2.erode(alpha, around), (0, 0), radius / 2)
    steep = np.clip(0.5 + (alpha - 0.5) / np.maximum(rise, 1 / _STEEPER), 0, 1)
    strands = cv2.morphologyEx(alpha, cv2.MORPH_TOPHAT, narrow)
    gaps = cv2.morphologyEx(alpha, cv2.MORPH_BLACKHAT, narrow)
    fine = np.minimum(np.maximum(strands, gaps) / _STANDS_OUT, 1)
    return np.asarray(steep + fine * (alpha - steep), np.float32)


def _width(alpha: Mask) -> float:
    """Return over how many pixels a clean edge of this photo crosses from wall to person."""
    slope = np.hypot(cv2.Sobel(alpha, cv2.CV_32F, 1, 0), cv2.Sobel(alpha, cv2.CV_32F, 0, 1)) / 8
    half = np.abs(alpha - 0.5) < 0.2
    return min(_WIDEST, 1 / max(1e-3, float(np.quantile(slope[half], _CLEAN)))) if half.any() else 1.0
