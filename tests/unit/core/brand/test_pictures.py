"""Pictures of a company's brand."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.brand import pictures


def png(size: tuple[int, int], mode: str = "RGBA", **options: object) -> bytes:
    target = io.BytesIO()
    Image.new(mode, size, 0).save(target, "PNG", **options)
    return target.getvalue()


def half() -> bytes:
    target = io.BytesIO()
    # Seeded: a test is called after its bytes, and every process that collects it must call it the same.
    noise = np.random.default_rng(1).integers(0, 256, (200, 200), np.uint8)
    Image.fromarray(noise).save(target, "PNG")
    return target.getvalue()[:10_000]


def test_a_logo_is_made_small_and_stays_transparent() -> None:
    with Image.open(io.BytesIO(pictures.logo_png(png((2000, 500))))) as made:
        assert (made.format, made.size, made.mode) == ("PNG", (512, 128), "RGBA")


def test_nothing_of_the_camera_or_behind_the_picture_is_kept() -> None:
    target = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    Image.new("RGB", (60, 40), "red").save(target, "JPEG", exif=exif)
    made = pictures.logo_png(target.getvalue() + b"<script>SecretTail</script>")
    assert b"Secret" not in made
    assert b"Secret" not in pictures.jpeg(target.getvalue() + b"SecretTail")


@pytest.mark.parametrize("make", [pictures.logo_png, pictures.jpeg])
def test_colours_are_what_the_files_profile_says(make: Callable[[bytes], bytes]) -> None:
    # sRGB with its red and blue primaries exchanged: this red is meant to be blue.
    table = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = table.index(b"rXYZ", 128), table.index(b"bXYZ", 128)
    table[red : red + 4], table[blue : blue + 4] = b"bXYZ", b"rXYZ"
    target = io.BytesIO()
    Image.new("RGBA", (64, 64), "red").save(target, "PNG", icc_profile=bytes(table))
    with Image.open(io.BytesIO(make(target.getvalue()))) as made:
        assert made.convert("RGB").getpixel((32, 32)) == pytest.approx((0, 0, 255), abs=4)
        assert "icc_profile" not in made.info


@pytest.mark.parametrize(
    "content", [b"<svg xmlns='x'/>", b"\xef\xbb\xbf<?xml version='1.0'?><svg/>", b"  <!DOCTYPE svg>"]
)
def test_an_svg_is_refused_with_a_way_out(content: bytes) -> None:
    with pytest.raises(pictures.PictureUnusable, match="PNG"):
        pictures.logo_png(content)


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"not a picture", half(), b"\xff\xd8\xff\xe0"])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(pictures.PictureUnusable):
        pictures.logo_png(content)


def test_a_small_file_that_unfolds_into_a_giant_picture_is_refused_before_it_is_decoded() -> None:
    bomb = png((30_000, 30_000), "1")
    assert len(bomb) < 1_000_000
    with pytest.raises(pictures.PictureUnusable, match="megapixels"):
        pictures.logo_png(bomb)
