"""The formats of pictures that are taken, told from the content, and why one is not taken."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.errors import AppError


class PhotoFormat(StrEnum):
    """Formats that are accepted."""

    JPEG = "jpeg"
    PNG = "png"
    WEBP = "webp"
    HEIC = "heic"
    AVIF = "avif"


MEDIA_TYPES: Final = {kind: f"image/{kind.value}" for kind in PhotoFormat}
# What a file chooser offers: endings too, for a desktop may know no type of HEIC or AVIF.
ACCEPT: Final = ",".join(
    (".jpg", ".jpeg", ".png", ".webp", ".heic", ".heif", ".avif", *MEDIA_TYPES.values(), "image/heif")
)

_HEIC: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_AVIF: Final = frozenset({b"avif", b"avis"})
_EITHER: Final = frozenset({b"mif1", b"msf1"})  # HEIF as such: what is in it, the further brands say


class UnreadablePhoto(AppError):
    """The file cannot be used as a picture; its subclasses say why."""

    code = "unreadable"
    status = 422


class EmptyPhoto(UnreadablePhoto):
    """No bytes."""

    code = "empty_file"


class NotAPhoto(UnreadablePhoto):
    """The content is none of the accepted formats."""

    code = "not_a_photo"


class DamagedPhoto(UnreadablePhoto):
    """The right format, but part of the picture is missing or was overwritten."""

    code = "damaged"


class TooFewPixels(UnreadablePhoto):
    """A picture, but of an icon's size."""

    code = "too_few_pixels"


class TooManyBytes(UnreadablePhoto):
    """The file is larger than this place accepts."""

    code = "file_too_large"
    status = 413


class TooManyPixels(UnreadablePhoto):
    """The header announces more pixels, or deeper ones, than this place decodes."""

    code = "too_many_pixels"
    status = 413


def sniff(content: bytes) -> PhotoFormat | None:
    """Tell the format from the first bytes; `None` for everything that is not accepted."""
    if content.startswith(b"\xff\xd8\xff"):
        return PhotoFormat.JPEG
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PhotoFormat.PNG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return PhotoFormat.WEBP
    if content[4:8] == b"ftyp":
        return _brand(content)
    return None


def _brand(content: bytes) -> PhotoFormat | None:
    end = min(int.from_bytes(content[:4], "big"), 1024)
    major, further = content[8:12], [content[at : at + 4] for at in range(16, end, 4)]
    for brand in (major, *(further if major in _EITHER else ())):
        if brand in _HEIC:
            return PhotoFormat.HEIC
        if brand in _AVIF:
            return PhotoFormat.AVIF
    return PhotoFormat.HEIC if major in _EITHER else None
