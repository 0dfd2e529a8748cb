"""What lies beside the pixels of a PNG never costs the picture; a missing row does."""

from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from PIL import Image
from skimage import data

from core.image.kinds import DamagedPhoto, NotAPhoto, PhotoFormat
from core.image.reading import read
from deploy.bench.made import chunk, encoded, png


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    return np.asarray(data.astronaut())[:300, :301]


def bad_sum(made: bytes) -> bytes:
    return made[:-1] + bytes([made[-1] ^ 1])


LONG = b"<x:xmpmeta>" + b"a face is here " * 190_000
TEXT = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(LONG))
XMP = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + LONG)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([TEXT], b""),
        ([XMP], b""),
        ([], TEXT),
        ([TEXT] * 30, b""),
        ([bad_sum(chunk(b"tEXt", b"Comment\0hello"))], b""),
        ([bad_sum(chunk(b"iCCP", b"x\0\0" + zlib.compress(b"?" * 1000)))], b""),
        ([chunk(b"iCCP", b"x\0\0not compressed")], b""),
        ([chunk(b"acTL", struct.pack(">II", 5, 0))], b""),
        ([chunk(b"eXIf", b"MM\0*\xff\xff\xff\xff")], b""),
        ([], b"\0\0\x10\0tEXtcut off he"),
    ],
    ids=[
        "compressed text", "XMP", "text behind", "a lot of text", "bad checksum of a text",
        "bad checksum of a profile", "broken profile", "animation", "broken EXIF", "text cut off",
    ],
)  # fmt: skip
def test_what_lies_beside_the_picture_does_not_matter(scene, before, after):
    content = png(scene, *before, after=after)
    assert (read(content) == scene).all()
    assert (read(content[: content.rindex(b"IEND") - 4]) == scene).all(), "without its end"


def test_a_large_profile_is_used(scene):
    from PIL import ImageCms

    table = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, blue = table.index(b"rXYZ", 128), table.index(b"bXYZ", 128)
    table[red : red + 4], table[blue : blue + 4] = b"bXYZ", b"rXYZ"
    table += bytes(1_500_000)
    table[:4] = struct.pack(">I", len(table))
    content = png(scene[..., ::-1], chunk(b"iCCP", b"mine\0\0" + zlib.compress(bytes(table))))
    assert np.abs(read(content).astype(int) - scene).max() <= 3


@pytest.mark.parametrize("rows", [299, 150, 1])
def test_missing_rows_are_damage_although_the_stream_ends_well(scene, rows):
    with pytest.raises(DamagedPhoto):
        read(png(scene, rows=rows))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_kind_is_counted_right(scene, mode):
    picture = Image.fromarray(scene).convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(picture, np.uint16) * 257)
    assert np.abs(read(encoded(picture, "PNG")).astype(int) - _shown(picture)).max() <= 1


def _shown(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I"):
        return np.repeat((np.asarray(picture) >> 8)[..., None], 3, axis=2).astype(int)
    return np.asarray(picture.convert("RGB")).astype(int)


def test_an_interlaced_picture_is_counted_pass_by_pass(scene):
    """Adam7 by hand: the rows of each pass, one behind the other."""
    tiny = scene[:67, :71]
    rows = b"".join(
        b"\0" + line.tobytes()
        for left, across, top, down in (
            (0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2),
        )
        for line in tiny[top::down, left::across]
    )  # fmt: skip
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 71, 67, 8, 2, 0, 0, 1))
    start = b"\x89PNG\r\n\x1a\n" + header
    assert (read(start + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")) == tiny).all()
    with pytest.raises(DamagedPhoto):
        read(start + chunk(b"IDAT", zlib.compress(rows[:-300])) + chunk(b"IEND", b""))


def test_damage_in_the_picture_itself_is_damage(scene):
    content = png(scene)
    at = content.index(b"IDAT") + 500
    for broken in (
        content[:at] + bytes(200) + content[at + 200 :],
        content[:at],
        content[:at] + content[at + 30 :],
        content.replace(b"IHDR", b"IHDX"),
    ):
        with pytest.raises(DamagedPhoto):
            read(broken)


def test_only_what_is_asked_for_is_taken(scene):
    with pytest.raises(NotAPhoto):
        read(png(scene), formats=frozenset({PhotoFormat.JPEG}))


def test_transparency_is_kept_where_it_is_asked_for(scene):
    alpha = np.tile(np.linspace(0, 255, scene.shape[1]).astype(np.uint8), (scene.shape[0], 1))
    cut = np.dstack([scene, alpha])
    assert (read(encoded(cut, "PNG"), alpha=True) == cut).all()
    shown = scene * (alpha[..., None] / 255) + 255 - alpha[..., None]
    assert np.abs(read(encoded(cut, "PNG")) - shown).max() <= 1
    assert (read(png(scene), alpha=True)[..., 3] == 255).all()
