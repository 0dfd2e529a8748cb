"""Cut the main person out: mediapipe's segmentation says where, closed-form matting says how much.

Selfie segmentation gives a mask that is right but coarse. Around its edge a band is left unknown and
solved with the matting Laplacian (Levin et al. 2008, "A Closed-Form Solution to Natural Image Matting",
by PyMatting), held weakly to the mask so that a patterned background cannot pull it away. The colours at
the edge are then estimated without the old background (Germer et al. 2020, multi-level foreground
estimation), which is what prevents halos on the company's backdrop.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Final

import cv2
import mediapipe
import numpy as np
import pymatting
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.cutout import Cutout, Mask
from workers.vision.geometry import CHIN, Box, Face, Pixels
from workers.vision.measure import inside, reduced
from workers.vision.quiet import quiet, sample_face

MAX_SIDE: Final = 1400  # pixels of a cut-out: what a 1,024 px master shows of it, plus its margins
_SOLVE_SIDE: Final = 896  # pixels; the band is solved at this size and refined up to the cut-out's
_SURE: Final = 0.9  # segmentation confidence that needs no second look; its mirror is 1 - _SURE
# Half-widths of the unknown band, fraction of the head's height. Hair needs air, cloth does not.
_HAIR_BAND: Final = 0.024
_BODY_BAND: Final = 0.014
# Closer views: centre relative to the eyes and half a side, fractions of the head's height; how far trusted.
_VIEWS: Final = (
    (0.0, 0.0, 0.85, 0.7),
    (0.0, -0.05, 0.65, 0.8),
    (-0.32, 0.0, 0.45, 0.85),
    (0.32, 0.0, 0.45, 0.85),
    (0.0, -0.32, 0.45, 0.85),
)
# Weight of the mask inside the band, at its edge and at the band's rim; the Laplacian's rows are of order 1.
_PRIOR_HAIR: Final = 1e-3
_PRIOR_CLOTH: Final = 5e-3
_PRIOR_RIM: Final = 1e-1
_HAZE: Final = 0.05  # alpha that only shows as a veil on a plain backdrop
_EPSILON: Final = 1e-5  # regularisation of the colour-line model; smaller follows JPEG noise


class _Segmenter:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        with quiet():
            self.model = mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0)
            self.model.process(sample_face())


@cache
def _segmenter() -> _Segmenter:
    return _Segmenter()


def matte(pixels: Pixels, face: Face, others: list[Face], region: Box, max_side: int = MAX_SIDE) -> Cutout:
    """Cut `face`'s person out of the part of the photo inside `region`.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The main person.
        others: Further faces; what is connected to them and not to `face` is left out.
        region: What the portrait will show of the photo, pixels; clipped to the photo.
        max_side: Long side of the cut-out, pixels.
    """
    height, width = pixels.shape[:2]
    left, top = max(0, int(region.left)), max(0, int(region.top))
    right, bottom = min(width, round(region.right)), min(height, round(region.bottom))
    view = pixels[top:bottom, left:right]
    scale = min(1.0, max_side / max(view.shape[:2]))
    image = reduced(view, scale)
    moved = face.moved(-left, -top, scale)
    solve_scale = min(1.0, _SOLVE_SIDE / max(image.shape[:2]))
    small = reduced(image, solve_scale)
    small_face = moved.moved(0, 0, solve_scale)
    mask = _segment(small, small_face)
    mask = _main_person(mask, small_face, [other.moved(-left, -top, scale * solve_scale) for other in others])
    alpha = _solve(small, mask, _trimap(mask, small_face), small_face)
    if solve_scale < 1.0:
        alpha = _refined(image, small, alpha)
    foreground = pymatting.estimate_foreground_ml(image / 255.0, alpha.astype(np.float64))
    clean = np.clip(np.rint(foreground * 255.0), 0, 255).astype(np.uint8)
    return Cutout(clean, alpha, moved, scale)


def background(pixels: Pixels) -> NDArray[np.bool_]:
    """Return where a picture surely shows no person, with a margin; boolean, height × width."""
    away = (_run(pixels) < 1 - _SURE).astype(np.uint8)
    margin = _disc(max(1, round(0.02 * max(pixels.shape[:2]))))
    return np.asarray(cv2.erode(away, margin, borderType=cv2.BORDER_REPLICATE), bool)


def warm() -> None:
    """Load the model and compile PyMatting's kernels, about 40 s once per machine, then cached."""
    rng = np.random.default_rng(0)
    image = rng.integers(0, 255, (64, 64, 3), np.uint8)
    mask = np.zeros((64, 64), np.float32)
    mask[:, 32:] = 1.0
    trimap = mask.copy()
    trimap[:, 24:40] = 0.5
    _segmenter()
    points = np.tile(np.array([[32.0, 32.0, 0.0]], np.float32), (478, 1))
    points[CHIN, 1] = 60.0
    alpha = _solve(image, mask, trimap, Face(points, 1.0))
    pymatting.estimate_foreground_ml(image / 255.0, alpha.astype(np.float64))


