"""How clean is the edge of a cut-out: does a rim of another colour stand between person and wall?

Measured on the finished picture alone. The wall is known, so everything that differs from it is person;
a clean edge shows only mixtures of the wall and of the colour a little further inside, and whatever lies
beside that line is a halo or a fringe of the old background.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from skimage import color

from workers.vision.color import Values
from workers.vision.geometry import CHIN, Face, Pixels
from workers.vision.segment import background

_WALL: Final = 4.0  # ΔE76 up to which a pixel is wall: grain and dither stay below
_BAND: Final = 0.012  # of the head's height: the rim that is looked at
_INNER: Final = (0.02, 0.05)  # of the head's height, inside the edge: where the person's own colour is taken
_SIDE: Final = 720  # px, long side at which it is measured: a rim of half a pixel is none
_NEAR_WALL: Final = 12.0  # ΔE76 between wall and person below which no rim could be told
_LEAST: Final = 50  # px of rim


def fringe(pixels: Pixels, wall: Values, face: Face) -> float | None:
    """Return how far the rim of head and neck lies beside wall-person mixtures, ΔE76, 90th percentile.

    Args:
        pixels: uint8, height × width × 3, sRGB: the finished picture.
        wall: float32, the same size, sRGB 0 to 1: the style's backdrop there.
        face: Found in the picture.

    `None` where too little edge is seen against a wall of another colour.
    """
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    behind = cv2.resize(np.ascontiguousarray(wall, np.float32), size, interpolation=cv2.INTER_AREA)
    face = face.moved(0, 0, scale)
    seen = color.rgb2lab(small / 255.0).astype(np.float32)
    meant = color.rgb2lab(behind).astype(np.float32)
    differs = np.linalg.norm(seen - meant, axis=2) > _WALL
    # A dark suit before a dark wall is no hole: only what hangs together with the outside is wall.
    free = (~differs | background(small)).astype(np.uint8)
    _, labels = cv2.connectedComponents(free, connectivity=4)
    outside = np.isin(labels, np.unique(labels[0][free[0] > 0]))
    inward = cv2.distanceTransform((~outside).astype(np.uint8), cv2.DIST_L2, 5)
    head = face.head_height
    above = np.arange(size[1])[:, None] < face.landmarks[CHIN, 1] + 0.1 * head
    rim = (inward > 0) & (inward <= max(2.0, _BAND * head)) & above
    inner = (inward > _INNER[0] * head) & (inward < _INNER[1] * head)
    weight = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), 0.03 * head)
    own = cv2.GaussianBlur(seen * inner[..., None], (0, 0), 0.03 * head) / np.maximum(weight, 1e-4)[..., None]
    spread = cv2.GaussianBlur(np.square(seen - own).sum(axis=2) * inner, (0, 0), 0.03 * head) / np.maximum(
        weight, 1e-4
    )
    rim &= (weight > 0.05) & (np.linalg.norm(own - meant, axis=2) > _NEAR_WALL)
    if int(rim.sum()) < _LEAST:
        return None
    start, end, here = meant[rim], own[rim], seen[rim]
    along = end - start
    share = np.clip(
        np.einsum("ni,ni->n", here - start, along) / np.einsum("ni,ni->n", along, along), 0.0, 1.0
    )
    off = np.linalg.norm(here - (start + share[:, None] * along), axis=1)
    # Curls and strands vary by themselves; only what goes beyond that is a rim.
    return float(np.percentile(np.maximum(0.0, off - np.sqrt(spread[rim])), 90))
