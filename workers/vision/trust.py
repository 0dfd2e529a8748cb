"""How sure is a cut: where plain opinions about who is person and what is not agree against it.

Matting says how much of each pixel is the person, and is as sure of a bystander's arm as of the person's own.
Five cheap looks at the photo that had no part in it are asked instead: mediapipe's two selfie models, each
about the region and about more around it, and BlazePose's mask, which is of one body. Where others stand beside
the person the cut itself may have asked it (`parting`), so there what is open between them counts as doubt. What they
agree on against the cut is doubt; a thin line of it is the edge's, and left to the edge's own gate. What is too small for them all
to see, a leaf or a corner of somebody's collar, stands out of the outline as a lump, or is given back by a second solve of
the edge. Before a place that is drawn as finely as the person nobody can tell, and no cut is trusted.
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
from workers.vision.solving import solved

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
# Where the wall is drawn as finely as the person, as leaves and letters are, a piece of it looks like a piece of the person: of 12
# such cuts that nothing else doubted five had one. Leaves and letters are drawn 1.0 to 1.7 times as finely, eight real
# places 0.2 to 0.7 times, bricks 0.2 to 0.6.
_DETAIL: Final = 0.9
_FINE: Final = 0.008  # of the head's height, sigma: what is finer counts as drawing
_OUTSIDE: Final = (
    0.03,
    0.2,
)  # of the head's height from the outline: the place that is looked at
_INSIDE: Final = (0.02, 0.12)  # the same inside: hair, and the rim of the face
# Grey levels of drawing outside, from which on a wall is not plain: plain ones with a camera's noise have 0.4, and give a second
# solve nothing to take back.
_PLAIN: Final = 0.6
# What a second solve gives back to a place that is not plain, % of the head's height squared, above which it is the place's: coats
# of others, letters and blurred things beside flying hair made 0.07 to 0.32, eight real photos up to 0.04
# (docs/sources.md, "Trust in a cut").
_TAKEN_BACK: Final = 0.06
_SOLVED_HEAD: Final = 200.0  # px, head height at which it is solved again
_FREE: Final = (0.055, 0.02)  # head heights inside and outside of the outline, which it is not told
_HELD: Final = 2e-2  # weight of the cut in it
_ITS_OWN: Final = 0.3  # alpha below which it says that a pixel is the place's
_PIECE: Final = 0.007  # head heights, radius: what is thinner is an edge
_END: Final = 0.03  # head heights at the lower border, where nothing lies further inside
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
    unsure = opposed(pixels, face, others, region, alpha)
    lump = largest_lump(pixels, face, region, alpha)
    outside, detail = _drawn(pixels, face, region, alpha)
    if lump > _LUMP:
        unsure = max(unsure, LIMIT * lump / _LUMP)
    if detail > _DETAIL:
        unsure = max(unsure, LIMIT * detail / _DETAIL)
    # A second solve costs as much as a decoding, and what is withheld already needs none.
    if unsure > LIMIT or outside <= _PLAIN:
        return unsure
    taken = taken_back(pixels, face, region, alpha)
    return max(unsure, LIMIT * taken / _TAKEN_BACK) if taken > _TAKEN_BACK else unsure


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
    """Say of a rough mask whether `opposed` or the place is too much for the cut, with no more looks than that takes.

    A pose costs as much as a decoding. A rough mask's lumps say nothing of the cut's: one of nine good photos has one.

    Args:
        pixels: See `doubt`.
        face: See `doubt`.
        others: See `doubt`.
        region: See `doubt`.
        alpha: See `doubt`.
    """
    if _drawn(pixels, face, region, alpha)[1] > _DETAIL:
        return True
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
    return _largest((kept & ~smooth)[room:-room, room:-room], _STRAND * head, head)


def taken_back(pixels: Pixels, face: Face, region: Box, alpha: Mask) -> float:
    """Return the largest piece that a second solve of the edge calls the place's: 100 × area / head height².

    It is told less: who somebody is further inside, what the place is further outside, and of the cut between them only
    a little. A corner of a neighbour's coat in the angle of neck and shoulder, which mask and outline take for the person's, has the
    place's colours and an edge on its inner side.

    Args:
        pixels: See `doubt`.
        face: See `doubt`.
        region: See `doubt`.
        alpha: See `doubt`.
    """
    rows, columns = inside(region, pixels)
    scale = min(1.0, _SOLVED_HEAD / face.head_height)
    part, head = reduced(pixels[rows, columns], scale), scale * face.head_height
    cut = cv2.resize(alpha, part.shape[1::-1], interpolation=cv2.INTER_AREA)
    kept = cut > 0.5
    room = round(4 * _FREE[0] * head)
    # Where the picture ends a body goes on.
    body = np.pad(kept.astype(np.uint8), room, mode="edge")
    deep, far = (
        cv2.distanceTransform(where, cv2.DIST_L2, 5)[room:-room, room:-room] for where in (body, 1 - body)
    )
    trimap = np.where(deep > _FREE[0] * head, 1, np.where(far > _FREE[1] * head, 0, 0.5)).astype(np.float32)
    again = solved(part, trimap, head, cut.astype(np.float64), np.full(cut.shape, _HELD))
    given = kept & (again < _ITS_OWN)
    given[len(given) - round(_END * head) :] = False
    return _largest(given, _PIECE * head, head)


def _drawn(pixels: Pixels, face: Face, region: Box, alpha: Mask) -> tuple[float, float]:
    """Return how finely the place is drawn, in grey levels, and beside the head, in times of how finely the head's own rim is."""
    rows, columns = inside(region, pixels)
    scale = min(1.0, POSE_HEAD / face.head_height)
    part, head = reduced(pixels[rows, columns], scale), scale * face.head_height
    kept = (cv2.resize(alpha, part.shape[1::-1], interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), _FINE * head))

    def drawn(where: NDArray[np.uint8], reach: tuple[float, float], end: float) -> float:
        away = cv2.distanceTransform(where, cv2.DIST_L2, 5)
        ring = (away > reach[0] * head) & (away < reach[1] * head)
        seen = fine[ring & (np.arange(len(kept))[:, None] < end)]
        return float(seen.mean()) if seen.size else 0.0

    chin = (face.landmarks[CHIN, 1] - rows.start) * scale
    beside = drawn(1 - kept, _OUTSIDE, chin)
    return drawn(1 - kept, _OUTSIDE, len(kept)), beside / max(1.0, drawn(kept, _INSIDE, chin))


def _largest(where: NDArray[np.bool_], thin: float, head: float) -> float:
    """Return the largest piece, without what is thinner than that radius: 100 × area / head height²."""
    thick = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_OPEN, disc(max(1, round(thin))))
    _, _, pieces, _ = cv2.connectedComponentsWithStats(thick)
    return float(100 * max(pieces[1:, cv2.CC_STAT_AREA], default=0) / head**2)


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
