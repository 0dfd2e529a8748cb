"""Untrusted bytes to pixels: the only door for a picture that somebody uploads.

The type is read from the content, never from a file name. How many pixels there are and how deep they are is
judged from the header before anything is decoded, so memory is bounded by `DECODED_BYTES`. Every block is
looked for: half a picture is no picture. What comes out is sRGB as the file means its numbers.
"""

from __future__ import annotations

import io
import warnings
from typing import Any, Final, NamedTuple

import numpy as np
import pi_heif
from PIL import Image, ImageFile

from core.image import av1, boxes, jpeg, png
from core.image.kinds import (
    DamagedPhoto,
    EmptyPhoto,
    NotAPhoto,
    PhotoFormat,
    TooFewPixels,
    TooManyBytes,
    TooManyPixels,
    UnreadablePhoto,
    sniff,
)
from core.image.opened import Numbers, Opened, Pixels
from core.image.spaces import ADOBE_RGB, Cicp, Space, peak_of, space_of

MAX_BYTES: Final = 40_000_000  # HEADSHOTS_UPLOAD_MAX_BYTES's default: a 50 MP phone JPEG is about 20 MB
MAX_PIXELS: Final = 60_000_000  # HEADSHOTS_UPLOAD_MAX_PIXELS's default: a 50 MP phone
# What a picture may take while it is decoded: the decoder's planes, the picture and the copy that is worked on.
# 60 megapixels of every format with 8 bits a channel stay below.
DECODED_BYTES: Final = 1_020_000_000
# Bytes a pixel, rounded up from peaks that `headshots bench files` measures: 9.4, 8.2, 16.4, 11.0, 14.4; deep 17.4.
_COST: Final = {
    PhotoFormat.JPEG: 10,
    PhotoFormat.PNG: 9,
    PhotoFormat.WEBP: 17,
    PhotoFormat.HEIC: 12,
    PhotoFormat.AVIF: 15,
}
_DEEP_COST: Final = 18  # with 16 bits a channel, which HDR needs
# Of those of an AVIF the planes at their largest, 16 bits and every colour in every pixel.
_PLANES: Final = 6
# All that an AVIF has coded, as a multiple of what it announces: with transparency, and each side up to a power of
# two, which is all that some encoders' data says. Beside that the rims of tiles.
_CODED_MULTIPLE, _CODED_RIM = 8, 4_000_000
_PILLOW: Final = {
    PhotoFormat.JPEG: "JPEG",
    PhotoFormat.PNG: "PNG",
    PhotoFormat.WEBP: "WEBP",
    PhotoFormat.AVIF: "AVIF",
}
_SAMPLE: Final = 400  # px a side: enough to know how bright a picture is
# EXIF orientation → mirrored left to right, then quarter turns counter-clockwise.
_ORIENTATIONS: Final = {
    1: (False, 0),
    2: (True, 0),
    3: (False, 2),
    4: (True, 2),
    5: (True, 1),
    6: (False, 3),
    7: (True, 3),
    8: (False, 1),
}
_ORIENTATION, _EXIF, _COLOUR_SPACE, _INTEROP, _INTEROP_INDEX = 0x0112, 0x8769, 0xA001, 0xA005, 0x0001
_ADOBE_BY_EXIF: Final = (2, 0xFFFF)  # DCF 2.0: "uncalibrated" with interoperability R03; some write 2

pi_heif.options.THUMBNAILS = pi_heif.options.DEPTH_IMAGES = pi_heif.options.AUX_IMAGES = False


