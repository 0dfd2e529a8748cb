"""A PNG's chunks: what they say about colour, whether every row is there, and the file without the rest.

W3C, Portable Network Graphics Specification (Third Edition). Text, animation and whatever else lies beside
the picture is left out before it is decoded, however large or broken it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.image.spaces import Cicp, Primaries, Space, gamma_space, space_of

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_PICTURE: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"eXIf"})
_CRITICAL: Final = frozenset({b"IHDR", b"PLTE", b"IDAT"})
_LARGEST_PROFILE: Final = 8_000_000  # bytes; a printer's profile with large tables has about 3 million
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
# Adam7: where each pass begins and how far apart its pixels are, columns then rows.
_PASSES: Final = (
    (0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4), (0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2),
)  # fmt: skip
_BLOCK: Final = 1 << 20  # bytes inflated at a time; only counted


class Broken(ValueError):
    """The file is no PNG, or not all of one."""


class Parts(NamedTuple):
    """What of a PNG is picture.

    Attributes:
        picture: A PNG of the same pixels and nothing beside them but EXIF.
        colour: What its numbers mean: an ICC profile or a colour space; `None` where the file does not say.
        deep: Whether it has 16 bits a channel.
    """

    picture: bytes
    colour: bytes | Space | None
    deep: bool


def parts(content: bytes) -> Parts:
    """Return the picture in a PNG and what is said about its colour.

    Raises:
        Broken: a chunk of the picture itself is damaged or missing.
    """
    kept, header = [_SIGNATURE], b""
    data: list[bytes] = []
    said: dict[bytes, bytes] = {}
    for kind, body, intact in _chunks(content):
        if kind == b"IEND":
            break
        if kind in _CRITICAL and not intact:
            raise Broken
        if not intact:
            continue
        if kind == b"IHDR":
            header = body
        if kind == b"IDAT":
            data.append(body)
        elif not data:
            said.setdefault(kind, body)
        if kind in _PICTURE:
            kept.append(_chunk(kind, body))
    if len(header) != 13 or not data:
        raise Broken
    _check_rows(header, data)
    return Parts(b"".join([*kept, _chunk(b"IEND", b"")]), _colour(said), header[8] == 16)


def size(content: bytes) -> tuple[int, int]:
    """Return width and height that the header announces.

    Raises:
        Broken: there is none.
    """
    if content[12:16] != b"IHDR" or len(content) < 24:
        raise Broken
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def sixteen_bits(picture: bytes) -> NDArray[np.uint16]:
    """Decode a PNG of 16 bits a channel to height × width × 3 or 4, which Pillow brings to 8 bits.

    Raises:
        Broken: it cannot be decoded.
    """
    found = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_UNCHANGED)
    if found is None or found.dtype != np.uint16:
        raise Broken
    if found.ndim == 2:
        return np.repeat(found[..., None], 3, axis=2)
    order = cv2.COLOR_BGRA2RGBA if found.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(found, order), np.uint16)


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    at = len(_SIGNATURE)
    while at + 8 <= len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        sum_ = content[at + 8 + length : at + 12 + length]
        if len(body) < length and kind not in _PICTURE:
            return  # cut off beside the picture
        yield kind, body, sum_ == zlib.crc32(body, zlib.crc32(kind)).to_bytes(4, "big")
        at += 12 + length


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _check_rows(header: bytes, data: list[bytes]) -> None:
    """Inflate and count: Pillow leaves the rows black that a stream does not have.

    Raises:
        Broken: there are fewer rows than the header says, or their checksum is wrong.
    """
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    if colour not in _CHANNELS:
        raise Broken
    bits = depth * _CHANNELS[colour]
    wanted = 0
    for left, across, top, down in _PASSES if interlaced else ((0, 1, 0, 1),):
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            wanted += rows * (1 + (columns * bits + 7) // 8)
    stream, found = zlib.decompressobj(), 0
    try:
        for body in data:
            rest = body
            while rest and not stream.eof and found <= wanted:
                found += len(stream.decompress(rest, _BLOCK))
                rest = stream.unconsumed_tail
    except zlib.error:
        raise Broken from None
    if found < wanted:
        raise Broken


def _colour(said: dict[bytes, bytes]) -> bytes | Space | None:
    """Return the first that can be understood, in the order of section 4.3: cICP, iCCP, sRGB, gAMA with cHRM."""
    if len(cicp := said.get(b"cICP", b"")) == 4 and (space := space_of(Cicp(cicp[0], cicp[1]))):
        return space
    if profile := _profile(said.get(b"iCCP", b"")):
        return profile
    if b"sRGB" in said or len(gamma := said.get(b"gAMA", b"")) != 4:
        return None
    return gamma_space(int.from_bytes(gamma, "big") / 100_000, _primaries(said.get(b"cHRM", b"")))


def _profile(body: bytes) -> bytes | None:
    name, _, rest = body.partition(b"\0")
    if not name or rest[:1] != b"\0":
        return None
    stream = zlib.decompressobj()
    try:
        profile = stream.decompress(rest[1:], _LARGEST_PROFILE)
    except zlib.error:
        return None
    return profile if stream.eof else None


def _primaries(body: bytes) -> Primaries | None:
    if len(body) != 32:
        return None
    white_x, white_y, *rest = (value / 100_000 for value in struct.unpack(">8I", body))
    return Primaries((rest[0], rest[1]), (rest[2], rest[3]), (rest[4], rest[5]), (white_x, white_y))
