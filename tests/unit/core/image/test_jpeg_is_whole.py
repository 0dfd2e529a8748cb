"""Half a picture is no picture: what a decoder fills in and only warns about is found."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFile
from skimage import data

from core.image import jpeg
from core.image.kinds import DamagedPhoto, UnreadablePhoto
from core.image.reading import open_picture, read
from deploy.bench.made import encoded

KINDS = {
    "baseline": {"quality": 90},
    "optimised": {"quality": 90, "optimize": True},
    "progressive": {"quality": 90, "progressive": True},
    "restarts": {"quality": 90, "restart_marker_rows": 2},
    "fine": {"quality": 97, "subsampling": 0},
    "coarse": {"quality": 30, "subsampling": 2},
    "tall": {"quality": 90, "subsampling": "4:2:2"},
}
CASES = Path(__file__).resolve().parents[5] / "shared" / "cases" / "photos"


@pytest.fixture(scope="module")
def scene() -> Image.Image:
    """Of a size that fills no MCU, so that blocks lie beyond the edges."""
    return Image.fromarray(data.astronaut()).crop((0, 0, 509, 403))


def scan(content: bytes) -> int:
    """Where the data of the first scan begins."""
    at = content.index(b"\xff\xda")
    return at + 2 + int.from_bytes(content[at + 2 : at + 4], "big")


def damaged(content: bytes) -> bool:
    try:
        open_picture(content)
    except DamagedPhoto:
        return True
    return False


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_whole_picture_is_read_as_pillow_reads_it(scene, options, mode):
    picture = scene.convert(mode)
    content = encoded(picture, "JPEG", **options)
    with Image.open(io.BytesIO(content)) as plain:
        assert (read(content) == np.asarray(plain.convert("RGB"))).all()


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_a_hole_in_the_data_is_damage(scene, options):
    whole = encoded(scene, "JPEG", **options)
    start = scan(whole)
    for share in (0.1, 0.4, 0.8):
        at = start + int(share * (len(whole) - start - 4200))
        assert damaged(whole[:at] + bytes(len(whole) - at - 2) + b"\xff\xd9"), "zeros to the end"
        for length in (1024, 4096):
            garbage = np.random.default_rng(length).bytes(length)
            for filler in (bytes(length), b"\xff" * length, garbage, whole[at - length : at]):
                assert damaged(whole[:at] + filler + whole[at + length :]), (share, length, filler[:4])
            assert damaged(whole[:at] + whole[at + length :]), "cut out"
            assert damaged(whole[:at] + garbage.replace(b"\xff", b"\0") + whole[at:]), "pushed in"


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_an_end_that_comes_early_is_damage_even_with_its_marker(scene, options):
    whole = encoded(scene, "JPEG", **options)
    for share in (0.3, 0.7, 0.99):
        cut = whole[: int(len(whole) * share)]
        assert damaged(cut)
        assert damaged(cut + b"\xff\xd9")


def test_a_progressive_picture_without_its_last_passes_is_damage(scene):
    whole = encoded(scene, "JPEG", quality=90, progressive=True)
    last = whole.rindex(b"\xff\xda")
    assert damaged(whole[:last] + b"\xff\xd9")


def test_a_lost_block_is_found_by_what_it_does_to_those_behind_it(scene):
    """Codes fall into step again, so the count is right; but means are differences, and white grows whiter."""
    whole = encoded(scene, "JPEG", quality=90)
    start, generator = scan(whole), np.random.default_rng(5)
    found = 0
    for _ in range(40):
        at = int(generator.integers(start, len(whole) - 80))
        found += damaged(whole[:at] + generator.bytes(64) + whole[at + 64 :])
    assert found >= 36


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
@pytest.mark.parametrize(
    ("cut", "behind"),
    [
        (2, b""),
        (0, b"Image_UTC_Data1700000000000" + bytes(24) + b"SEFH\x6b\0\0\0SEFT"),
        (0, b"\xff\xd8\xff\xe0 a gain map that ends earl"),
        (2, bytes(64)),
        (0, bytes(5000)),
    ],
    ids=["no end", "Samsung's trailer", "second picture", "zeros for the end", "zeros behind"],
)
def test_what_lies_behind_the_picture_does_not_matter(scene, options, cut, behind):
    whole = encoded(scene, "JPEG", **options)
    assert (read(whole[: len(whole) - cut] + behind) == read(whole)).all()


def test_weasyprint_does_not_make_half_a_picture_whole(scene, monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        whole = encoded(scene, kind)
        assert damaged(whole[: len(whole) // 2]), kind


@pytest.mark.parametrize("interval", [0, 1, 5])
def test_a_picture_of_one_colour_has_codes_of_zeros_and_is_whole(interval):
    flat = Image.new("RGB", (640, 480), (90, 120, 200))
    for progressive in (False, True):
        content = encoded(
            flat, "JPEG", optimize=True, progressive=progressive, restart_marker_blocks=interval
        )
        assert (read(content)[::100, ::100] == read(content)[0, 0]).all()


def test_a_kind_that_cannot_be_checked_is_not_taken(scene):
    whole = encoded(scene, "JPEG")
    at = whole.index(b"\xff\xc0")
    arithmetic = whole[: at + 1] + b"\xc9" + whole[at + 2 :]
    with pytest.raises(UnreadablePhoto) as caught:
        open_picture(arithmetic)
    assert type(caught.value) is UnreadablePhoto


def test_a_file_of_endless_passes_is_refused_early(scene):
    whole = encoded(scene, "JPEG", progressive=True)
    at = whole.index(b"\xff\xda")
    end = whole.index(b"\xff", scan(whole))
    with pytest.raises(jpeg.Broken):
        jpeg.whole(whole[:at] + whole[at:end] * 2000 + b"\xff\xd9")


@pytest.mark.skipif(not CASES.is_dir(), reason="needs ../shared/cases")
@pytest.mark.parametrize("name", ["jpeg-last-65pct-zero-eoi.jpg", "jpeg-4k-garbage-in-middle.jpg"])
def test_files_that_were_rendered_with_a_block_below_the_chin(name):
    assert damaged((CASES / name).read_bytes())


@pytest.mark.parametrize("options", KINDS.values(), ids=KINDS)
def test_a_file_that_was_read_before_is_the_same_picture_without_counting_its_blocks_again(scene, options):
    content = encoded(scene, "JPEG", **options) + b"behind it"
    assert jpeg.whole(content, walked=True) == jpeg.whole(content)
    broken = content[: scan(content) + 40] + b"\xff\xd9"
    with pytest.raises(jpeg.Broken):
        jpeg.whole(broken)
    assert jpeg.whole(broken, walked=True)  # whoever says so has read it