class _Limits(NamedTuple):
    pixels: int
    shorter_side: int

    def fits(self, size: tuple[int, int], cost: int) -> bool:
        """Say whether a picture may take `cost` bytes a pixel."""
        return size[0] * size[1] * cost <= DECODED_BYTES

    def judge(self, size: tuple[int, int], cost: int) -> None:
        """Refuse by what the header says; `cost` in bytes a pixel."""
        width, height = size
        if width * height > self.pixels:
            raise self.too_many()
        if not self.fits(size, cost):
            raise TooManyPixels(
                "This picture has too many pixels for its depth of colour. "
                "Please upload the photo as your phone saved it."
            )
        if min(width, height) < max(1, self.shorter_side):
            raise TooFewPixels(
                "This picture of %(width)s × %(height)s pixels is too small or too narrow: each side needs at least "
                "%(least)s. Please upload the photo as your phone saved it.",
                width=width,
                height=height,
                least=self.shorter_side,
            )

    def judge_coded(self, size: tuple[int, int], coded: int) -> None:
        """Refuse an AVIF that holds more pixels than it announces; `coded` of all its parts."""
        announced = size[0] * size[1]
        if coded > _CODED_MULTIPLE * announced + _CODED_RIM:
            raise ValueError("more pixels than the boxes say")
        if announced * (_COST[PhotoFormat.AVIF] - _PLANES) + coded * _PLANES > DECODED_BYTES:
            raise self.too_many()

    def too_many(self) -> TooManyPixels:
        return TooManyPixels(
            "This picture has more than %(most)s million pixels. Send the photo as your phone took it.",
            most=self.pixels // 1_000_000,
        )


def open_picture(
    content: bytes,
    *,
    formats: frozenset[PhotoFormat] = frozenset(PhotoFormat),
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    min_side: int = 1,
    working_side: int | None = None,
    walked: bool = False,
) -> Opened:
    """Decode a picture whose every part is there.

    Of an animation the first frame counts, of a picture with a gain map the base.

    Args:
        content: The file.
        formats: Those taken here.
        max_bytes: Of the file.
        max_pixels: Announced by the header.
        min_side: Of the shorter side, pixels.
        working_side: Long side that is enough, pixels: a JPEG is then decoded at the smallest scale that is not
            below. None decodes everything.
        walked: Whether the same file was opened before: a JPEG's blocks are not counted again.

    Raises:
        EmptyPhoto: no bytes.
        NotAPhoto: another type of file.
        TooFewPixels: below `min_side`.
        TooManyBytes: more than `max_bytes`.
        TooManyPixels: more than `max_pixels` or `DECODED_BYTES`, judged before decoding.
        DamagedPhoto: the content ends early, or part of it was overwritten.
    """
    if not content:
        raise EmptyPhoto("This file is empty. Please choose the photo again.")
    if len(content) > max_bytes:
        raise TooManyBytes(
            "This file is larger than %(most)s MB. Send the photo as your phone took it, or a smaller copy.",
            most=max_bytes // 1_000_000,
        )
    kind = sniff(content)
    if kind is None or kind not in formats:
        raise NotAPhoto(
            "This is not a photo that can be used here. Please upload a JPEG, PNG, WebP, HEIC or AVIF."
        )
    limits = _Limits(max_pixels, min_side)
    if kind is PhotoFormat.JPEG:
        jpeg.prepared()  # first, so that a fault of this machine is not taken for one of the file
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about odd EXIF; the limits here are ours
            return _opened(content, kind, limits, working_side, walked=walked)
    except UnreadablePhoto:
        raise
    except jpeg.NotSupported:
        raise UnreadablePhoto("This file cannot be read. Please choose another photo.") from None
    except (Image.DecompressionBombError, MemoryError):
        raise limits.too_many() from None
    except Exception as error:
        # Decoders fail in many ways on damaged files; each means the same to the person who uploads one.
        raise DamagedPhoto(
            "This photo is damaged or was cut short on its way. Please upload the original again."
        ) from error


def read(
    content: bytes,
    *,
    formats: frozenset[PhotoFormat] = frozenset(PhotoFormat),
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    alpha: bool = False,
) -> Pixels:
    """Return a whole picture upright in sRGB, uint8, height × width × 3, or × 4 with `alpha`.

    Without `alpha` what is transparent is white. Arguments and errors are those of `open_picture`.
    """
    opened = open_picture(content, formats=formats, max_bytes=max_bytes, max_pixels=max_pixels)
    pixels = opened.rgba() if alpha else opened.rgb()
    return np.ascontiguousarray(np.rot90(pixels[:, ::-1] if opened.mirrored else pixels, opened.quarters))


