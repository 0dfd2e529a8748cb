"""What a training picture is, and its sizes. Needs neither the vision side nor torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.diffusion.worn import NOTHING_SEEN, Worn
from workers.vision.geometry import Pixels

Mask = NDArray[np.float32]

# Width and height of the pictures, in 32nds of the base's side: 1:1, 4:5, 3:4 and 5:4 with 1,024, 980, 972
# and 980 squares of them. Few shapes, because a training step is compiled for each.
_SHAPES: Final = ((32, 32), (28, 35), (27, 36), (35, 28))
_STEP: Final = 32  # px; both bases' latents and their patches divide by it
_SIDES: Final = (512, 768, 1024)  # px; a small photo is shown smaller rather than blurred


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """One training picture.

    Attributes:
        key: The photo.
        pixels: uint8, height × width × 3, sRGB; exactly one of the side's `buckets`.
        mask: float32, height × width, 0 to 1: how surely a pixel is the person. Other people are 0 and teach
            nothing; a wall without anybody teaches a little, so that the edge against it is learned.
        caption: What it shows.
        flipped: It is mirrored.
        close: It shows face and hair alone.
        original: Height and width of what was cut out of the photo, before it got the picture's size; pixels.
        worn: What the person wears.
    """

    key: str
    pixels: Pixels
    mask: Mask
    caption: str
    flipped: bool
    close: bool = False
    original: tuple[int, int] | None = None
    worn: Worn = NOTHING_SEEN


def buckets(side: int) -> tuple[tuple[int, int], ...]:
    """Return widths and heights of training pictures: 1:1, about 4:5, 3:4 and 5:4, about `side`² pixels.

    Args:
        side: Pixels, a multiple of 32. The smallest sides have fewer shapes, since both sides of each are
            multiples of 32.
    """
    shapes = (
        (round(wide * side / 32 / _STEP) * _STEP, round(high * side / 32 / _STEP) * _STEP)
        for wide, high in _SHAPES
    )
    return tuple(dict.fromkeys(shapes))


def sides_up_to(side: int) -> tuple[int, ...]:
    """Return the sides, smallest first, that a base of this side learns from."""
    return (*(one for one in _SIDES if one < side), side)
