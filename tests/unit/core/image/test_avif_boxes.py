"""What an AVIF makes its reader count and hold is bounded, whatever its boxes say."""

from __future__ import annotations

import struct
import time
import tracemalloc

import pytest

from core.image import boxes
from core.image.kinds import DamagedPhoto
from core.image.reading import open_picture

SECONDS = 1.0  # a bounded one takes a thousandth


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", 8 + len(body)) + kind + body


def full(kind: bytes, body: bytes, version: int = 0) -> bytes:
    return box(kind, bytes([version, 0, 0, 0]) + body)


def avif(places: bytes, behind: int = 0, items: int = 1, more: bytes = b"") -> bytes:
    """Return a file with one `iloc` and as many items of AV1, the first of which is the picture."""
    entries = b"".join(full(b"infe", struct.pack(">HH", 1 + i, 0) + b"av01\0", 2) for i in range(items))
    meta = full(
        b"meta",
        full(b"pitm", struct.pack(">H", 1))
        + full(b"iinf", struct.pack(">H", items) + entries)
        + full(b"iloc", places)
        + more,
    )
    return box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + meta + box(b"mdat", bytes(behind))


def places(sizes: int, items: int, parts: int, each: bytes, first: int = 1) -> bytes:
    """Return the body of an `iloc` of version 0; `sizes` of an offset and a length, four bits each."""
    rows = (struct.pack(">HHH", first + i, 0, parts) + parts * each for i in range(items))
    return bytes([sizes, 0]) + struct.pack(">H", items) + b"".join(rows)


def nothing(items: int) -> bytes:
    """Return items that claim 65,535 parts whose places take no bytes."""
    rows = (struct.pack(">HHH", 1000 + i, 0, 65_535) for i in range(items))
    return bytes(2) + struct.pack(">H", items) + b"".join(rows)


def properties(ipco: bytes, ipma: bytes = bytes(4)) -> bytes:
    return box(b"iprp", box(b"ipco", ipco) + full(b"ipma", ipma))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(avif(nothing(100)), id="parts of no bytes"),
        pytest.param(avif(nothing(10_000)), id="many items of parts of no bytes"),
        pytest.param(avif(places(0x11, 60_000, 0, b"", 2)), id="items of no parts"),
        pytest.param(avif(places(0x11, 900, 600, b"\0\1", 2)), id="parts of nobody"),
        pytest.param(avif(places(0, 1, 1, b""), more=properties(1_000_000 * box(b"free", b""))), id="boxes"),
        pytest.param(
            avif(
                places(0, 1, 1, b""),
                more=properties(b"", struct.pack(">I", 600_000) + 600_000 * b"\0\1\0"),
            ),
            id="links",
        ),
    ],
)
def test_what_an_avif_makes_its_reader_count_is_bounded(content):
    started = time.perf_counter()
    boxes.code_points(content)
    with pytest.raises(DamagedPhoto):
        open_picture(content)
    assert time.perf_counter() - started < SECONDS


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(avif(bytes(2) + struct.pack(">HHHH", 1, 1, 0, 65_535), 20_000), id="no bytes"),
        pytest.param(avif(places(0x11, 1, 30, b"\0\0"), 100_000), id="to the end, often"),
        pytest.param(avif(places(0x11, 900, 30, b"\0\0"), 100_000, 900), id="many items to the end, often"),
        pytest.param(avif(places(0x14, 1, 32, b"\0\0\1\x80\0"), 100_000), id="as long as the file, often"),
    ],
)
def test_what_an_avif_makes_its_reader_hold_is_bounded(content):
    tracemalloc.start()
    with pytest.raises(IndexError):
        list(boxes.coded(content, b"av01"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(content) + 500_000


def test_a_part_may_say_nothing_about_where_it_lies():
    """ISO/IEC 14496-12, 8.11.3: one part without a place or a length is the whole file."""
    content = avif(places(0, 1, 1, b""), 100)
    assert list(boxes.coded(content, b"av01")) == [content]
