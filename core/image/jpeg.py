"""A JPEG's segments: whether every block of the picture is there, and the file without what is no picture.

ITU-T T.81. The check costs about a hundredth of a second per megapixel.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from core.image.codes import LOOK_AHEAD, Bytes, Fault, Pass, lookup

_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_HUFFMAN, _ARITHMETIC, _EOI, _SOS, _STEPS, _DRI, _COMMENT = 0xC4, 0xCC, 0xD9, 0xDA, 0xDB, 0xDD, 0xFE
_APPS: Final = range(0xE0, 0xF0)
# What says how the picture is meant: JFIF, EXIF, the ICC profile, Adobe's transform. The rest (XMP, thumbnails,
# previews and gain maps behind the picture) is left out, so that nothing in it can be in the way.
_KEPT: Final = {0xE0: b"JFIF", 0xE1: b"Exif\0", 0xE2: b"ICC_PROFILE\0", 0xEE: b"Adobe"}
_SCANS: Final = 200  # libjpeg-turbo's own fuzzers stop at 500; encoders write 3 to 15
# What a file may make its reader count. Markers: 40 MB of full segments are 610, an ICC profile at most 255 of them;
# photos have 30. Tables of codes and of steps: 15 scans with all eight of their own are 120; photos have 10.
_MARKERS: Final = 2_000
_TABLES: Final = 1_000
_FILLED: Final = re.compile(rb"\xff*")
_SCANS_END: Final = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
# Bytes that some cameras leave behind the last block. More means that blocks before were lost.
_SPARE: Final = 8
_PADDING: Final = 32  # bytes; as many of one value before the end are no picture but a hole


class Broken(ValueError):
    """The file is no JPEG, or not all of one."""


class NotSupported(ValueError):
    """A kind of JPEG that no camera writes: arithmetic coding, lossless, hierarchical, 12 bit."""


@dataclass(slots=True)
class _Component:
    across: int = 0  # blocks of the picture
    down: int = 0
    stride: int = 0  # blocks with those that fill up the last MCU
    wide: int = 1  # blocks in an MCU
    high: int = 1
    steps: int = 0  # number of its table
    coded: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(0, np.uint64))
    left: NDArray[np.int16] = field(
        default_factory=lambda: np.full(64, -1, np.int16)
    )  # bits to come; -1: all


class _Frame:
    def __init__(self, marker: int, body: bytes) -> None:
        if marker not in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            raise NotSupported
        precision, self.height, self.width, count = struct.unpack_from(">BHHB", body)
        if precision != 8:
            raise NotSupported
        if not self.height or not self.width or not count or len(body) < 6 + 3 * count:
            raise Broken
        self.progressive = marker == _PROGRESSIVE
        self.components: dict[int, _Component] = {}
        factors = [(body[7 + 3 * i] >> 4, body[7 + 3 * i] & 15) for i in range(count)]
        if not all(1 <= wide <= 4 and 1 <= high <= 4 for wide, high in factors):
            raise Broken
        most_wide, most_high = max(wide for wide, _ in factors), max(high for _, high in factors)
        self.mcus_across = _up(self.width, 8 * most_wide)
        self.mcus_down = _up(self.height, 8 * most_high)
        for i, (wide, high) in enumerate(factors):
            one = _Component(wide=wide, high=high, stride=self.mcus_across * wide, steps=body[8 + 3 * i])
            one.across = _up(_up(self.width * wide, most_wide), 8)
            one.down = _up(_up(self.height * high, most_high), 8)
            self.components[body[6 + 3 * i]] = one


def _up(number: int, by: int) -> int:
    return -(-number // by)


@cache
def prepared() -> Callable[..., tuple[int, int, int]]:
    """Load what reads the data, compiled: only where it is needed, for it weighs 100 MB."""
    from core.image.entropy import walk

    return walk  # type: ignore[no-any-return]  # numba ships no types


def size(content: bytes) -> tuple[int, int]:
    """Return width and height that the header announces.

    Raises:
        Broken: there is none.
        NotSupported: of a kind that is not read here.
    """
    at = len(_START)
    for _ in range(_MARKERS):
        marker, at = _marker(content, at)
        if marker is None or marker in (_EOI, _SOS) or at + 2 > len(content):
            break
        length = int.from_bytes(content[at : at + 2], "big")
        if marker in _FRAMES:
            try:
                frame = _Frame(marker, content[at + 2 : at + length])
            except (struct.error, IndexError) as error:
                raise Broken from error
            return frame.width, frame.height
        at += length
    raise Broken


def whole(content: bytes, *, walked: bool = False) -> bytes:
    """Return the picture alone, each block of which is there; what lies behind its end is cut off.

    Args:
        content: The file.
        walked: Whether its blocks have been counted before, which takes longest; they are not counted again.

    Raises:
        Broken: data is missing, overwritten or left over.
        NotSupported: nothing is known about the data.
    """
    try:
        return _walked(content, count=not walked)
    except (struct.error, IndexError, KeyError) as error:
        raise Broken from error


def _walked(content: bytes, *, count: bool) -> bytes:
    if not content.startswith(_START):
        raise Broken
    kept = [_START]
    frame: _Frame | None = None
    tables: dict[int, NDArray[np.uint16]] = {}
    steps: dict[int, int] = {}
    interval = scans = markers = known = 0
    at = 2
    while True:
        markers += 1
        marker, at = _marker(content, at)
        if marker is None or marker == _EOI:
            break
        if markers > _MARKERS or known > _TABLES:
            if scans:
                break  # as below
            raise Broken
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue
        length = struct.unpack_from(">H", content, at)[0]
        if length < 2 or at + length > len(content):
            if scans:
                break  # behind the picture: whatever it is, it is no part of it
            raise Broken
        body = content[at + 2 : at + length]
        segment = b"\xff" + bytes([marker]) + content[at : at + length]
        at += length
        if marker in _FRAMES:
            if frame is not None:
                raise Broken
            frame = _Frame(marker, body)
        elif marker == _HUFFMAN:
            known += _add_tables(tables, body)
        elif marker == _STEPS:
            known += _add_steps(steps, body)
        elif marker == _ARITHMETIC:
            raise NotSupported
        elif marker == _DRI:
            interval = struct.unpack(">H", body)[0]
        elif marker == _SOS:
            scans += 1
            if frame is None or scans > _SCANS:
                raise Broken
            end = _scan_end(content, at)
            if count:
                _check_scan(frame, body, content[at:end], tables, steps, interval)
            segment += content[at:end]
            at = end
        if marker != _COMMENT and (marker not in _APPS or body.startswith(_KEPT.get(marker, b"\0\0\0"))):
            kept.append(segment)
    if frame is None or not scans or (count and not _complete(frame)):
        raise Broken
    return b"".join([*kept, _END])


def _marker(content: bytes, at: int) -> tuple[int | None, int]:
    """Return the next marker and where its segment begins; `None` at the end of the file."""
    if content[at : at + 1] not in (b"\xff", b""):
        at = content.find(b"\xff", at)  # as libjpeg does: bytes between segments are skipped
    if at < 0:
        return None, len(content)
    at = _FILLED.match(content, at).end()  # type: ignore[union-attr]  # it matches nothing as well
    if at >= len(content):
        return None, len(content)
    return content[at], at + 1


def _add_tables(tables: dict[int, NDArray[np.uint16]], body: bytes) -> int:
    """Keep the tables of codes in a segment, and return how many there are."""
    at = added = 0
    while at < len(body) and added <= _TABLES:
        number, counts = body[at], body[at + 1 : at + 17]
        end = at + 17 + sum(counts)
        if len(counts) < 16 or len(body) < end:
            raise Broken
        try:
            tables[number] = lookup(counts, body[at + 17 : end])
        except ValueError:
            raise Broken from None
        at, added = end, added + 1
    return added


def _add_steps(steps: dict[int, int], body: bytes) -> int:
    """Keep each table's first step, of the mean, and return how many there are; a step has 8 or 16 bits."""
    at = added = 0
    while at < len(body):
        wide = body[at] >> 4 != 0
        steps[body[at] & 15] = struct.unpack_from(">H" if wide else ">B", body, at + 1)[0]
        at, added = at + 1 + (128 if wide else 64), added + 1
    return added