def _run(image: Pixels) -> Mask:
    segmenter = _segmenter()
    with segmenter.lock:
        mask = segmenter.model.process(np.ascontiguousarray(image)).segmentation_mask
    return np.array(mask, np.float32)


def _segment(image: Pixels, face: Face) -> Mask:
    """Look at the whole, then closer and closer at the head; each view mirrored as well.

    The model sees 256 × 256 px whatever it is given, so a closer view draws a finer edge. A view fades
    out towards its own frame, where it does not know what goes on.
    """
    mask = (_run(image) + _run(image[:, ::-1])[:, ::-1]) / 2
    # Close by, a passer-by's shoulder looks like the person too; only near the whole view's person it is.
    reachable = cv2.dilate((mask > 0.5).astype(np.uint8), _disc(max(1, round(0.012 * face.head_height))))
    eyes = (face.right_eye + face.left_eye) / 2
    for across, down, reach, trust in _VIEWS:
        centre_x, centre_y = eyes[0] + across * face.head_height, eyes[1] + down * face.head_height
        half = reach * face.head_height
        view = Box(centre_x - half, centre_y - half, centre_x + half, centre_y + half)
        rows, columns = inside(view, image)
        part = image[rows, columns]
        if min(part.shape[:2]) < 32:
            continue
        close = (_run(part) + _run(part[:, ::-1])[:, ::-1]) / 2 * reachable[rows, columns]
        weight = trust * _fade(part.shape[0])[:, None] * _fade(part.shape[1])[None, :]
        mask[rows, columns] += weight * (close - mask[rows, columns])
    return mask


def _fade(length: int) -> Mask:
    steps = np.arange(length, dtype=np.float32)
    return np.asarray(np.clip(np.minimum(steps, steps[::-1]) / (0.25 * length), 0, 1), np.float32)


def _main_person(mask: Mask, face: Face, others: list[Face]) -> Mask:
    """Keep what hangs together with the main face; cut at half-way to anybody else's."""
    height, width = mask.shape
    core = (mask > 0.5).astype(np.uint8)
    if others:
        rows, columns = np.mgrid[0:height, 0:width]
        own = _away(rows, columns, face)
        for other in others:
            core[_away(rows, columns, other) < own] = 0
    _, labels = cv2.connectedComponents(core, connectivity=4)
    x, y = face.landmarks[:, :2].mean(axis=0)
    own_label = labels[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))]
    if own_label == 0:
        return mask
    kept = (labels == own_label).astype(np.uint8)
    # Soft values belong to the person only next to what is certain.
    margin = max(2, round(_HAIR_BAND * face.head_height * 1.5))
    near = cv2.dilate(kept, _disc(margin))
    filled = _without_holes(kept, round(0.02 * face.head_height**2))
    return np.where(near > 0, np.maximum(mask, filled * 0.95), 0).astype(np.float32)


def _away(rows: NDArray[np.int64], columns: NDArray[np.int64], face: Face) -> NDArray[np.float64]:
    centre = face.landmarks[:, :2].mean(axis=0)
    # A body spreads downwards, so distance counts sideways only a little below the face.
    return np.asarray(np.hypot(columns - centre[0], 0.5 * (rows - centre[1])) / face.head_height)


