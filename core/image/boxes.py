"""What an AVIF says about its picture: the boxes of ISO/IEC 14496-12 and 23008-12.

Pillow passes on the ICC profile, but neither the code points of colour (ISO/IEC 23091-2) nor the depth.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from core.image.spaces import Cicp


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
    while at + 8 <= len(content):
        size, kind, head = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8], 8
        if size == 1:
            size, head = int.from_bytes(content[at + 8 : at + 16], "big"), 16
        elif size == 0:
            size = len(content) - at
        if size < head:
            return
        yield kind, content[at + head : at + size]
        at += size


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
