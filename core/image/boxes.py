"""What an AVIF says about its picture, and where that lies: the boxes of ISO/IEC 14496-12 and 23008-12.

Pillow passes on the ICC profile, but neither the code points of colour (ISO/IEC 23091-2) nor the depth.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from core.image.spaces import Cicp

# What a file may make its reader count. Items, and parts of each: libheif's own limits; a grid of the largest
# picture taken here has some hundred items of one part. Boxes in a box: the items have one each, beside it a few.
_MOST_ITEMS: Final = 1_000
_MOST_PARTS: Final = 32
_MOST_BOXES: Final = 10_000


def code_points(content: bytes) -> Cicp | None:
    """Return the code points of the primary picture; `None` where there are none or the boxes are odd."""
    try:
        for kind, body in _properties(content):
            if kind == b"colr" and body[:4] == b"nclx":
                primaries, transfer = struct.unpack_from(">HH", body, 4)
                return Cicp(primaries, transfer)
    except (struct.error, IndexError, KeyError):
        return None
    return None


def _boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    for _ in range(_MOST_BOXES):
        if at + 8 > len(content):
            return
        size, kind, head = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(content) - at
        if size < head:
            return
        yield kind, content[at + head : at + size]
        at += size
    raise IndexError("too many boxes")


def _properties(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return the properties of the primary picture."""
    meta = dict(_boxes(dict(_boxes(content))[b"meta"][4:]))
    wide = meta[b"pitm"][0] > 0
    primary = int.from_bytes(meta[b"pitm"][4 : 8 if wide else 6], "big")
    within = list(_boxes(meta[b"iprp"]))
    every = [one for kind, body in within if kind == b"ipco" for one in _boxes(body)]
    found = []
    for body in (body for kind, body in within if kind == b"ipma"):
        long_ids, long_numbers = body[0] >= 1, body[3] & 1
        count, at = int.from_bytes(body[4:8], "big"), 8
        if count > _MOST_ITEMS:
            raise IndexError("too many items")
        for _ in range(count):
            item = struct.unpack_from(">I" if long_ids else ">H", body, at)[0]
            at += 4 if long_ids else 2
            links = body[at]
            at += 1
            for _ in range(links):
                number = struct.unpack_from(">H" if long_numbers else ">B", body, at)[0]
                at += 2 if long_numbers else 1
                number &= 0x7FFF if long_numbers else 0x7F
                if item == primary and 0 < number <= len(every):
                    found.append(every[number - 1])
    return found


def coded(content: bytes, kind: bytes) -> Iterator[bytes]:
    """Return the data of every item of a kind: parts of a picture, transparency and small copies too.

    Raises:
        IndexError, KeyError: the boxes are odd.
    """
    meta = dict(_boxes(dict(_boxes(content))[b"meta"][4:]))
    wanted = {item for item, one in _items(meta[b"iinf"]) if one == kind}
    room = 2 * len(content)
    for item, extents in _places(meta[b"iloc"]):
        if item in wanted:
            parts = [_part(content, meta, *one) for one in extents]
            room -= sum(map(len, parts))
            if room < 0:
                raise IndexError("items share their data")
            yield b"".join(parts)


def _items(body: bytes) -> Iterator[tuple[int, bytes]]:
    """Return number and kind of each item (`iinf`)."""
    for kind, entry in _boxes(body[6 if body[0] == 0 else 8 :]):
        if kind == b"infe" and entry[0] >= 2:
            wide = entry[0] >= 3
            yield int.from_bytes(entry[4 : 8 if wide else 6], "big"), entry[10:14] if wide else entry[8:12]


def _places(body: bytes) -> Iterator[tuple[int, list[tuple[int, int, int]]]]:
    """Return each item's number and where its parts lie (`iloc`): the method, from where, how many bytes."""
    version, sizes = body[0], body[4:6]
    offset, length, base, index = sizes[0] >> 4, sizes[0] & 15, sizes[1] >> 4, sizes[1] & 15
    at = 6

    def take(size: int) -> int:
        nonlocal at
        if at + size > len(body):
            raise IndexError("the places of items end early")
        at += size
        return int.from_bytes(body[at - size : at], "big")

    items = take(2 if version < 2 else 4)
    if items > _MOST_ITEMS:
        raise IndexError("too many items")
    each = offset + length + (index if version else 0)  # bytes of a part's place
    for _ in range(items):
        item = take(2 if version < 2 else 4)
        method = take(2) & 15 if version else 0
        take(2)
        start = take(base)
        count = take(2)
        if count > (_MOST_PARTS if each else 1):
            raise IndexError("too many parts")
        extents = []
        for _ in range(count):
            if version:
                take(index)
            extents.append((method, start + take(offset), take(length)))
        yield item, extents


def _part(content: bytes, meta: dict[bytes, bytes], method: int, start: int, size: int) -> memoryview:
    """Return a part without copying it: how much all of them are is judged first."""
    if method > 1:
        raise IndexError("the data lies in another item")
    data = memoryview(meta[b"idat"] if method else content)
    return data[start : start + size] if size else data[start:]
