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

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from core.errors import AppError

MAX_BYTES = 40_000_000  # HEADSHOTS_UPLOAD_MAX_BYTES's default: a 50 MP phone JPEG is about 20 MB
MAX_PIXELS = 60_000_000  # HEADSHOTS_UPLOAD_MAX_PIXELS's default: a 50 MP phone, at 4 bytes a pixel 240 MB
# The face of a selfie fills a third of it or more, so 3,000 px leave 1,000 px of face: twice what the
# 1,024 px master shows. 27 MB a photo, whatever was uploaded.
WORKING_SIDE = 3000
MIN_BYTES = 100  # no JPEG, PNG, WebP or HEIC picture of a person is smaller

pi_heif.register_heif_opener(thumbnails=False)
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))

Pixels = NDArray[np.uint8]


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
    """No bytes, or far too few to be a picture."""

    code = "empty_file"


class NotAPhoto(UnreadablePhoto):
    """The content is none of the accepted formats."""

    code = "not_a_photo"


class DamagedPhoto(UnreadablePhoto):
    """The right format, but it does not decode to the end."""

    code = "damaged"


class TooManyBytes(UnreadablePhoto):
    """The file is larger than this place accepts."""

    code = "file_too_large"
    status = 413


class TooManyPixels(UnreadablePhoto):
    """The header announces more pixels than this place decodes."""

    code = "too_many_pixels"
    status = 413


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
) -> Picture:
    """Decode a JPEG, PNG, WebP or HEIC into upright sRGB.

    Of an animation the first frame counts. Transparent parts become white. A picture whose long side
    exceeds `working_side` is reduced; a JPEG already while it is decoded, so memory stays bounded.

    Raises:
        EmptyPhoto: fewer bytes than any photo has.
        NotAPhoto: another type of file.
        TooManyBytes: more than `max_bytes`.
        TooManyPixels: more than `max_pixels`, judged before decoding.
        DamagedPhoto: the content ends early or is corrupt.
    """
    if len(content) < MIN_BYTES:
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
                return _upright(image, kind, working_side)
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


def _upright(image: Image.Image, kind: PhotoFormat, working_side: int) -> Picture:
    width, height = image.size
    profile = image.info.get("icc_profile")
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    if kind is PhotoFormat.JPEG and max(width, height) > working_side:
        # A JPEG's DCT decodes at 1/2, 1/4 or 1/8 for free; the result is never below what is asked for.
        scale = working_side / max(width, height)
        image.draft(image.mode, (round(width * scale), round(height * scale)))
    image.load()
    upright = ImageOps.exif_transpose(image)
    if max(upright.size) > working_side:
        upright.thumbnail((working_side, working_side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    pixels = np.ascontiguousarray(np.asarray(_to_srgb(upright, profile)))
    if turned:
        width, height = height, width
    return Picture(pixels, kind, width, height)


def _to_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if image.mode.startswith("I"):  # 16-bit greyscale PNG; Pillow's own conversion would clip, not scale
        eight_bit = (np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(eight_bit)
    if image.mode in ("P", "PA", "LA", "La", "RGBa", "RGBA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        image = Image.new("RGB", rgba.size, "white")
        image.paste(rgba, mask=rgba.getchannel("A"))
    elif image.mode not in ("RGB", "L", "CMYK"):
        image = image.convert("RGB")
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            converted = None  # a broken or mismatched profile: the numbers are most likely sRGB already
        if converted is not None:
            return converted
    return image.convert("RGB")