def _scan_end(content: bytes, start: int) -> int:
    """Return where the next marker that is no restart lies, or the end of the file."""
    found = _SCANS_END.search(content, start)
    return found.start() if found else len(content)


def _check_scan(
    frame: _Frame,
    header: bytes,
    coded: bytes,
    tables: dict[int, NDArray[np.uint16]],
    steps: dict[int, int],
    interval: int,
) -> None:

    count = header[0]
    chosen = [(frame.components[header[1 + 2 * i]], header[2 + 2 * i]) for i in range(count)]
    first, last, approximation = header[1 + 2 * count : 4 + 2 * count]
    if not chosen:
        raise Broken
    kind = Pass.SEQUENTIAL
    if frame.progressive:
        if last > 63 or first > last or (first == 0 and last) or (first and count > 1):
            raise Broken
        refined = approximation >> 4 != 0
        kind = Pass((2 if refined else 1) + (2 if first else 0))
    else:
        first, last, approximation = 0, 63, 0
    for component, _ in chosen:
        if (component.left[first : last + 1] != (approximation >> 4 or -1)).any():
            raise Broken  # a pass that is there twice, or one before it that is missing
        component.left[first : last + 1] = approximation & 15
    alone = chosen[0][0]
    if count == 1:
        total, across = alone.across * alone.down, alone.across
        blocks = [(chosen[0][1], 0)]
    else:
        total, across = frame.mcus_across * frame.mcus_down, frame.mcus_across
        blocks = [
            (number, part) for part, (one, number) in enumerate(chosen) for _ in range(one.wide * one.high)
        ]
    if kind >= Pass.AC_FIRST and not alone.coded.size:
        alone.coded = np.zeros(alone.stride * alone.down, np.uint64)
    rows: dict[int, int] = {}
    wanted = []
    for number, part in blocks:
        needs_dc, needs_ac = kind <= Pass.DC_FIRST, kind in (Pass.SEQUENTIAL, Pass.AC_FIRST, Pass.AC_REFINED)
        dc = rows.setdefault(number >> 4, len(rows)) if needs_dc else 0
        ac = rows.setdefault(0x10 | number & 15, len(rows)) if needs_ac else 0
        wanted.append((dc, ac, part))
    looked_up = np.stack([tables[number] for number in rows] or [np.zeros(1 << 16, np.uint16)])
    low = approximation & 15
    shift = np.array([steps[one.steps] << low for one, _ in chosen], np.int64)
    stretches = _stretches(coded)
    units = np.full(_up(total, interval or total), interval or total, np.int64)
    units[-1] = total - int(units[:-1].sum())
    data, starts, ends = stretches
    if len(starts) != len(units):
        raise Broken
    fault, _, bit = prepared()(
        data, starts, ends, units, int(kind), looked_up, np.array(wanted, np.int64), shift, first, last,
        alone.coded, across, alone.stride,
    )  # fmt: skip
    if fault != Fault.NONE:
        raise Broken
    _check_spare(data[int(starts[-1]) : int(ends[-1])], -(-bit // 8))


def _check_spare(stretch: Bytes, read: int) -> None:
    """Refuse data that is left over, unless it is padding behind a picture that does not end in padding."""
    spare = stretch[read:]
    if len(spare) <= _SPARE:
        return
    before = stretch[max(0, read - _PADDING) : read]
    if (spare != spare[0]).any() or (before == spare[0]).all():
        raise Broken


def _stretches(coded: bytes) -> tuple[Bytes, NDArray[np.int64], NDArray[np.int64]]:
    """Return a scan's data without stuffing, and where it begins and ends between restart markers.

    Raises:
        Broken: the restart markers do not count up.
    """
    data = np.frombuffer(coded, np.uint8)
    marks = np.flatnonzero(data == 0xFF)
    behind = np.append(data, np.uint8(0xFF))[marks + 1]
    restarts = marks[(behind >= 0xD0) & (behind <= 0xD7)]
    if (data[restarts + 1] - 0xD0 != np.arange(len(restarts)) % 8).any():
        raise Broken
    keep = np.ones(len(data), bool)
    keep[marks[behind == 0] + 1] = False
    keep[marks[behind == 0xFF]] = False  # fill bytes before a marker
    keep[restarts] = False
    keep[restarts + 1] = False
    kept_before = np.concatenate(([0], np.cumsum(keep)))
    starts = kept_before[np.append([0], restarts + 2).astype(np.int64)]
    ends = kept_before[np.append(restarts, len(data)).astype(np.int64)]
    return np.append(data[keep], np.zeros(LOOK_AHEAD, np.uint8)), starts, ends


def _complete(frame: _Frame) -> bool:
    """Whether nothing is still to come: of the first component every coefficient, of the others the mean."""
    (luminance, *_) = frame.components.values()
    return not luminance.left.any() and all(one.left[0] == 0 for one in frame.components.values())
