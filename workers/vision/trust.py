"""How sure is a cut: where plain opinions about who is person and what is not agree against it.

Matting says how much of each pixel is the person, and is as sure of a bystander's arm as of the person's own.
Five cheap looks at the photo that had no part in it are asked instead: mediapipe's two selfie models, each
about the region and about more around it, and BlazePose's mask, which is of one body. Where others stand beside
the person the cut itself may have asked it (`parting`), so there what is open between them counts as doubt. What they
agree on against the cut is doubt; a thin line of it is the edge's, and left to the edge's own gate. What is too small for them all
to see, a leaf or a corner of somebody's collar, stands out of the outline as a lump.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.cutout import Mask
from workers.vision.geometry import CHIN, Box, Face, Pixels
from workers.vision.parting import parted
from workers.vision.photometry import inside, reduced
from workers.vision.pose import body
from workers.vision.segment import POSE_HEAD, disc, opinion

# % of the head's height squared: above it a cut is not shown, up to the half of it it counts as clean. On
# composites with exact truth (docs/sources.md, "Trust in a cut") all 52 wrong cuts had more, all but 13 of 89 right
# ones less, those 13 before leaves, bricks, letters or bystanders; good real photos have up to 0.2.
LIMIT: Final = 0.6
_AROUND: Final = (1.6, 1.1, 1.8)  # head heights from the eyes, left and right, up, down: what a pose needs
_THIN: Final = 0.02  # head heights, radius: what is thinner is an edge
_SURE: Final = 0.6  # of the selfie models' mean: what is kept must have more than half on its side
_OPEN: Final = 0.3  # of `parted`: between it and its mirror it is open whose a pixel is
_LITTLE: Final = (
    0.25  # of what a pose alone calls foreign: from here on it is asked again about the region alone
)

# The largest lump of an outline, % of the head's height squared, above which it is somebody's or something else's:
# leaves, letters and a bystander's cloth made 0.098 to 0.27, what is a person's up to 0.066, flying hair 0.061
# (docs/sources.md, "Trust in a cut").
_LUMP: Final = 0.075
# Where the wall is drawn as finely as the person, as leaves, bricks and letters are, a small one is the wall's: leaves and
# letters made 0.036 to 0.060, right cuts before them up to 0.030. They are drawn 1.06 to 1.7 times as finely, eight real
# places 0.2 to 0.7 times.
_LUMP_BEFORE_DETAIL: Final = 0.035
_DETAIL: Final = 0.9
_FINE: Final = 0.008  # of the head's height, sigma: what is finer counts as drawing
_OUTSIDE: Final = (
    0.03,
    0.2,
)  # of the head's height from the outline, above the chin: the wall that is looked at
_INSIDE: Final = (0.02, 0.12)  # the same inside: hair, and the rim of the face
_LUMP_SEEN: Final = 300.0  # px, head height at which lumps are looked for
_SMOOTHED: Final = (
    0.05  # of the head's height, sigma: a body's outline has nothing finer, and hair only strands
)
_STRAND: Final = 0.006  # of the head's height, radius: what is thinner is a strand

_Bounds = tuple[Mask, Mask]  # what is surely of a body, and what may be


def doubt(pixels: Pixels, face: Face, others: Sequence[Face], region: Box, alpha: Mask) -> float:
    """Return how much of a cut the plain opinions contradict: 100 × area / head height².

    Args:
        pixels: uint8, height × width × 3, sRGB: the photo.
        face: The person's, in these pixels.
        others: Further faces in these pixels; a pose must not follow them.
        region: Of the photo, pixels: what was cut out; clipped to the photo.
        alpha: Of the region, at any size.
    """
    lump = largest_lump(pixels, face, region, alpha)
    most = _LUMP_BEFORE_DETAIL if _detail_behind(pixels, face, region, alpha) > _DETAIL else _LUMP
    return max(opposed(pixels, face, others, region, alpha), LIMIT * lump / most if lump > most else 0.0)


def opposed(pixels: Pixels, face: Face, others: Sequence[Face], region: Box, alpha: Mask) -> float:
    """Return what of a doubt the plain opinions alone say.

    Args:
        pixels: See `doubt`.
        face: See `doubt`.
        others: See `doubt`.
        region: See `doubt`.
        alpha: See `doubt`.
    """
    return _weighed(pixels, face, others, region, alpha, None)


def is_doubted(pixels: Pixels, face: Face, others: Sequence[Face], region: Box, alpha: Mask) -> bool:
    """Say of a rough mask whether `opposed` is above `LIMIT`, with no more looks than that takes.

    A pose costs as much as a decoding. A rough mask's lumps say nothing of the cut's: one of nine good photos has one.

    Args:
        pixels: See `doubt`.
        face: See `doubt`.
        others: See `doubt`.
        region: See `doubt`.
        alpha: See `doubt`.
    """
    return _weighed(pixels, face, others, region, alpha, LIMIT) > LIMIT


def largest_lump(pixels: Pixels, face: Face, region: Box, alpha: Mask) -> float:
    """Return how large the largest piece is that stands out of a cut's outline: 100 × area / head height².

    Opinions of 256 px do not see a leaf at the hair, a corner of a collar on a shoulder, or that a hat ends in tufts.

    Args:
        pixels: See `doubt`.
        face: See `doubt`.
        region: See `doubt`.
        alpha: See `doubt`.
    """
    _, columns = inside(region, pixels)
    head = face.head_height * alpha.shape[1] / max(1, columns.stop - columns.start)
    scale = min(1.0, _LUMP_SEEN / head)
    size = (max(1, round(alpha.shape[1] * scale)), max(1, round(alpha.shape[0] * scale)))
    head *= scale
    room = round(4 * _SMOOTHED * head)
    # Where the picture ends a body goes on.
    kept = np.pad(cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > 0.5, room, mode="edge")
    smooth = cv2.GaussianBlur(kept.astype(np.float32), (0, 0), _SMOOTHED * head) > 0.5
    lumps = (kept & ~smooth)[room:-room, room:-room].astype(np.uint8)
    lumps = cv2.morphologyEx(lumps, cv2.MORPH_OPEN, disc(max(1, round(_STRAND * head))))
    _, _, pieces, _ = cv2.connectedComponentsWithStats(lumps)
    return float(100 * max(pieces[1:, cv2.CC_STAT_AREA], default=0) / head**2)


def _detail_behind(pixels: Pixels, face: Face, region: Box, alpha: Mask) -> float:
    """Return how finely the wall beside the head is drawn, in times of how finely the head's own rim is."""
    rows, columns = inside(region, pixels)
    scale = min(1.0, POSE_HEAD / face.head_height)
    part, head = reduced(pixels[rows, columns], scale), scale * face.head_height
    kept = (cv2.resize(alpha, part.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), _FINE * head))
    above = np.arange(len(kept))[:, None] < (face.landmarks[CHIN, 1] - rows.start) * scale

    def drawn(where: NDArray[np.uint8], reach: tuple[float, float]) -> float:
        away = cv2.distanceTransform(where, cv2.DIST_L2, 5)
        ring = fine[above & (away > reach[0] * head) & (away < reach[1] * head)]
        return float(ring.mean()) if ring.size else 0.0

    return drawn(1 - kept, _OUTSIDE) / max(1.0, drawn(kept, _INSIDE))


