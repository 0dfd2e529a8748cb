"""Decoding the pictures that a company uploads for its brand, which only workers do: encoded anew, nothing else kept."""

from __future__ import annotations

import io

from PIL import Image, ImageChops, ImageStat

from core.brand.files import FORMATS, MAX_BYTES, PictureUnusable, glance
from core.image.kinds import DamagedPhoto, TooManyPixels, UnreadablePhoto
from core.image.opened import Pixels
from core.image.reading import read

MAX_PIXELS = 40_000_000
SKETCH_SIDE = 16  # px; what is finer differs between two copies of one picture
# Mean step of 255 between two sketches. Copies that were made smaller, saved again or cut by a hundredth
# differ by 0 to 2.4; portraits of different people, and different photos of one person, by 19 and more
# (measured on LFW's faces and on official portraits).
SAME = 3.0
# Standard deviation of a sketch, steps of 255: an even colour has 0 to 2 with its noise, a portrait 24 and more.
FLAT = 8.0
TOO_MANY_PIXELS = "This picture has more than 40 megapixels. Please upload a smaller copy."


def pixels(content: bytes) -> Pixels:
    """Decode a PNG, JPEG or WebP upright, in sRGB with its transparency: uint8, height × width × 4.

    Metadata and everything behind the picture is left behind.

    Raises:
        PictureUnusable: says what the file is or what is wrong with it.
    """
    return _read(content, alpha=True)


def logo_png(content: bytes, largest_side: int = 512) -> bytes:
    """Return the picture as a PNG of at most `largest_side` pixels in sRGB, transparency kept."""
    return _encoded(Image.fromarray(pixels(content)), largest_side, "PNG")


def jpeg(content: bytes, largest_side: int = 2560) -> bytes:
    """Return the picture as a JPEG of at most `largest_side` pixels in sRGB; what was transparent is white."""
    return _encoded(Image.fromarray(_read(content, alpha=False)), largest_side, "JPEG", quality=92)


def _read(content: bytes, *, alpha: bool) -> Pixels:
    glance(content)
    try:
        return read(content, formats=FORMATS, max_bytes=MAX_BYTES, max_pixels=MAX_PIXELS, alpha=alpha)
    except TooManyPixels:
        raise PictureUnusable(TOO_MANY_PIXELS) from None
    except DamagedPhoto:
        raise PictureUnusable(
            "This picture is damaged or was cut short. Please choose the original."
        ) from None
    except UnreadablePhoto:
        raise PictureUnusable(
            "This file is not a picture that can be read. PNG, JPEG and WebP work."
        ) from None


def sketch(jpeg: bytes) -> Image.Image:
    """Return a picture's coarse lights and darks: grey, `SKETCH_SIDE` pixels wide and high."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        return picture.convert("L").resize((SKETCH_SIDE, SKETCH_SIDE), Image.Resampling.BOX)


def is_flat(drawn: Image.Image) -> bool:
    """Whether a sketch shows next to nothing, as of an even colour."""
    return ImageStat.Stat(drawn).stddev[0] < FLAT


def is_same(one: Image.Image, other: Image.Image) -> bool:
    """Whether two sketches are of the same picture, though its size or its quality may differ."""
    return ImageStat.Stat(ImageChops.difference(one, other)).mean[0] < SAME


def _encoded(picture: Image.Image, largest_side: int, form: str, **options: int) -> bytes:
    picture.thumbnail((largest_side, largest_side), Image.Resampling.LANCZOS)
    target = io.BytesIO()
    picture.save(target, form, **options)
    return target.getvalue()
