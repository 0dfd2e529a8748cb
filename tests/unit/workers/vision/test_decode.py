from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageCms

from core.errors import AppError
from core.image.kinds import (
    DamagedPhoto,
    EmptyPhoto,
    NotAPhoto,
    PhotoFormat,
    TooFewPixels,
    TooManyBytes,
    TooManyPixels,
)
from workers.vision.decode import decode


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def image(astronaut) -> Image.Image:
    return Image.fromarray(astronaut)


def mean_error(pixels: np.ndarray, image: Image.Image) -> float:
    return float(np.abs(pixels.astype(float) - np.asarray(image.convert("RGB"), float)).mean())


@pytest.mark.parametrize(
    ("kind", "options", "expected"),
    [
        ("JPEG", {"quality": 95}, PhotoFormat.JPEG),
        ("JPEG", {"quality": 95, "progressive": True}, PhotoFormat.JPEG),
        ("PNG", {}, PhotoFormat.PNG),
        ("WEBP", {"quality": 95}, PhotoFormat.WEBP),
        ("AVIF", {"quality": 95}, PhotoFormat.AVIF),
    ],
)
def test_accepted_formats_give_the_same_picture(image, kind, options, expected):
    picture = decode(encoded(image, kind, **options))
    assert picture.format is expected
    assert mean_error(picture.pixels, image) < 4


def test_heic_gives_the_same_picture(image):
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=90)
    picture = decode(buffer.getvalue())
    assert picture.format is PhotoFormat.HEIC
    assert mean_error(picture.pixels, image) < 5


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", EmptyPhoto),
        (b"hello\n", NotAPhoto),
        (b"\xff\xd8\xff" + bytes(37), DamagedPhoto),
        (b"this is a text file that somebody named photo.jpg " * 40, NotAPhoto),
        (b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>' * 3, NotAPhoto),
        (b"GIF89a" + bytes(400), NotAPhoto),
        (b"%PDF-1.7" + bytes(400), NotAPhoto),
        (b"\xff\xd8\xff\xe0" + bytes(400), DamagedPhoto),
        (b"\x89PNG\r\n\x1a\n" + bytes(400), DamagedPhoto),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + bytes(400), DamagedPhoto),
        (b"\x00\x00\x00\x18ftypheic" + bytes(400), DamagedPhoto),
        (b"\x00\x00\x00\x18ftypavif" + bytes(400), DamagedPhoto),
        (b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif" + bytes(400), DamagedPhoto),
        (b"\x00\x00\x00\x18ftypisom" + bytes(400), NotAPhoto),
    ],
)
def test_what_is_no_photo_gets_a_clear_answer(content, error):
    with pytest.raises(error) as caught:
        decode(content)
    assert isinstance(caught.value, AppError)
    assert caught.value.message.endswith(".")


@pytest.mark.parametrize("side", [1, 40])
def test_a_tiny_picture_is_too_small_not_empty(side):
    with pytest.raises(TooFewPixels, match=r"(1 × 1|40 × 40) pixels"):
        decode(encoded(Image.new("RGB", (side, side)), "PNG"))


def test_truncated_photo_is_damaged_not_half_grey(image):
    whole = encoded(image, "JPEG", quality=90)
    for share in (0.3, 0.7, 0.97):
        with pytest.raises(DamagedPhoto):
            decode(whole[: int(len(whole) * share)])


def test_too_many_bytes_are_refused_unread(image):
    with pytest.raises(TooManyBytes, match="40 MB"):
        decode(encoded(image, "JPEG") + bytes(40_000_000))


def test_pixel_bomb_is_refused_from_its_header():
    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    rows = zlib.compress(bytes(30_001 * 64), 9)
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 0, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    tracemalloc.start()
    with pytest.raises(TooManyPixels):
        decode(bomb)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_pixel_limit_is_an_argument(image):
    with pytest.raises(TooManyPixels):
        decode(encoded(image, "JPEG"), max_pixels=512 * 512 - 1)


def test_large_photo_is_reduced_and_remembers_its_size():
    large = Image.new("RGB", (5000, 3500), (120, 90, 60))
    picture = decode(encoded(large, "JPEG"))
    assert (picture.width, picture.height) == (1600, 1120)
    assert (picture.original_width, picture.original_height) == (5000, 3500)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_comes_out_upright(image, orientation):
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    tall = image.crop((100, 0, 400, 512))
    stored = tall.transpose(turned[orientation]) if orientation in turned else tall
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(encoded(stored, "JPEG", quality=95, exif=exif))
    assert (picture.width, picture.height) == (300, 512)
    assert (picture.original_width, picture.original_height) == (300, 512)
    assert mean_error(picture.pixels, tall) < 4


def test_cmyk_jpeg_works(image):
    assert mean_error(decode(encoded(image.convert("CMYK"), "JPEG", quality=95)).pixels, image) < 5


def test_sixteen_bit_png_is_scaled_not_clipped(astronaut):
    grey = astronaut.mean(axis=2)
    deep = Image.fromarray((grey * 257).astype(np.uint16))
    pixels = decode(encoded(deep, "PNG")).pixels
    assert pixels.shape == astronaut.shape
    assert np.abs(pixels[..., 0] - grey).mean() < 1


def test_sixteen_bit_colour_png_works(astronaut):
    deep = astronaut.astype(">u2") * 257
    rows = b"".join(b"\x00" + row.tobytes() for row in deep.astype(">u2"))

    def chunk(tag: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + tag + body + struct.pack(">I", zlib.crc32(tag + body))

    header = struct.pack(">IIBBBBB", 512, 512, 16, 2, 0, 0, 0)
    png = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 1))
        + chunk(b"IEND", b"")
    )
    assert np.abs(decode(png).pixels.astype(int) - astronaut).max() <= 1


def test_grey_and_palette_photos_become_rgb(image):
    for mode in ("L", "P", "1"):
        assert decode(encoded(image.convert(mode), "PNG")).pixels.shape == (512, 512, 3)


def test_transparent_parts_become_white(image):
    cut = image.convert("RGBA")
    cut.paste((0, 0, 0, 0), (0, 0, 256, 512))
    pixels = decode(encoded(cut, "PNG")).pixels
    assert (pixels[:, :250] == 255).all()
    assert np.abs(pixels[:, 260:].astype(int) - np.asarray(image)[:, 260:]).max() == 0


def test_animation_counts_with_its_first_frame(image):
    blank = Image.new("RGB", image.size, "red")
    content = encoded(image, "WEBP", save_all=True, append_images=[blank, blank], duration=100, quality=95)
    assert mean_error(decode(content).pixels, image) < 4


def test_colour_profile_is_converted_to_srgb(image):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert mean_error(decode(encoded(image, "JPEG", quality=95, icc_profile=srgb)).pixels, image) < 4
    # The same profile with its red and blue primaries exchanged: the file's red is meant to be blue.
    table = bytearray(srgb)
    red, blue = table.index(b"rXYZ", 128), table.index(b"bXYZ", 128)
    table[red : red + 4], table[blue : blue + 4] = b"bXYZ", b"rXYZ"
    swapped = Image.merge("RGB", image.split()[::-1])
    assert (
        mean_error(decode(encoded(swapped, "JPEG", quality=95, icc_profile=bytes(table))).pixels, image) < 4
    )


def test_broken_colour_profile_does_not_cost_the_photo(image):
    content = encoded(image, "JPEG", quality=95, icc_profile=b"not a profile at all" * 20)
    assert mean_error(decode(content).pixels, image) < 4
