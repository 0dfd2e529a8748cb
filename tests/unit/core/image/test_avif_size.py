"""How much an AVIF or HEIC takes is judged by what it has coded, not by what its boxes say."""

from __future__ import annotations

import contextlib
import io
import struct

import numpy as np
import pillow_heif
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.errors import AppError
from core.image import av1, boxes, reading
from core.image.kinds import DamagedPhoto, TooManyPixels
from core.image.reading import MAX_PIXELS, open_picture, read

LARGE = (4000, 3000)


def avif(size: tuple[int, int], mode: str = "RGB", frames: int = 1) -> bytes:
    target = io.BytesIO()
    made = [
        Image.new(mode, size, (90, 120, 20 * number, 200)[: len(mode)]) for number in range(1, 1 + frames)
    ]
    made[0].save(target, "AVIF", speed=10, save_all=frames > 1, append_images=made[1:])
    return target.getvalue()


def heic(size: tuple[int, int]) -> bytes:
    target = io.BytesIO()
    pillow_heif.from_pillow(Image.new("RGB", size, (90, 120, 200))).save(target, quality=30)
    return target.getvalue()


def ispe(width: int, height: int) -> bytes:
    return struct.pack(">4sIII", b"ispe", 0, width, height)


def announcing(content: bytes, size: tuple[int, int]) -> bytes:
    assert content.count(ispe(*LARGE)) == 1
    return content.replace(ispe(*LARGE), ispe(*size))


@pytest.mark.parametrize("written", [avif, heic])
@pytest.mark.parametrize("said", [(100, 80), (1, 1)])
def test_one_that_announces_less_than_it_holds_is_not_decoded(written, said):
    with pytest.raises(DamagedPhoto) as refused:
        open_picture(announcing(written(LARGE), said))
    assert any(
        why in str(refused.value.__cause__) for why in ("more pixels than the boxes say", "Security limit")
    )


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (301, 203), (1500, 2100)])
def test_honest_ones_are_read(mode, size):
    content = avif(size, mode)
    sizes = [av1.largest(one) for one in boxes.coded(content, b"av01")]
    assert sizes == [size] * (2 if mode == "RGBA" else 1)
    assert open_picture(content).size == size


def test_of_a_film_the_picture_that_was_looked_at_is_shown():
    content = avif((300, 200), frames=3)
    assert content[8:12] == b"avis"
    assert [av1.largest(one) for one in boxes.coded(content, b"av01")] == [(512, 256)]
    pixels = read(content)
    assert pixels.shape == (200, 300, 3)
    assert np.abs(pixels[100, 150].astype(int) - (90, 120, 20)).max() < 6
    without = content.replace(b"av01", b"hvc1", 1)
    with pytest.raises(DamagedPhoto):
        open_picture(without)


WHOLE = avif((64, 48), "RGBA")


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=12))
def test_whatever_stands_in_the_boxes_gets_an_answer(at, change):
    content = WHOLE[:at] + change + WHOLE[at + len(change) :]
    with contextlib.suppress(AppError):
        open_picture(content)


def test_parts_are_counted_together_however_many_share_their_data():
    content = _shared(avif(LARGE) + struct.pack(">I4s", 8 + 20_000, b"free") + bytes(20_000), 9)
    sizes = [av1.largest(one) for one in boxes.coded(content, b"av01")]
    assert sizes == [LARGE] * 9
    with pytest.raises(DamagedPhoto):
        open_picture(announcing(content, (600, 400)))
    with pytest.raises(IndexError):
        list(boxes.coded(_shared(avif(LARGE), 200), b"av01"))


def test_the_bound_of_memory_holds_for_pictures_with_transparency():
    limits = reading._Limits(MAX_PIXELS, 1)
    limits.judge_coded((6000, 5000), 2 * 6000 * 5000)
    with pytest.raises(TooManyPixels):
        limits.judge_coded((9000, 6000), 2 * 9000 * 6000)


def _shared(content: bytes, times: int) -> bytes:
    """Return the picture with its item's place written down so many times."""
    place = content.index(b"iloc") - 4
    (old,) = struct.unpack_from(">I", content, place)
    before, entry = content[place + 8 : place + 14], content[place + 16 : place + old]
    body = before + struct.pack(">H", times) + times * entry
    at = content.index(b"meta") - 4
    (whole,) = struct.unpack_from(">I", content, at)
    box = struct.pack(">I4s", 8 + len(body), b"iloc") + body
    more = len(box) - old
    head = content[:at] + struct.pack(">I", whole + more) + content[at + 4 : place]
    return _moved(head + box + content[place + old :], more, entry, times)


def _moved(content: bytes, more: int, entry: bytes, times: int) -> bytes:
    """Return it with the data's place set right: everything behind the boxes lies later by `more` bytes."""
    (start,) = struct.unpack_from(">I", entry, len(entry) - 8)
    later = entry[:-8] + struct.pack(">I", start + more) + entry[-4:]
    return content.replace(times * entry, times * later)
