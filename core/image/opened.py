"""A decoded picture as it lies in its file, and how it becomes sRGB: a band of rows at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.image import icc
from core.image.kinds import PhotoFormat
from core.image.spaces import Space, to_srgb_pixels

Pixels = NDArray[np.uint8]
Numbers = NDArray[Any]  # uint8 or uint16, height × width (× 3, or × 4 for CMYK)

_BAND: Final = 256  # rows that are in work at a time


class Area(NamedTuple):
    """A rectangle, pixels."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(slots=True, eq=False)
class Opened:
    """A decoded picture, not yet upright and not yet sRGB.

    Attributes:
        kind: What the file was.
        width: Of the picture in the file, pixels.
        height: The same.
        mirrored: Whether it has to be mirrored left to right to stand upright.
        quarters: Quarter turns counter-clockwise that come after that.
        colour: What its numbers mean: an ICC profile or a space; `None` for sRGB.
        peak: How bright its brightest parts are, as a multiple of white.
        depth: Bits of each number.
        data: The decoded pixels, a Pillow image or height × width × 3 or 4; a JPEG may have been made smaller
            on the way.
        keeps: What `data` lies in, if that is not its own.
    """

    kind: PhotoFormat
    width: int
    height: int
    mirrored: bool
    quarters: int
    colour: bytes | Space | None
    peak: float
    depth: int
    data: Image.Image | Numbers
    keeps: object = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what was decoded, before it is set upright."""
        if isinstance(self.data, Image.Image):
            return self.data.size
        return int(self.data.shape[1]), int(self.data.shape[0])

    @property
    def has_alpha(self) -> bool:
        """Whether parts of it may be transparent."""
        if isinstance(self.data, Image.Image):
            return self.data.has_transparency_data
        return int(self.data.shape[-1]) == 4

    def rgb(self, area: Area | None = None, size: tuple[int, int] | None = None) -> Pixels:
        """Return a part of it in sRGB, uint8, height × width × 3; what is transparent is white.

        Args:
            area: In decoded pixels as they lie in the file; everything by default.
            size: Width and height to reduce it to.
        """
        area = area or Area(0, 0, *self.size)
        if self.has_alpha:
            pixels = _joined(
                area, (_on_white(self._srgb(numbers), alpha) for numbers, alpha in self._bands(area))
            )
            return _reduced(pixels, size)
        # Made smaller first: colours are converted of fewer pixels then.
        return self._srgb(_reduced(_joined(area, (numbers for numbers, _ in self._bands(area))), size))

    def rgba(self) -> Pixels:
        """Return everything in sRGB with its transparency, uint8, height × width × 4."""
        area = Area(0, 0, *self.size)
        return _joined(area, (_with(self._srgb(numbers), alpha) for numbers, alpha in self._bands(area)))

    def sample(self, side: int) -> Numbers:
        """Return some of its numbers, at most about `side` in each direction, … × 3."""
        if isinstance(self.data, Image.Image):
            few = self.data.resize(
                (min(side, self.size[0]), min(side, self.size[1])), Image.Resampling.NEAREST
            )
            return _rgb(_split(few, self.has_alpha)[0])
        step = -(-max(self.size) // side)
        return np.ascontiguousarray(self.data[::step, ::step, :3])

    def _bands(self, area: Area) -> Iterator[tuple[Numbers, Pixels | None]]:
        """Return colours and transparency of a part, some rows at a time."""
        for top in range(area.top, area.bottom, _BAND):
            bottom = min(top + _BAND, area.bottom)
            if isinstance(self.data, Image.Image):
                yield _split(self.data.crop((area.left, top, area.right, bottom)), self.has_alpha)
                continue
            numbers = self.data[top:bottom, area.left : area.right]
            alpha = numbers[..., 3] if self.has_alpha else None
            yield numbers[..., :3], _eight_bit(alpha, self.depth) if alpha is not None else None

    def _srgb(self, numbers: Numbers) -> Pixels:
        if isinstance(self.colour, Space):
            return to_srgb_pixels(_rgb(numbers), self.colour, self.peak, self.depth)
        numbers = _eight_bit(numbers, self.depth)
        if self.colour is None:
            return _rgb(numbers)
        return _through(self.colour, numbers)


def _joined(area: Area, bands: Iterator[Numbers]) -> Numbers:
    made: Numbers | None = None
    at = 0
    for band in bands:
        if made is None:
            made = np.empty((area.bottom - area.top, *band.shape[1:]), band.dtype)
        made[at : at + len(band)] = band
        at += len(band)
    assert made is not None, "an area has rows"
    return made


def _reduced(numbers: Numbers, size: tuple[int, int] | None) -> Numbers:
    return numbers if size is None else np.asarray(cv2.resize(numbers, size, interpolation=cv2.INTER_AREA))


def _split(image: Image.Image, has_alpha: bool) -> tuple[Numbers, Pixels | None]:
    """Return the numbers of a picture of any mode, grey ones as height × width, and its transparency."""
    if image.mode.startswith("I"):  # 16-bit grey; Pillow's own conversion would clip, not scale
        image = Image.fromarray(_eight_bit(np.asarray(image).astype(np.uint16), 16))
    if has_alpha:
        grey = image.mode in ("L", "LA", "La")
        image = image.convert("LA" if grey else "RGBA")
        return np.asarray(image.convert("L" if grey else "RGB")), np.asarray(image.getchannel("A"))
    if image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    return np.asarray(image), None


def _eight_bit(numbers: Numbers, depth: int) -> Pixels:
    return numbers if depth == 8 else (numbers >> (depth - 8)).astype(np.uint8)


def _rgb(numbers: Numbers) -> Numbers:
    if numbers.ndim == 2:
        return np.repeat(numbers[..., None], 3, axis=2)
    if numbers.shape[2] == 4:
        return _by_rows(lambda band: np.asarray(Image.fromarray(band, "CMYK").convert("RGB")), numbers)
    return np.ascontiguousarray(numbers)


def _by_rows(convert: Callable[[Numbers], Pixels], numbers: Numbers) -> Pixels:
    made = np.empty((*numbers.shape[:2], 3), np.uint8)
    for top in range(0, len(numbers), _BAND):
        made[top : top + _BAND] = convert(numbers[top : top + _BAND])
    return made


def _with(pixels: Pixels, alpha: Pixels | None) -> Pixels:
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8) if alpha is None else alpha])


def _on_white(pixels: Pixels, alpha: Pixels | None) -> Pixels:
    if alpha is None:
        return pixels
    share = alpha[..., None].astype(np.uint16)
    return ((pixels * share + 255 * (255 - share) + 127) // 255).astype(np.uint8)


def _through(profile: bytes, numbers: Pixels) -> Pixels:
    mode = "L" if numbers.ndim == 2 else "RGB" if numbers.shape[2] == 3 else "CMYK"
    convert = icc.through(profile, mode)
    if convert is None:
        return _rgb(numbers)
    return _by_rows(
        lambda band: np.asarray(convert(Image.fromarray(np.ascontiguousarray(band), mode))), numbers
    )
