"""The frame of an avatar: a ring over the picture's edge, and transparency outside of its shape."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.style.colors import parse_hex
from core.style.outputs import Frame, Shape
from workers.vision.geometry import Pixels

_ROUND: Final = 0.18  # radius of rounded corners, of the shorter side: what chat programs show


def bordered(pixels: Pixels, frame: Frame) -> Pixels:
    """Draw the ring of a frame, with a soft edge; nothing where it has none.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        frame: What it is cut to.
    """
    if frame.border == 0:
        return pixels
    inside = _inside(pixels, frame)
    ring = np.clip(frame.border * pixels.shape[1] - inside + 0.5, 0, 1)
    ring = (ring * (inside > -1))[..., None]  # half a pixel of it lies under the soft edge of the shape
    color = np.array(parse_hex(frame.color), np.float32)
    return np.asarray(np.rint(pixels + ring * (color - pixels)), np.uint8)


def transparent(pixels: Pixels, frame: Frame) -> NDArray[np.uint8]:
    """Return the picture with alpha, height × width × 4; what is outside keeps its colours, for the watermark in them."""
    alpha = np.clip(_inside(pixels, frame) + 0.5, 0, 1) * 255
    return np.dstack([pixels, np.rint(alpha).astype(np.uint8)])


def _inside(pixels: Pixels, frame: Frame) -> NDArray[np.float32]:
    """Return how many pixels each pixel's middle is inside of the shape; below 0 outside."""
    height, width = pixels.shape[:2]
    shorter = min(height, width)
    radius = shorter / 2 if frame.shape is Shape.CIRCLE else _ROUND * shorter
    rows, columns = np.indices((height, width), dtype=np.float32)
    # From the rectangle that the corners' middles span; inside of it the nearest edge counts.
    down = np.abs(rows + 0.5 - height / 2) - (height / 2 - radius)
    aside = np.abs(columns + 0.5 - width / 2) - (width / 2 - radius)
    beyond = np.hypot(np.maximum(down, 0), np.maximum(aside, 0)) + np.minimum(np.maximum(down, aside), 0)
    return np.asarray(radius - beyond, np.float32)
