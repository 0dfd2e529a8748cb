"""What a brand's picture is taken for before anybody decodes it, and small copies of what was kept."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from PIL import Image

from core.errors import InvalidInput
from core.image.kinds import MEDIA_TYPES, PhotoFormat, sniff

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMATS: Final = frozenset({PhotoFormat.PNG, PhotoFormat.JPEG, PhotoFormat.WEBP})
MAX_BYTES: Final = 20_000_000


class PictureUnusable(InvalidInput):
    """The file is no picture that we take."""

    code = "picture_unusable"


def glance(content: bytes) -> str:
    """Return the media type of what may be a picture, by its size and its first bytes alone.

    Raises:
        PictureUnusable: empty, too large, or another type of file.
    """
    if not content:
        raise PictureUnusable("This file is empty. Please choose it again, or another one.")
    head = content[:1000].lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith((b"<svg", b"<?xml", b"<!doctype svg")):
        raise PictureUnusable(
            "SVG files can carry scripts, so they are not taken. Please export the picture as a PNG,"
            " at least 512 pixels wide."
        )
    if len(content) > MAX_BYTES:
        raise PictureUnusable("This picture is larger than 20 MB. Please upload a smaller copy.")
    kind = sniff(content)
    if kind is None or kind not in FORMATS:
        raise PictureUnusable("This file is not a picture that can be read. PNG, JPEG and WebP work.")
    return MEDIA_TYPES[kind]


def size(kept: bytes) -> tuple[int, int]:
    """Return width and height of a PNG or JPEG of our own, from its header."""
    with Image.open(io.BytesIO(kept), formats=("PNG", "JPEG")) as picture:
        return picture.size


def rgba(kept: bytes) -> NDArray[np.uint8]:
    """Return a PNG of our own as uint8, height × width × 4, sRGB with alpha."""
    import numpy as np  # web processes, which only look at what is kept, do without

    with Image.open(io.BytesIO(kept), formats=("PNG",)) as picture:
        return np.asarray(picture.convert("RGBA"))


def smaller(kept: bytes, largest_side: int) -> bytes:
    """Return a JPEG of our own with at most `largest_side` pixels."""
    with Image.open(io.BytesIO(kept), formats=("JPEG",)) as picture:
        # Decoded at a half, a quarter or an eighth, which costs next to nothing; never below what is asked for.
        picture.draft("RGB", (largest_side, largest_side))
        picture.thumbnail((largest_side, largest_side), Image.Resampling.LANCZOS)
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=92)
        return target.getvalue()
