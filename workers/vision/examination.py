"""What the photo check found and where it looked, so that nothing has to be searched for twice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from core.checks.verdict import Verdict
from workers.vision.decode import Part
from workers.vision.geometry import Box, Face, Pixels

_TRIMMED: Final = 0.02  # of the side: narrower dark bars are left alone
_BLACK: Final = 16  # sRGB; JPEG noise of a black bar stays below
_SPARSE: Final = 8  # px; bars are looked for in every eighth row and column first


@dataclass(frozen=True, slots=True)
class Place:
    """How a view lies in the file it was taken from.

    Attributes:
        width: Of the upright file, pixels.
        height: Of the upright file, pixels.
        turns: Quarter turns counter-clockwise that set it upright, after its own orientation.
        picture: What of the upright file is picture and no black bar, in its pixels.
        left: Where the view begins, pixels of the upright file.
        top: The same from above.
        scale: Pixels of the view per pixel of the file.
    """

    width: int
    height: int
    turns: int
    picture: Box
    left: float
    top: float
    scale: float

    def box(self, face: Face) -> Box:
        """Return where a face of the view lies, in pixels of the upright file."""
        box = face.box
        return Box(
            self.left + box.left / self.scale,
            self.top + box.top / self.scale,
            self.left + box.right / self.scale,
            self.top + box.bottom / self.scale,
        )

    def moved(self, face: Face, other: Place) -> Face:
        """Return a face of the view in the pixels of `other`."""
        shift_x, shift_y = (self.left - other.left) * self.scale, (self.top - other.top) * self.scale
        return face.moved(shift_x, shift_y, other.scale / self.scale)

    def part(self, box: Box) -> tuple[Part, Place]:
        """Return as much of `box` (pixels of the upright file) as is picture, and its place at full size."""
        left, top = max(self.picture.left, int(box.left)), max(self.picture.top, int(box.top))
        right = min(self.picture.right, round(box.right))
        bottom = min(self.picture.bottom, round(box.bottom))
        part = Part(left / self.width, top / self.height, right / self.width, bottom / self.height)
        return part, replace(self, left=left, top=top, scale=1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Examination:
    """A verdict with what was found on the way.

    Attributes:
        verdict: The check's answer.
        pixels: uint8, height × width × 3, sRGB, upright: the photo, or the surroundings of a small face.
        face: The person, in these pixels.
        others: Further faces, in these pixels; they may lie outside.
        place: How these pixels lie in the file.
    """

    verdict: Verdict
    pixels: Pixels | None = None
    face: Face | None = None
    others: tuple[Face, ...] = ()
    place: Place | None = None

    def with_verdict(self, verdict: Verdict) -> Examination:
        """Return the same with another answer."""
        return replace(self, verdict=verdict)


def without_bars(pixels: Pixels) -> Box:
    """Return the picture inside the black bars of a letterboxed frame.

    Only where both sides have a bar of the same width: a dark room is none.
    """
    height, width = pixels.shape[:2]
    # Fewer pixels can only show wider bars, so where these show none there is none.
    if _inside(pixels[::_SPARSE, ::_SPARSE]) == Box(0, 0, -(-width // _SPARSE), -(-height // _SPARSE)):
        return Box(0, 0, width, height)
    return _inside(pixels)


def _inside(pixels: Pixels) -> Box:
    height, width = pixels.shape[:2]
    light = pixels.max(axis=2) > _BLACK
    columns, rows = np.flatnonzero(light.any(axis=0)), np.flatnonzero(light.any(axis=1))
    if columns.size == 0:
        return Box(0, 0, width, height)
    left, right = _bars(int(columns[0]), width - 1 - int(columns[-1]), width)
    top, bottom = _bars(int(rows[0]), height - 1 - int(rows[-1]), height)
    return Box(left, top, width - right, height - bottom)


def _bars(first: int, last: int, side: int) -> tuple[int, int]:
    if min(first, last) < _TRIMMED * side or abs(first - last) > _TRIMMED * side:
        return 0, 0
    # Chroma subsampling bleeds a pixel or two of black into the picture.
    return first + 2, last + 2
