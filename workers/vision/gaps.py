"""Holes of a mask: what is filled, and where the wall looks through between long hair and the neck.

The selfie models leave holes at a tie, a badge or glasses, which are the person's, and at gaps of hair, which are not. The
wall's own colours tell: they go on evenly from outside.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.cutout import Mask
from workers.vision.geometry import Face, Pixels

_LARGEST: Final = 0.02  # of the head's height squared; what is larger is never filled
_WALL: Final = 0.1  # of the mask, below which it is wall
_REACH: Final = 0.8  # head heights around a hole in which the wall is looked at
_STEP: Final = 0.02  # head heights from one sample of it to the next
_FEWEST: Final = 30  # samples
_PLAIN: Final = 6.0  # levels, median off an even fall of light; clutter explains anything
_LIKE: Final = (2.5, 4.0)  # times that, and levels more, by which a gap may differ
_NOISE: Final = (3, 3)  # px: a camera's noise is no colour
_FURTHER: Final = 0.12  # head heights, by which a gap goes on where the models no longer see it
_OPEN: Final = 0.05  # of the mask, in a gap
_FILLED: Final = 0.95  # of the mask, in a hole
_MOSTLY: Final = 0.6  # of a hole has the wall's colours
# Head heights beside the face's middle and below the eyes, where hair hangs off a neck: no lenses, teeth, shirt or tie.
_BESIDE: Final = 0.2
_BELOW: Final = 0.1


def closed(mask: Mask, kept: NDArray[np.uint8], image: Pixels, face: Face) -> Mask:
    """Return the mask with the holes of a person filled, and with the wall opened where it is seen through one.

    Args:
        mask: float32, height × width: how surely each pixel is a person.
        kept: uint8: 1 where the person is.
        image: uint8, height × width × 3, sRGB.
        face: In the same pixels.
    """
    head, (height, width) = face.head_height, kept.shape
    middle, eyes = float(face.landmarks[:, 0].mean()), float(face.right_eye[1] + face.left_eye[1]) / 2
    filled, gap = kept.copy(), np.zeros(kept.shape, bool)
    count, labels, stats, centres = cv2.connectedComponentsWithStats(1 - kept, connectivity=4)
    for label in range(1, count):
        left, top, across, down, area = stats[label]
        framed = left > 0 and top > 0 and left + across < width and top + down < height
        if not framed or area > round(_LARGEST * head**2):
            continue
        x, y = centres[label]
        further = round(_FURTHER * head)
        part = np.s_[
            max(0, top - further) : top + down + further, max(0, left - further) : left + across + further
        ]
        hole = labels[part] == label
        if abs(x - middle) > _BESIDE * head and y > eyes + _BELOW * head:
            like = _like_the_wall(part, mask, image, head)
            if like[hole].mean() > _MOSTLY:
                _, pieces = cv2.connectedComponents((like | hole).astype(np.uint8), connectivity=4)
                gap[part] |= pieces == np.bincount(pieces[hole]).argmax()
                continue
        filled[part][hole] = 1
    return np.asarray(np.where(gap, np.minimum(mask, _OPEN), np.maximum(mask, filled * _FILLED)), np.float32)


def _like_the_wall(part: tuple[slice, slice], mask: Mask, image: Pixels, head: float) -> NDArray[np.bool_]:
    """Return where a part has the colours that the wall around it would have there; nowhere if that is not plain."""
    rows, columns = part
    reach, step = round(_REACH * head), max(1, round(_STEP * head))
    top, left = max(0, rows.start - reach), max(0, columns.start - reach)
    around = np.s_[top : rows.stop + reach : step, left : columns.stop + reach : step]
    smooth = cv2.blur(image[top : rows.stop + reach, left : columns.stop + reach], _NOISE)
    seen = mask[part]
    nowhere = np.zeros(seen.shape, bool)
    outside = mask[around] < _WALL
    if outside.sum() < _FEWEST:
        return nowhere
    places, colors = np.argwhere(outside), smooth[::step, ::step][outside].astype(np.float64)
    fall = np.column_stack([np.ones(len(places)), step * places])
    light, usual = np.zeros((3, 3)), np.inf
    wall = np.ones(len(places), bool)
    for _ in range(2):  # again without the locks that the mask has left out
        light, *_ = np.linalg.lstsq(fall[wall], colors[wall], rcond=None)
        off = np.abs(colors - fall @ light).max(axis=1)
        usual = float(np.median(off))
        wall = off <= 3 * usual + 1
    if usual > _PLAIN or wall.mean() < _MOSTLY:
        return nowhere
    down, across = rows.start - top, columns.start - left
    there = np.indices(seen.shape).reshape(2, -1).T + np.array([down, across])
    meant = (np.column_stack([np.ones(len(there)), there]) @ light).reshape(*seen.shape, 3)
    own = smooth[down : down + seen.shape[0], across : across + seen.shape[1]]
    return np.asarray(np.abs(own - meant).max(axis=2) < _LIKE[0] * usual + _LIKE[1])
