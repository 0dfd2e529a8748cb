"""The identity lock: face, hair and neck stay as the photo has them, what is worn may be painted anew.

Where clothes end is told by colour where colours say it (skin as on the face, hair as above the forehead,
cloth as on the shoulders) and by the photo's edges where they do not, as with dark hair on a dark suit.
In doubt a pixel stays: a remnant of the old collar can be painted around, lost hair cannot be found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.segmentation import random_walker

from workers.vision.geometry import CHIN, Face, Pixels
from workers.vision.photometry import reduced
from workers.vision.segment import disc, person_mask
from workers.vision.skin import skin_mask

Mask = NDArray[np.float32]

_HEAD: Final = 220.0  # px, head height while looking; the edge is then followed in the photo's own pixels
_HAIR_BAND: Final = 0.022  # of the head's height, as in matting
# Head heights: below the chin, and to either side of the middle of the face. Above the mouth there are no
# shoulders; on them and on the middle of the chest there is no hair that falls from the head.
_MOUTH: Final = -0.16
_SHOULDER: Final = (0.72, 0.3)
_CHEST: Final = (0.1, 0.75)
_NECK: Final = (0.32, 0.5)
_HAIR: Final = 0.7
_RIM: Final = 0.03  # head heights around the mesh that are skin: ears, temples, the jaw's edge
_SEEN: Final = 1.3  # head heights below the eyes to which the segmentation sees
_CLUSTERS: Final = 4  # main colours of a part: jacket, shirt, tie, badge
_MAIN: Final = 0.05  # least share of a main colour
_SHADE: Final = 0.5  # what lightness counts on skin: a neck lies in the chin's shadow
_SKIN: Final = (
    16.0  # ΔE76 of a neck from cheeks and forehead; chosen by eye on eight photos, like the rest here
)
_UNLIKE: Final = 20.0  # ΔE76 from the skin, from where nothing is skin
_ALIKE: Final = 14.0  # ΔE76 of hair from the main colours of the same head's hair
_BESIDE: Final = (0.25, -0.12, 0.02)  # beside the neck and above any shoulder: from aside; from, to below
_TRESS: Final = 0.004  # square head heights of hair there from which it falls on: a lock of 3 by 14 %
# How much an edge of the photo parts, see `random_walker`: 130 painted 8 % of one head's hair, 300 and 500 none,
# and from 700 its equations are too stiff.
_EDGES: Final = 300.0
_SURE: Final = 0.4  # probability of being worn from which a pixel may be painted
_MARGIN: Final = 0.012  # head heights around what stays that stay as well
_SOFT: Final = 0.03  # head heights over which painting sets in
_GREY: Final = 128  # of 255: the middle of what a network is given, and no colour of anything
_AROUND: Final = 0.1  # head heights that new clothes may be wider than the old ones


def wardrobe_mask(pixels: Pixels, face: Face, others: Sequence[Face]) -> Mask:
    """Return what may be painted, 0 to 1, height × width.

    1 over clothes and shoulders and a little around them, exactly 0 over face, hair and the skin of the
    neck; the soft edge lies wholly on the side that is painted.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The person, in these pixels.
        others: Further faces.
    """
    scale = min(1.0, _HEAD / face.head_height)
    small, seen = reduced(pixels, scale), face.moved(0, 0, scale)
    person = person_mask(small, seen, [other.moved(0, 0, scale) for other in others], _HAIR_BAND)
    stays, worn = _parted(small, seen, person)
    head = face.head_height
    size = (pixels.shape[1], pixels.shape[0])
    stays = cv2.resize(stays.astype(np.float32), size, interpolation=cv2.INTER_LINEAR) > 0.25
    stays |= _face(pixels.shape, face)
    # Further down the segmentation does not reach; there is nothing but clothes and wall.
    eyes = float(seen.right_eye[1] + seen.left_eye[1]) / 2
    worn[max(0, round(eyes + _SEEN * seen.head_height)) :] = True
    around = cv2.dilate(worn.astype(np.uint8), disc(max(1, round(_AROUND * seen.head_height))))
    below = np.arange(size[1])[:, None] > face.landmarks[CHIN, 1] + _MOUTH * head
    free = (cv2.resize(around, size, interpolation=cv2.INTER_LINEAR) > 0) & below & ~stays
    away = cv2.distanceTransform((~stays).astype(np.uint8), cv2.DIST_L2, 5)
    rise = np.clip((away - _MARGIN * head) / (_SOFT * head), 0, 1)
    outer = np.clip(cv2.distanceTransform(_framed(free), cv2.DIST_L2, 5)[1:-1, 1:-1] / (_SOFT * head), 0, 1)
    return np.asarray(np.where(free, np.minimum(rise, outer), 0), np.float32)


def keep_face(original: Pixels, painted: Pixels, mask: Mask) -> Pixels:
    """Lay a painted picture over the photo; where `mask` is 0 the photo is unchanged, bit for bit.

    Args:
        original: uint8, height × width × 3, sRGB.
        painted: The same size.
        mask: As `wardrobe_mask` made it.
    """
    share = mask[..., None]
    mixed = original * (1 - share) + painted * share
    return np.where(share == 0, original, np.rint(mixed).astype(np.uint8)).astype(np.uint8)


def greyed(pixels: Pixels, mask: Mask) -> Pixels:
    """Return what the network is shown of a photo: neutral grey where it may paint, as softly as the mask begins.

    klein sees the whole picture while it paints a part of it, and would copy the clothes that it sees there.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        mask: As `wardrobe_mask` made it; where it is 0 the photo is unchanged.
    """
    return keep_face(pixels, np.full_like(pixels, _GREY), mask)


def _framed(free: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Go on beyond the frame, where no edge is."""
    return np.asarray(np.pad(free.astype(np.uint8), 1, mode="edge"), np.uint8)


