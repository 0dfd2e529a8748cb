"""A photo in the size that is looked at: upright, sRGB, every byte of metadata gone.

What a file has to be is judged in `core.image.reading`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.image.kinds import PhotoFormat
from core.image.opened import Area
from core.image.reading import MAX_BYTES, MAX_PIXELS, open_picture

# A face of 1/40 of it is still found (`faces.find_faces`), and a selfie's eyes lie 150 px apart; what is
# small or has to be printed large is looked at again by `at_head_height`. 6 MB a photo, whatever was uploaded.
WORKING_SIDE = 1600
FULL_SIZE = 100_000  # px, a working side that no photo has
MIN_SIDE = 64  # px, short side: below, no face has 40 px between its eyes

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a picture, in fractions of its width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def area(self, width: int, height: int) -> Area:
        """Return it in pixels; never empty and never outside."""
        left = min(max(0, round(self.left * width)), width - 1)
        top = min(max(0, round(self.top * height)), height - 1)
        right, bottom = round(self.right * width), round(self.bottom * height)
        return Area(left, top, min(max(left + 1, right), width), min(max(top + 1, bottom), height))


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded photo.

    Attributes:
        pixels: uint8, height × width × 3, sRGB, upright.
        format: What the file was.
        original_width: Upright width in the file, pixels; `width` is smaller when it was reduced.
        original_height: Upright height in the file, pixels.
    """

    pixels: Pixels
    format: PhotoFormat
    original_width: int
    original_height: int

    @property
    def width(self) -> int:
        """Width of `pixels`."""
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        """Height of `pixels`."""
        return int(self.pixels.shape[0])


def decode(
    content: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    working_side: int = WORKING_SIDE,
    turns: int = 0,
    part: Part | None = None,
    walked: bool = False,
) -> Picture:
    """Decode a JPEG, PNG, WebP, HEIC or AVIF into upright sRGB.

    Of an animation the first frame counts. Transparent parts become white. A picture whose long side
    exceeds `working_side` is reduced; a JPEG already while it is decoded, so memory stays bounded.

    Args:
        content: The file.
        max_bytes: Of the file.
        max_pixels: Announced by the header.
        working_side: Long side that the whole picture gets at most, pixels.
        turns: Quarter turns counter-clockwise, after the file's own orientation.
        part: Of the picture so turned; the whole by default.
        walked: Whether the same file was decoded before; see `open_picture`.

    Raises:
        EmptyPhoto: no bytes.
        NotAPhoto: another type of file.
        TooFewPixels: the short side is below `MIN_SIDE`.
        TooManyBytes: more than `max_bytes`.
        TooManyPixels: more than `max_pixels` or than memory allows, judged before decoding.
        DamagedPhoto: the content ends early or is corrupt.
    """
    opened = open_picture(
        content,
        max_bytes=max_bytes,
        max_pixels=max_pixels,
        min_side=MIN_SIDE,
        working_side=working_side,
        walked=walked,
    )
    quarters = (opened.quarters + turns) % 4
    width, height = opened.size  # as they lie in the file; turned below
    across, down = (height, width) if quarters % 2 else (width, height)
    area = (part or Part()).area(across, down)
    scale = min(1.0, working_side / max(opened.width, opened.height)) * opened.height / height
    wide, high = area.right - area.left, area.bottom - area.top
    size = None
    if scale <= 1 - 2 / max(wide, high):  # a DCT's odd row too many is not worth a resampling
        size = (max(1, round(wide * scale)), max(1, round(high * scale)))
        size = size[::-1] if quarters % 2 else size
    pixels = opened.rgb(_before(area, quarters, across, down, opened.mirrored), size)
    pixels = np.ascontiguousarray(np.rot90(pixels[:, ::-1] if opened.mirrored else pixels, quarters))
    turned = (opened.height, opened.width) if quarters % 2 else (opened.width, opened.height)
    return Picture(pixels, opened.kind, *turned)


def _before(area: Area, quarters: int, width: int, height: int, mirrored: bool) -> Area:
    """Return where a part of the upright picture lies before it is mirrored and turned.

    Args:
        area: In the upright picture.
        quarters: By which it was turned counter-clockwise.
        width: Of the upright picture, pixels.
        height: The same.
        mirrored: Whether it was mirrored left to right before that.
    """
    left, top, right, bottom = area
    for _ in range(quarters):  # back by a quarter, clockwise
        left, top, right, bottom = height - bottom, left, height - top, right
        width, height = height, width
    if mirrored:
        left, right = width - right, width - left
    return Area(left, top, right, bottom)
