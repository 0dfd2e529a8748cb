"""Pictures that a company uploads for its brand: decoded in bounded memory, re-encoded, nothing else kept."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageChops, ImageFile, ImageOps, ImageStat

from core.errors import InvalidInput
from core.srgb import to_srgb

FORMATS = ("PNG", "JPEG", "WEBP")
MAX_BYTES = 20_000_000
MAX_PIXELS = 40_000_000
SKETCH_SIDE = 16  # px; what is finer differs between two copies of one picture
# Mean step of 255 between two sketches. Copies that were made smaller, saved again or cut by a hundredth
# differ by 0 to 2.4; portraits of different people, and different photos of one person, by 19 and more
# (measured on LFW's faces and on official portraits).
SAME = 3.0
# Standard deviation of a sketch, steps of 255: an even colour has 0 to 2 with its noise, a portrait 24 and more.
FLAT = 8.0
TOO_MANY_PIXELS = "This picture has more than 40 megapixels. Please upload a smaller copy."


class PictureUnusable(InvalidInput):
    """The file is no picture that we take."""

    code = "picture_unusable"


def load(content: bytes) -> Image.Image:
    """Decode a PNG, JPEG or WebP upright; metadata and everything behind the picture is left behind.

    Raises:
        PictureUnusable: says what the file is or what is wrong with it.
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
    # WeasyPrint turns this on for its whole process; half a picture is no picture.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            if picture.width * picture.height > MAX_PIXELS:
                raise PictureUnusable(TOO_MANY_PIXELS)
            picture.load()
            return ImageOps.exif_transpose(picture)
    except PictureUnusable:
        raise
    except Image.DecompressionBombError as error:
        raise PictureUnusable(TOO_MANY_PIXELS) from error
    except Exception as error:
        # Decoders fail in many ways on damaged files; each means the same to the person who uploads one.
        raise PictureUnusable(
            "This file is not a picture that can be read. PNG, JPEG and WebP work."
        ) from error


def logo_png(content: bytes, largest_side: int = 512) -> bytes:
    """Return the picture as a PNG of at most `largest_side` pixels in sRGB, transparency kept."""
    picture = load(content)
    transparency = picture.convert("RGBA").getchannel("A")
    picture = to_srgb(_opaque(picture), picture.info.get("icc_profile"))
    picture.putalpha(transparency)
    picture.thumbnail((largest_side, largest_side), Image.Resampling.LANCZOS)
    return _encoded(picture, "PNG")


def jpeg(content: bytes, largest_side: int = 2560) -> bytes:
    """Return the picture as a JPEG of at most `largest_side` pixels in sRGB; what was transparent is white."""
    picture = load(content)
    profile = picture.info.get("icc_profile")
    if picture.has_transparency_data:
        solid = Image.new("RGBA", picture.size, "white")
        solid.alpha_composite(picture.convert("RGBA"))
        picture = solid
    picture = to_srgb(_opaque(picture), profile)
    picture.thumbnail((largest_side, largest_side), Image.Resampling.LANCZOS)
    return _encoded(picture, "JPEG", quality=92)


def size(content: bytes) -> tuple[int, int]:
    """Return width and height of a picture that can be read, as it lies in its file."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as picture:
        return picture.size


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


def _opaque(picture: Image.Image) -> Image.Image:
    """Return it in a mode that a colour profile speaks of."""
    return picture if picture.mode in ("RGB", "L", "CMYK") else picture.convert("RGB")


def _encoded(picture: Image.Image, form: str, **options: int) -> bytes:
    # A new image has no metadata to carry over.
    clean = Image.new(picture.mode, picture.size)
    clean.paste(picture)
    target = io.BytesIO()
    clean.save(target, form, **options)
    return target.getvalue()
