"""What a JPEG makes its reader count is bounded, and photos with many segments stay below."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image
from skimage import data

from core.image import jpeg
from core.image.codes import lookup
from core.image.kinds import DamagedPhoto
from core.image.reading import open_picture, read

MEGABYTES = 8  # an unbounded reader takes one to four seconds for them
SECONDS = 0.6  # of the processor; a bounded one takes less than a tenth
FRAME = b"\xff\xc0" + struct.pack(">HBHHB", 17, 8, 1000, 1000, 3) + b"\1\x11\0\2\x11\0\3\x11\0"
EMPTY = b"\xff\xf0\0\2"


def tables(one: bytes, marker: int) -> bytes:
    body = one * (65_000 // len(one))
    return bytes([0xFF, marker]) + struct.pack(">H", 2 + len(body)) + body


def filled(one: bytes) -> bytes:
    return one * (MEGABYTES * 1_000_000 // len(one))


@pytest.fixture(scope="module")
def photo() -> bytes:
    target = io.BytesIO()
    Image.fromarray(data.astronaut()).save(target, "JPEG", quality=90, progressive=True)
    return target.getvalue()


@pytest.mark.parametrize(
    "behind",
    [
        pytest.param(filled(EMPTY), id="before the frame"),
        pytest.param(FRAME + filled(EMPTY), id="segments"),
        pytest.param(FRAME + filled(b"\xff\xd0"), id="restarts without a scan"),
        pytest.param(FRAME + filled(tables(b"\0\1" + bytes(16), 0xC4)), id="short codes"),
        pytest.param(FRAME + filled(tables(bytes(16) + b"\xff" + bytes(255), 0xC4)), id="long codes"),
        pytest.param(4 * filled(b"\xff"), id="bytes that fill"),
    ],
)
def test_what_a_jpeg_makes_its_reader_count_is_bounded(behind):
    jpeg.prepared()
    started = time.process_time()
    with pytest.raises(DamagedPhoto):
        open_picture(b"\xff\xd8" + behind)
    assert time.process_time() - started < SECONDS


def test_photos_with_many_segments_are_read(photo):
    """An ICC profile in as many as it can have, and 30 MB of text."""
    profile = b"".join(
        b"\xff\xe2" + struct.pack(">H", 16 + 100) + b"ICC_PROFILE\0" + bytes([number, 255]) + bytes(100)
        for number in range(1, 256)
    )
    text = 450 * (b"\xff\xe1" + struct.pack(">H", 65_535) + bytes(65_533))
    assert (read(photo[:2] + profile + text + photo[2:]) == read(photo)).all()


def test_segments_without_end_behind_the_picture_are_no_part_of_it(photo):
    assert (read(photo[:-2] + filled(b"\xff\xfe\0\2")) == read(photo)).all()


def test_codes_are_told_from_the_next_bits():
    """ITU-T T.81, C.2: codes count up, and double with each bit more."""
    table = lookup(bytes([1, 1, 2]) + bytes(13), b"\7\5\3\1")
    for bits, length, symbol in (("0", 1, 7), ("10", 2, 5), ("110", 3, 3), ("111", 3, 1)):
        assert set(table[int(bits.ljust(16, "0"), 2) : int(bits.ljust(16, "1"), 2) + 1]) == {
            length << 8 | symbol
        }
    none = lookup(b"\0\1" + bytes(14), b"\x09")
    assert np.count_nonzero(none) == 1 << 14
    for counts, symbols in (
        (b"\3" + bytes(15), bytes(3)),
        (b"\1\2\1" + bytes(13), bytes(4)),
        (b"\2" + bytes(15), b"\1"),
    ):
        with pytest.raises(ValueError, match=r"^$"):
            lookup(counts, symbols)
