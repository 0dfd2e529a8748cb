"""Walks the compressed data of a JPEG and counts what is really there, as libjpeg would read it.

Every decoder fills in what is missing and says so in a warning that neither Pillow nor OpenCV passes on. The
warning is the answer, so the codes are read here: no coefficient is kept, only whether each block has one.
ITU-T T.81, annexes F (sequential) and G (progressive).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from core.image.codes import Bytes


@numba.njit(cache=True)  # type: ignore[untyped-decorator]  # numba ships no types
def walk(
    data: Bytes,
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    units: NDArray[np.int64],
    kind: int,
    tables: NDArray[np.uint16],
    blocks: NDArray[np.int64],
    steps: NDArray[np.int64],
    first: int,
    last: int,
    coded: NDArray[np.uint64],
    across: int,
    stride: int,
) -> tuple[int, int, int]:  # pragma: no cover - compiled
    """Read the stretches between restart markers; stop at the first fault.

    Args:
        data: Bytes without their stuffing, and `codes.LOOK_AHEAD` more.
        starts: Where each stretch begins, bytes.
        ends: Where it ends, bytes.
        units: How many MCUs each stretch must hold.
        kind: A `codes.Pass`.
        tables: As `codes.lookup` gives them, one a row.
        blocks: For each block of an MCU its rows of `tables`, DC and AC, and which component of the scan it is of.
        steps: What a difference of 1 between two blocks means for each component, in eighths of a level.
        first: First coefficient of the scan, 0 to 63.
        last: Last coefficient.
        coded: For each block of a component which coefficients are not zero, one a bit; read and kept up to date
            by the passes for AC.
        across: Blocks in a row of that component.
        stride: Blocks in a row of `coded`.

    Returns:
        A `codes.Fault`, the stretch it is in (or their number), and the bit where reading ended in that stretch.
    """
    one = np.uint64(1)
    unit = 0
    mean = np.zeros(4, np.int64)
    for stretch in range(len(starts)):
        at, end = 8 * starts[stretch], 8 * ends[stretch]
        run = 0  # blocks that end at once
        mean[:] = 0
        for _ in range(units[stretch]):
            for block in range(len(blocks)):
                if kind == 2:
                    at += 1
                    continue
                if kind <= 1:
                    found = tables[blocks[block, 0], _sixteen(data, at)]
                    if found == 0 or (found & 255) > 15:
                        return (1 if at + 16 > end else 2), stretch, at - 8 * starts[stretch]
                    at += found >> 8
                    size = found & 255
                    if size:
                        more = _sixteen(data, at) >> (16 - size)
                        at += size
                        part = blocks[block, 2]
                        mean[part] += more if more >> (size - 1) else more - (1 << size) + 1
                        # 8 × 8 samples from -128 to 127 have means of -1024 to 1016 eighths; a step for rounding.
                        if abs(mean[part] * steps[part]) > 1024 + steps[part]:
                            return 4, stretch, at - 8 * starts[stretch]
                    if kind == 1:
                        continue
                mask, place = np.uint64(0), 0
                if kind >= 3:
                    place = unit // across * stride + unit % across
                    mask = coded[place]
                k = 1 if kind == 0 else first
                if run == 0:
                    while k <= last:
                        found = tables[blocks[block, 1], _sixteen(data, at)]
                        if found == 0:
                            return (1 if at + 16 > end else 2), stretch, at - 8 * starts[stretch]
                        zeros, size = (found & 255) >> 4, found & 15
                        at += found >> 8
                        if size == 0 and zeros != 15:
                            if kind >= 3:
                                run = (1 << zeros) + (_sixteen(data, at) >> (16 - zeros))
                                at += zeros
                            break
                        at += size
                        if kind == 4:
                            while k <= last:
                                if mask >> np.uint64(k) & one:
                                    at += 1
                                elif zeros == 0:
                                    break
                                else:
                                    zeros -= 1
                                k += 1
                        else:
                            k += zeros
                        if k > last and (size or kind != 4):
                            return 3, stretch, at - 8 * starts[stretch]
                        if size:
                            mask |= one << np.uint64(k)
                        k += 1
                if run > 0:
                    if kind == 4:
                        while k <= last:
                            if mask >> np.uint64(k) & one:
                                at += 1
                            k += 1
                    run -= 1
                if kind >= 3:
                    coded[place] = mask
            if at > end:
                return 1, stretch, at - 8 * starts[stretch]
            unit += 1
        if (
            stretch < len(starts) - 1 and end - at >= 24
        ):  # webcams leave a byte or two before a restart marker
            return 5, stretch, at - 8 * starts[stretch]
    return 0, len(starts), at - 8 * starts[-1]


@numba.njit(cache=True)  # type: ignore[untyped-decorator]  # numba ships no types
def _sixteen(data: Bytes, at: int) -> int:  # pragma: no cover - compiled
    byte = min(at >> 3, len(data) - 3)
    bits = (int(data[byte]) << 16) | (int(data[byte + 1]) << 8) | int(data[byte + 2])
    return (bits >> (8 - (at & 7))) & 0xFFFF
