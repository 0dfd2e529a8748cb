"""Where one person ends and the next begins: a body's rough outline, drawn along what the photo shows between them.

Each pixel goes to whom the easiest way over the photo leads: to the person's own middle, or to what the pose is
sure is somebody else. Ways across an edge are hard (Bai & Sapiro 2007, "A Geodesic Framework for Fast Interactive
Image and Video Segmentation and Matting"), so a shoulder keeps its own outline although the pose's mask is as
coarse as a hand, and the corner between two necks goes to whom its cloth belongs.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.cutout import Mask
from workers.vision.geometry import CHIN, UPPER_LIP, Face, Pixels
from workers.vision.pose import Body, heads
from workers.vision.ways import ways

# Chosen on composites of two people (docs/sources.md, "Whose body"); lengths are fractions of the head's height.
_STEP: Final = 8.0  # ΔE76 that a way of one head height costs where there is no edge
_NOISE: Final = 1.0  # ΔE76 per pixel that is no edge
_SMOOTH: Final = 0.7  # px, sigma
_THIN: Final = 0.03  # radius: what is thinner outside of a pose is its own coarse outline
_LEAST: Final = 0.02  # head heights squared: less is a tuft of hair or a leaf
_DEEP: Final = 0.30  # inside the pose's outline, from where on it is surely the person
_OUTSIDE: Final = 0.05  # outside of it, from where on it is surely not
_THROAT: Final = 0.25  # to each side of the chin: a throat and what is below it
_HAIR: Final = 0.45  # to each side of it: hair, which is all edges, and where a pose's outline is good
_MANE: Final = 0.7  # to each side of it: as wide as hair stands
_HANGS: Final = 0.6  # below it: as far as long hair lies on shoulders, and no pose's mask holds it
_CLOTH: Final = 0.2  # above and beside a shoulder's joint lie its cloth and pads
_COLLAR: Final = (0.25, 0.2)  # to each side of another's chin, and below it

Where = NDArray[np.bool_]


def parted(image: Pixels, taken: Where, body: Body, face: Face, others: list[Face]) -> Mask:
    """Return how much rather a taken pixel is the person's than somebody else's: 0 to 1, height × width.

    1 everywhere where there is nobody else; 0.5 where both ways are equally hard, and 0 outside of what is taken.

    Args:
        image: uint8, height × width × 3, sRGB, small.
        taken: What a model takes for people; boolean.
        body: This person's, by a pose.
        face: The person's, in these pixels.
        others: Further faces in these pixels.
    """
    head = face.head_height
    own = body.mask > 0.5
    x, chin = face.landmarks[CHIN, :2]
    rows, away = np.arange(len(own))[:, None], np.abs(np.arange(own.shape[1]) - x)[None, :]
    above = rows < face.landmarks[UPPER_LIP, 1]
    mane = (rows < chin + _HANGS * head) & (away < _MANE * head)
    across = 2 * max(1, round(_THIN * head)) + 1
    thin = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (across, across))
    pieces = cv2.morphologyEx((taken & ~own).astype(np.uint8), cv2.MORPH_OPEN, thin)
    count, labels = cv2.connectedComponents(pieces)
    # Where no other face is, what lies around the head and hangs down beside it is hair that the pose has cut.
    counted = (pieces > 0) & ~(mane & (not others))
    foreign = counted & (np.bincount(labels[counted], minlength=count)[labels] > _LEAST * head**2)
    if not foreign.any():
        return np.asarray(taken, np.float32)
    inward = depth(own)
    torso = _torso(body, face)
    throat, hair = (rows > chin) & (away < _THROAT * head), above & (away < _HAIR * head)
    outside = foreign & (inward < -_OUTSIDE * head)
    collars = _collars(others, own.shape) & ~torso
    theirs = taken & (outside | collars | heads(own.shape, others, face))
    sure = taken & own & ~theirs & ((torso & (inward > _DEEP * head)) | throat | hair)
    if not theirs.any() or not sure.any():
        return np.asarray(taken & ~foreign, np.float32)
    smooth = cv2.GaussianBlur(image, (0, 0), _SMOOTH).astype(np.float32) / np.float32(255)
    lab = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)
    slopes = [cv2.Sobel(lab, cv2.CV_32F, *way, ksize=3) / 4 for way in ((1, 0), (0, 1))]
    edge = np.sqrt(np.square(slopes).sum(axis=(0, 3)))
    cost = np.where(taken, _STEP / head + np.maximum(0, edge - _NOISE), -1)
    own_way, their_way = (ways(cost, start) for start in (sure, theirs))
    return np.asarray(np.where(taken, their_way / (own_way + their_way), 0), np.float32)


def depth(where: Where) -> NDArray[np.float32]:
    """Return how far inside each pixel lies, px; negative outside."""
    inside = where.astype(np.uint8)
    return np.asarray(
        cv2.distanceTransform(inside, cv2.DIST_L2, 5) - cv2.distanceTransform(1 - inside, cv2.DIST_L2, 5),
        np.float32,
    )


def _torso(body: Body, face: Face) -> Where:
    """Return what lies below the lines from the chin over the shoulders."""
    room, bottom = _CLOTH * face.head_height, float(len(body.mask))
    (left, right), chin = body.shoulders, face.landmarks[CHIN, :2]
    left, right = left - room, right + np.array([room, -room])
    corners = np.array([chin, right, [right[0], bottom], [left[0], bottom], left])
    found = np.zeros(body.mask.shape, np.uint8)
    cv2.fillPoly(found, [np.rint(corners).astype(np.int32)], 1)
    return found > 0


def _collars(others: list[Face], shape: tuple[int, ...]) -> Where:
    """Return what lies right below the others' chins."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    found = np.zeros(shape, np.bool_)
    for other in others:
        (x, y), (aside, down) = other.landmarks[CHIN, :2], (share * other.head_height for share in _COLLAR)
        found |= (np.abs(columns - x) < aside) & (rows > y) & (rows < y + down)
    return found