def _face(shape: tuple[int, ...], face: Face) -> NDArray[np.bool_]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.rint(face.landmarks[:, :2]).astype(np.int32)), 1)
    return mask.astype(bool)


def _parted(pixels: Pixels, face: Face, person: Mask) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return what of the person stays, with its soft edge, and what is worn; at working size."""
    head = face.head_height
    body = person > 0.5
    rows, columns = np.indices(body.shape, dtype=np.float32)
    aside = np.abs(columns - face.landmarks[:, 0].mean()) / head
    below = (rows - face.landmarks[CHIN, 1]) / head
    front = _face(body.shape, face)
    above = body & (front | (below < _MOUTH))
    cloth = (
        body
        & ~front
        & (((aside > _SHOULDER[0]) & (below > _SHOULDER[1])) | ((aside < _CHEST[0]) & (below > _CHEST[1])))
    )
    lab = cv2.cvtColor(pixels.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB)
    to_cloth = _to_colours(lab, cloth, 1.0)
    to_skin = _to_colours(lab, skin_mask(body.shape, face), _SHADE)
    around = cv2.dilate(front.astype(np.uint8), disc(max(1, round(_RIM * head)))) > 0
    tresses = above & ~around & (to_skin > _SKIN)
    to_hair = _to_colours(lab, tresses, 1.0)
    # Hair falls from the head or from the chin and is hair all the way; a shirt as white as the hair is not.
    # The segmentation loses locks beside a face; their colour does not.
    hairlike = (body | (below < _BESIDE[2])) & (aside < _HAIR) & (to_hair < _ALIKE)
    if _falls(hairlike, aside, below, head):
        hairlike &= ~cloth  # even where it is as dark as the jacket: in doubt it stays
    else:
        hairlike &= to_hair < to_cloth
    hair = _joined(hairlike | tresses | front, tresses | front) & ~front
    skinlike = body & (aside < _NECK[0]) & (below < _NECK[1]) & (to_skin < _SKIN)
    neck = _joined(skinlike | front, front) & ~front
    seeds = np.zeros(body.shape, np.int32)
    seeds[body & ~hair & ~neck & (below > 0) & (to_skin > _UNLIKE)] = 2
    seeds[cloth & ~hair] = 2
    seeds[hair | (neck & (to_skin < to_cloth)) | above] = 1
    seeds[~body] = -1
    if not (seeds == 2).any() or not (seeds == 1).any():
        return body, np.zeros(body.shape, bool)
    share = random_walker(
        lab / 100.0, seeds, beta=_EDGES, mode="bf", prob_tol=0.05, return_full_prob=True, channel_axis=-1
    )[1]
    kept = _joined(body & ~(share > _SURE), above)
    soft = cv2.dilate(kept.astype(np.uint8), disc(max(1, round(1.5 * _HAIR_BAND * head)))) > 0
    worn = body & ~kept
    return np.asarray(kept | hair | (soft & (person > 0.1) & ~worn), bool), np.asarray(worn & ~hair, bool)


def _falls(
    hairlike: NDArray[np.bool_], aside: NDArray[np.float32], below: NDArray[np.float32], head: float
) -> bool:
    """Say whether hair goes on below the face, where short hair leaves neck and wall."""
    place = (aside > _BESIDE[0]) & (below > _BESIDE[1]) & (below < _BESIDE[2])
    return float((hairlike & place).sum()) > _TRESS * head**2


def _to_colours(lab: NDArray[np.float32], where: NDArray[np.bool_], lightness: float) -> NDArray[np.float32]:
    """Return how far each pixel is from the nearest of the main colours of a part, ΔE76; far if there is none.

    Args:
        lab: float32, height × width × 3, CIE L*a*b*.
        where: The part, height × width.
        lightness: What a step of L* counts.
    """
    if not where.any():
        return np.full(where.shape, np.inf, np.float32)
    weight = np.array([lightness, 1.0, 1.0], np.float32)
    samples = np.ascontiguousarray(lab[where] * weight)
    count = min(_CLUSTERS, len(samples))
    cv2.setRNGSeed(0)
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    _, labels, centres = cv2.kmeans(samples, count, None, criteria, 2, cv2.KMEANS_PP_CENTERS)
    shares = np.bincount(labels.ravel(), minlength=count) / len(samples)
    main = centres[shares > _MAIN]
    return np.asarray(
        np.min([np.linalg.norm(lab * weight - centre, axis=2) for centre in main], axis=0), np.float32
    )


def _joined(area: NDArray[np.bool_], core: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the parts of an area that hang together with its core."""
    _, labels = cv2.connectedComponents(area.astype(np.uint8), connectivity=4)
    touched = np.unique(labels[core & area])
    return np.asarray(np.isin(labels, touched[touched > 0]), bool)
