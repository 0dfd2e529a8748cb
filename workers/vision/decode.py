"""Untrusted bytes to pixels: the only door for a picture that somebody uploads.

The type is read from the content, never from a file name. Size is judged from the header before
anything is decoded. What comes out is plain sRGB: orientation applied, every byte of metadata gone.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from enum import StrEnum

import cv2
import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image

from core.errors import AppError
from core.srgb import to_srgb

MAX_BYTES = 40_000_000  # HEADSHOTS_UPLOAD_MAX_BYTES's default: a 50 MP phone JPEG is about 20 MB
MAX_PIXELS = 60_000_000  # HEADSHOTS_UPLOAD_MAX_PIXELS's default: a 50 MP phone, at 4 bytes a pixel 240 MB
# A face of 1/40 of it is still found (`faces.find_faces`), and a selfie's eyes lie 150 px apart; what is
# small or has to be printed large is looked at again by `closer`. 6 MB a photo, whatever was uploaded.
WORKING_SIDE = 1600
FULL_SIZE = 100_000  # px, a working side that no photo has
MIN_SIDE = 64  # px, long side: below, no face has 40 px between its eyes

pi_heif.register_heif_opener(thumbnails=False)

Pixels = NDArray[np.uint8]


# EXIF orientation → quarter turns counter-clockwise, after mirroring left to right.
_ORIENTATIONS = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 1),
    6: (False, 3),
    7: (True, 3),
    8: (False, 1),
}


class PhotoFormat(StrEnum):
    """Formats that are accepted."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"


_PILLOW_NAMES = {
    PhotoFormat.JPEG: "JPEG",
    PhotoFormat.PNG: "PNG",
    PhotoFormat.WEBP: "WEBP",
    PhotoFormat.HEIC: "HEIF",
}
_HEIC_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


class UnreadablePhoto(AppError):
    """The file cannot be used as a photo; its subclasses say why."""

    code = "unreadable"
    status = 422


class EmptyPhoto(UnreadablePhoto):
    """No bytes."""

    code = "empty_file"


class NotAPhoto(UnreadablePhoto):
    """The content is none of the accepted formats."""

    code = "not_a_photo"


class DamagedPhoto(UnreadablePhoto):
    """The right format, but it does not decode to the end."""

    code = "damaged"


class TooFewPixels(UnreadablePhoto):
    """A picture, but of an icon's size."""

    code = "too_few_pixels"


class TooManyBytes(UnreadablePhoto):
    """The file is larger than this place accepts."""

    code = "file_too_large"
    status = 413


class TooManyPixels(UnreadablePhoto):
    """The header announces more pixels than this place decodes."""

    code = "too_many_pixels"
    status = 413


@dataclass(frozen=True, slots=True)
class Part:
    """A rectangle of a picture, in fractions of its width and height."""

    left: float = 0.0
    top: float = 0.0
    right: float = 1.0
    bottom: float = 1.0

    def slices(self, height: int, width: int) -> tuple[slice, slice]:
        """Return the rows and columns; never empty."""
        rows = slice(max(0, round(self.top * height)), max(1, round(self.bottom * height)))
        columns = slice(max(0, round(self.left * width)), max(1, round(self.right * width)))
        return rows, columns


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


def sniff(content: bytes) -> PhotoFormat | None:
    """Tell the format from the first bytes; `None` for everything that is not accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return PhotoFormat.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PhotoFormat.PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if content[4:8] == b"ftyp" and content[8:12] in _HEIC_BRANDS:
        return PhotoFormat.HEIC
    return None


def decode(
    content: bytes,
    *,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    working_side: int = WORKING_SIDE,
    turns: int = 0,
    part: Part | None = None,
) -> Picture:
    """Decode a JPEG, PNG, WebP or HEIC into upright sRGB.

    Of an animation the first frame counts. Transparent parts become white. A picture whose long side
    exceeds `working_side` is reduced; a JPEG already while it is decoded, so memory stays bounded.

    Args:
        content: The file.
        max_bytes: Of the file.
        max_pixels: Announced by the header.
        working_side: Long side that the whole picture gets at most, pixels.
        turns: Quarter turns counter-clockwise, after the file's own orientation.
        part: Of the picture so turned; the whole by default.

    Raises:
        EmptyPhoto: no bytes.
        NotAPhoto: another type of file.
        TooFewPixels: below `MIN_SIDE`.
        TooManyBytes: more than `max_bytes`.
        TooManyPixels: more than `max_pixels`, judged before decoding.
        DamagedPhoto: the content ends early or is corrupt.
    """
    if not content:
        raise EmptyPhoto("This file is empty. Please choose the photo again.")
    if len(content) > max_bytes:
        raise TooManyBytes(
            f"This file is larger than {max_bytes // 1_000_000} MB. "
            "Please upload the photo as your phone saved it, or a smaller copy."
        )
    kind = sniff(content)
    if kind is None:
        raise NotAPhoto("This is not a photo that can be used here. Please upload a JPEG, PNG, WebP or HEIC.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd EXIF; the limits below are ours
            with Image.open(io.BytesIO(content), formats=(_PILLOW_NAMES[kind],)) as image:
                if image.width * image.height > max_pixels:
                    raise _too_many(max_pixels)
                if max(image.size) < MIN_SIDE:
                    raise TooFewPixels(
                        "This picture is too small. Please upload the photo as your phone saved it."
                    )
                return _upright(image, kind, working_side, turns, part or Part())
    except Image.DecompressionBombError:
        raise _too_many(max_pixels) from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, RuntimeError, struct.error):
        raise DamagedPhoto(
            "This photo is damaged or was cut short on its way. Please upload the original again."
        ) from None


def _too_many(max_pixels: int) -> TooManyPixels:
    return TooManyPixels(
        f"This picture has more than {max_pixels // 1_000_000} million pixels. "
        "Please upload the photo as your phone saved it."
    )


def _upright(image: Image.Image, kind: PhotoFormat, working_side: int, turns: int, part: Part) -> Picture:
    width, height = image.size
    profile = image.info.get("icc_profile")
    mirrored, quarters = _ORIENTATIONS.get(image.getexif().get(0x0112, 1), (False, 0))
    scale = min(1.0, working_side / max(width, height))
    if kind is PhotoFormat.JPEG and scale < 1:
        # A JPEG's DCT decodes at 1/2, 1/4 or 1/8 for free; the result is never below what is asked for.
        image.draft(image.mode, (round(width * scale), round(height * scale)))
    if image.mode != "RGB" or "transparency" in image.info:
        image = to_srgb(_opaque(image), profile)
        profile = None
    pixels = np.asarray(image)
    pixels = np.rot90(pixels[:, ::-1] if mirrored else pixels, quarters + turns)
    rows, columns = part.slices(*pixels.shape[:2])
    if (quarters + turns) % 2:
        width, height = height, width
    scale *= height / pixels.shape[0]
    pixels = _reduced(np.ascontiguousarray(pixels[rows, columns]), scale)
    if profile:
        pixels = np.asarray(to_srgb(Image.fromarray(pixels), profile))
    return Picture(pixels, kind, width, height)


def _reduced(pixels: Pixels, scale: float) -> Pixels:
    if scale > 1 - 2 / max(pixels.shape):  # a DCT's odd row too many is not worth a resampling
        return pixels
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def _opaque(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit greyscale PNG; Pillow's own conversion would clip, not scale
        eight_bit = (np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(eight_bit)
    if image.mode in ("P", "PA", "LA", "La", "RGBa", "RGBA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    return image