def _without_holes(kept: NDArray[np.uint8], largest: int) -> NDArray[np.uint8]:
    """Fill gaps inside the person up to `largest` square pixels: glasses, a tie, a badge."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - kept, connectivity=4)
    filled = kept.copy()
    height, width = kept.shape
    for label in range(1, count):
        x, y, w, h, area = stats[label]
        if area <= largest and x > 0 and y > 0 and x + w < width and y + h < height:
            filled[labels == label] = 1
    return filled


def _trimap(mask: Mask, face: Face) -> Mask:
    """Known person 1, known background 0, unknown 0.5; the band is wide at the hair, narrow below."""
    head = face.head_height
    chin = float(face.landmarks[CHIN, 1])
    person, backdrop = (mask > _SURE).astype(np.uint8), (mask < 1 - _SURE).astype(np.uint8)
    hair, body = _disc(max(2, round(_HAIR_BAND * head))), _disc(max(1, round(_BODY_BAND * head)))
    border = cv2.BORDER_REPLICATE
    above = np.arange(mask.shape[0])[:, None] < chin
    sure = np.where(
        above, cv2.erode(person, hair, borderType=border), cv2.erode(person, body, borderType=border)
    )
    away = np.where(
        above, cv2.erode(backdrop, hair, borderType=border), cv2.erode(backdrop, body, borderType=border)
    )
    trimap = np.full(mask.shape, 0.5, np.float32)
    trimap[sure > 0] = 1.0
    trimap[away > 0] = 0.0
    return trimap


def _disc(radius: int) -> NDArray[np.uint8]:
    return np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8
    )


def _solve(image: Pixels, mask: Mask, trimap: Mask, face: Face) -> Mask:
    """Closed-form matting over the unknown pixels only, held to the mask the more the farther from its edge."""
    known = trimap != 0.5
    alpha = trimap.astype(np.float64)
    if known.all():
        return trimap
    laplacian = sparse.csr_matrix(
        pymatting.cf_laplacian(image / 255.0, epsilon=_EPSILON, radius=1, is_known=known.ravel())
    )
    unknown = np.flatnonzero(~known.ravel())
    fixed = np.flatnonzero(known.ravel())
    rows = laplacian[unknown]
    target, weight = (values.ravel()[unknown] for values in _prior(mask, face))
    system = (rows[:, unknown] + sparse.diags(weight)).tocsc()
    right = weight * target - rows[:, fixed] @ alpha.ravel()[fixed]
    solution = pymatting.cg(
        system, right, x0=target, M=pymatting.ichol(system, discard_threshold=1e-3), rtol=1e-4, maxiter=200
    )
    alpha.ravel()[unknown] = solution
    return np.clip((alpha - _HAZE) / (1 - 2 * _HAZE), 0, 1).astype(np.float32)


def _prior(mask: Mask, face: Face) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what the mask says alpha is and how much that weighs.

    Hardly at its edge, where the picture knows better; strongly at the band's rim, where a soft value
    of the segmentation is doubt, not hair.
    """
    share = np.clip((mask.astype(np.float64) - 0.3) / 0.5, 0, 1)
    target = share * share * (3 - 2 * share)
    person = (mask > 0.55).astype(np.uint8)
    away = cv2.distanceTransform(person, cv2.DIST_L2, 3) + cv2.distanceTransform(1 - person, cv2.DIST_L2, 3)
    reach = np.clip(away / (_HAIR_BAND * face.head_height), 0, 1)
    # Cloth has a plain edge, so there the mask may say more than where hair is.
    edge = np.where(np.arange(mask.shape[0])[:, None] < face.landmarks[CHIN, 1], _PRIOR_HAIR, _PRIOR_CLOTH)
    return target, edge + (_PRIOR_RIM - edge) * reach**2


def _refined(image: Pixels, small: Pixels, alpha: Mask) -> Mask:
    """Enlarge alpha along the photo's own edges: He & Sun 2015, "Fast Guided Filter"."""
    guide = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    window = (7, 7)
    mean_guide, mean_alpha = cv2.blur(guide, window), cv2.blur(alpha, window)
    variance = cv2.blur(guide * guide, window) - mean_guide**2
    covariance = cv2.blur(guide * alpha, window) - mean_guide * mean_alpha
    slope = covariance / (variance + 1e-4)
    offset = mean_alpha - slope * mean_guide
    size = (image.shape[1], image.shape[0])
    full = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    guided = cv2.resize(cv2.blur(slope, window), size) * full + cv2.resize(cv2.blur(offset, window), size)
    plain = cv2.resize(alpha, size, interpolation=cv2.INTER_CUBIC)
    # Where alpha is flat there is no edge to refine, and the filter would only print the photo into it.
    flat = cv2.resize(cv2.blur(alpha, (3, 3)), size)
    edge = np.clip(np.minimum(flat, 1 - flat) * 20, 0, 1)
    return np.asarray(np.clip(plain + edge * (guided - plain) * 0.5, 0, 1), np.float32)