def _weighed(
    pixels: Pixels, face: Face, others: Sequence[Face], region: Box, alpha: Mask, limit: float | None
) -> float:
    """Return the doubt; with a limit, as soon as it is known on which side of that it lies."""
    scale = min(1.0, POSE_HEAD / face.head_height)
    rows, columns = inside(region, pixels)
    part = reduced(pixels[rows, columns], scale)
    size = (part.shape[1], part.shape[0])
    kept = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > 0.5
    (x, y), head = (face.right_eye + face.left_eye) / 2, face.head_height
    aside, up, down = (reach * head for reach in _AROUND)
    far_rows, far_columns = inside(Box(x - aside, y - up, x + aside, y + down), pixels)
    around = reduced(pixels[far_rows, far_columns], scale)
    shift = ((far_columns.start - columns.start) * scale, (far_rows.start - rows.start) * scale)
    close, wide = (
        np.mean([opinion(view, landscape=landscape) for landscape in (False, True)], axis=0)
        for view in (part, around)
    )
    selfie = np.asarray((close + _placed(wide, shift, size)) / 2, np.float32)
    unsure = _area(kept & (selfie < _SURE), scale * head)
    if limit is not None and unsure > limit:
        return unsure

    def pose(view: Pixels, people: Mask, columns: slice, rows: slice) -> _Bounds | None:
        seen, *further = (one.moved(-columns.start, -rows.start, scale) for one in (face, *others))
        found = body(view, seen, further)
        if found is None:
            return None
        taken = people > 0.5
        share = parted(view, taken, found, seen, further)
        bounds = (np.where(taken & (share < least), 0, found.mask) for least in (1 - _OPEN, _OPEN))
        surely, perhaps = (np.asarray(one, np.float32) for one in bounds)
        return surely, perhaps

    def foreign(least: Mask) -> float:
        return _area(kept & (least < 0.5), scale * head)

    seen = pose(around, wide, far_columns, far_rows)
    if seen is not None:
        least, most = (_placed(one, shift, size) for one in seen)
    else:
        least, most = pose(part, close, columns, rows) or (selfie, selfie)
    left_out = _area(~kept & (most > 0.5) & (selfie > 0.5), scale * head)
    kept_of_others = foreign(least)
    # A second look at the body only ever takes back what the first calls foreign.
    open_still = limit is None or left_out + unsure <= limit < left_out + kept_of_others
    if kept_of_others > _LITTLE and open_still and seen is not None:
        again = pose(part, close, columns, rows)
        kept_of_others = kept_of_others if again is None else foreign(np.maximum(least, again[0]))
    return left_out + max(kept_of_others, unsure)


def _placed(mask: Mask, shift: tuple[float, float], size: tuple[int, int]) -> Mask:
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    return np.asarray(cv2.warpAffine(mask, move, size), np.float32)


def _area(where: NDArray[np.bool_], head: float) -> float:
    thick = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_OPEN, disc(max(1, round(_THIN * head))))
    return 100 * float(thick.sum()) / head**2