def _opened(
    content: bytes, kind: PhotoFormat, limits: _Limits, working_side: int | None, *, walked: bool
) -> Opened:
    if kind is PhotoFormat.HEIC:
        return _heic(content, limits)
    said: bytes | Space | None = None
    picture, deep, coded = content, False, 0
    if kind is PhotoFormat.JPEG:
        # Before the data is walked: how far there is to walk is judged first.
        limits.judge(jpeg.size(content), _COST[kind])
        picture = jpeg.whole(content, walked=walked)
    elif kind is PhotoFormat.PNG:
        limits.judge(png.size(content), _COST[kind])
        picture, said, deep = png.parts(content)
    elif kind is PhotoFormat.AVIF:
        said = _points(boxes.code_points(content))
        coded = sum(width * height for width, height in map(av1.largest, boxes.coded(content, b"av01")))
        # Of a film the picture that stands for it, whose data has been looked at, not the first of the film.
        picture = content[:8] + b"avif" + content[12:]
    with Image.open(io.BytesIO(picture), formats=(_PILLOW[kind],)) as image:
        limits.judge(image.size, _COST[kind])
        limits.judge_coded(image.size, coded)
        exif, profile = _exif(image), image.info.get("icc_profile")
        if kind is not PhotoFormat.PNG and profile and not (isinstance(said, Space) and said.is_hdr):
            said = profile
        if said is None and _is_adobe(exif):
            said = ADOBE_RGB
        mirrored, quarters = _ORIENTATIONS.get(exif.get(_ORIENTATION, 1), (False, 0))
        width, height = image.size
        data: Image.Image | Numbers = image
        # Other colours are only a little finer with all their bits: where there is no room they do without.
        if deep and isinstance(said, Space) and (said.is_hdr or limits.fits(image.size, _DEEP_COST)):
            limits.judge(image.size, _DEEP_COST)
            data = png.sixteen_bits(picture)
        else:
            if kind is PhotoFormat.JPEG and working_side is not None:
                scale = working_side / max(width, height)
                # A JPEG's DCT decodes at 1/2, 1/4 or 1/8 for free, never below what is asked for.
                if scale < 1:
                    image.draft(image.mode, (round(width * scale), round(height * scale)))
            # WeasyPrint turns this on for its whole process; half a picture is no picture.
            ImageFile.LOAD_TRUNCATED_IMAGES = False
            image.load()
        depth = 8 if data is image else 16
        return _judged_bright(Opened(kind, width, height, mirrored, quarters, said, 1.0, depth, data))


def _judged_bright(opened: Opened) -> Opened:
    if isinstance(opened.colour, Space) and opened.colour.is_hdr:
        opened.peak = peak_of(opened.sample(_SAMPLE), opened.colour, opened.depth)
    return opened


def _heic(content: bytes, limits: _Limits) -> Opened:
    found = _primary(content)
    nclx = found.info.get("nclx_profile")
    said = _points(Cicp(nclx["color_primaries"], nclx["transfer_characteristics"]) if nclx else None)
    hdr = said is not None and said.is_hdr
    depth = int(found.info["bit_depth"]) if hdr else 8
    limits.judge(found.size, _DEEP_COST if depth > 8 else _COST[PhotoFormat.HEIC])
    if depth > 8:
        found = _primary(content, convert_hdr_to_8bit=False, hdr_to_16bit=False)
    numbers = np.asarray(found)
    if numbers.ndim == 2:
        numbers = numbers[..., None].repeat(3, axis=2)
    width, height = found.size
    colour = said if hdr else found.info.get("icc_profile") or said
    # Its orientation is a property of the picture, which the decoder has applied; EXIF's does not count. The
    # numbers lie in the decoder's memory, so it has to stay.
    return _judged_bright(
        Opened(PhotoFormat.HEIC, width, height, False, 0, colour, 1.0, depth, numbers, keeps=found)
    )


def _primary(content: bytes, **options: bool) -> Any:
    file = pi_heif.open_heif(content, **options)
    return file[file.primary_index]


def _points(points: Cicp | None) -> Space | None:
    return space_of(points) if points is not None else None


def _exif(image: Image.Image) -> Image.Exif:
    """Return the EXIF; an empty one where it is broken, which does not cost the photo."""
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - whatever is wrong with it, the picture is not in it
        return Image.Exif()


def _is_adobe(exif: Image.Exif) -> bool:
    try:
        within = exif.get_ifd(_EXIF)
        index = exif.get_ifd(_INTEROP).get(_INTEROP_INDEX, "")
        return within.get(_COLOUR_SPACE) in _ADOBE_BY_EXIF and str(index).startswith("R03")
    except Exception:  # noqa: BLE001 - as above
        return False
