"""Where the main person is, roughly: mediapipe's two selfie models, asked about several views of the photo.

Each model sees 256 × 256 px (or 256 × 144) whatever it is given. A wide view knows what belongs to a person,
a close one where the edge runs; their mean is better than any of them. Views closer than half a head
lose the context and make the mask worse (measured with `headshots bench matte`).
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Final, NamedTuple, Protocol

import cv2
import mediapipe
import numpy as np
from numpy.typing import NDArray

from workers.vision.cutout import Mask
from workers.vision.gaps import closed
from workers.vision.geometry import CHIN, Box, Face, Pixels
from workers.vision.parting import depth, parted
from workers.vision.photometry import inside, reduced
from workers.vision.pose import body
from workers.vision.quiet import quiet, sample_face

SURE: Final = 0.9  # confidence that needs no second look; its mirror is 1 - SURE
_LEAST: Final = 32  # px; a narrower view shows nothing
_FADE: Final = (
    0.2  # of a view's side, over which it fades out: at its own frame it does not know what goes on
)
_REACH: Final = 0.012  # of the head's height, by which a close view may add to what the wide ones saw
_LOOKED_AT: Final = (
    512  # px, long side at which a finished picture's wall is found: the model sees 256 of them
)
_MARGIN: Final = 0.02  # of it, around a person
POSE_HEAD: Final = 160.0  # px, head height at which a body is looked for: the model sees 256 px of it all
# Head heights from the crown's middle: only long hair and other people reach further above the chin. From so much
# on, head heights squared, the pose is asked whose it is.
_BESIDE: Final = 0.55
_LITTLE: Final = 0.01
_OPEN: Final = 0.04  # head heights to each side of where two people meet, left to matting
_HELD: Final = 1.5  # hair bands around what surely hangs together with the face, within which doubt is kept


class _Asked(Protocol):
    """A look at a picture; see `opinion`."""

    def __call__(self, image: Pixels, *, landscape: bool) -> Mask:
        """Return how surely each pixel is a person."""


class _View(NamedTuple):
    """A window on the photo: centre relative to the eyes and half its size, in head heights."""

    across: float
    down: float
    half_width: float
    half_height: float
    landscape: bool
    trust: float


_WIDE: Final = (
    _View(0.0, 0.2, 1.3, 1.3, landscape=False, trust=1.0),
    _View(0.0, 0.2, 1.3, 1.3, landscape=True, trust=1.0),
    _View(0.0, 0.0, 1.3, 0.75, landscape=True, trust=1.0),
    _View(0.0, 0.0, 0.9, 0.9, landscape=False, trust=1.0),
)
_CLOSE: Final = (
    _View(0.0, -0.02, 0.75, 0.75, landscape=False, trust=0.8),
    _View(-0.25, -0.1, 0.5, 0.5, landscape=False, trust=0.7),
    _View(0.25, -0.1, 0.5, 0.5, landscape=False, trust=0.7),
    _View(0.0, -0.3, 0.5, 0.5, landscape=False, trust=0.7),
)
# As far as any view reaches, head heights from the eyes: left and right, up, down.
REACH: Final = (1.3, 1.1, 1.5)


class _Segmenters:
    """mediapipe's graphs; they are not thread-safe, so one lock guards them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        with quiet():
            self.models = [
                mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=selection)
                for selection in (0, 1)  # 0: 256 × 256, 1: 144 × 256 (landscape)
            ]
            for model in self.models:
                model.process(sample_face())


@cache
def _segmenters() -> _Segmenters:
    return _Segmenters()


def person_mask(
    image: Pixels, face: Face, others: list[Face], hair_band: float, *, twice: bool = True
) -> Mask:
    """Return how surely each pixel belongs to `face`'s person, 0 to 1, height × width.

    Args:
        image: uint8, height × width × 3, sRGB: the photo around the person, at working size.
        face: The main person, in the same pixels.
        others: Further faces; what is connected to them and not to `face` is left out.
        hair_band: Half-width of the band that matting solves around hair, fraction of the head's height.
        twice: Ask about each view's mirror image too: half the noise, for twice the time.
    """
    ask = _both_ways if twice else opinion
    mask = _wide(image, face, ask)
    _look_closer(mask, image, face, ask)
    return _main_person(mask, image, face, others, hair_band)


def background(pixels: Pixels) -> NDArray[np.bool_]:
    """Return where a picture surely shows no person, with a margin; boolean, height × width."""
    small = reduced(pixels, _LOOKED_AT / max(pixels.shape[:2]))
    away = (opinion(small, landscape=False) < 1 - SURE).astype(np.uint8)
    clear = cv2.distanceTransform(away, cv2.DIST_L2, 5) > max(1.0, _MARGIN * max(small.shape[:2]))
    whole = (pixels.shape[1], pixels.shape[0])
    return np.asarray(cv2.resize(clear.astype(np.uint8), whole, interpolation=cv2.INTER_NEAREST), bool)


def disc(radius: int) -> NDArray[np.uint8]:
    """Return a round structuring element."""
    return np.asarray(
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8
    )


def opinion(image: Pixels, *, landscape: bool) -> Mask:
    """Return what one model says of a picture at one look, 0 to 1, height × width.

    Args:
        image: uint8, height × width × 3, sRGB.
        landscape: Which model: the one that sees 256 × 144 px instead of 256 × 256.
    """
    segmenters = _segmenters()
    with segmenters.lock:
        mask = segmenters.models[landscape].process(np.ascontiguousarray(image)).segmentation_mask
    return np.array(mask, np.float32)


def _both_ways(image: Pixels, *, landscape: bool) -> Mask:
    """Ask about the picture and its mirror image: their mean has half the noise."""
    mirrored = opinion(image[:, ::-1], landscape=landscape)[:, ::-1]
    return np.asarray((opinion(image, landscape=landscape) + mirrored) / 2, np.float32)


def _window(view: _View, face: Face, image: Pixels) -> tuple[slice, slice] | None:
    eyes, head = (face.right_eye + face.left_eye) / 2, face.head_height
    x, y = eyes[0] + view.across * head, eyes[1] + view.down * head
    width, height = view.half_width * head, view.half_height * head
    rows, columns = inside(Box(x - width, y - height, x + width, y + height), image)
    if min(rows.stop - rows.start, columns.stop - columns.start) < _LEAST:
        return None
    return rows, columns


def _wide(image: Pixels, face: Face, ask: _Asked) -> Mask:
    height, width = image.shape[:2]
    total, weights = np.zeros((height, width), np.float32), np.full((height, width), 1e-6, np.float32)
    for view in _WIDE:
        window = _window(view, face, image)
        if window is None:
            continue
        rows, columns = window
        weight = view.trust * _fade(rows, height)[:, None] * _fade(columns, width)[None, :] + 1e-3
        total[window] += weight * ask(image[window], landscape=view.landscape)
        weights[window] += weight
    return np.asarray(total / weights, np.float32)


def _look_closer(mask: Mask, image: Pixels, face: Face, ask: _Asked) -> None:
    """Draw the edge of the head finer, in place.

    Close by, a passer-by's shoulder looks like the person too; only near the wide views' person it is.
    """
    height, width = mask.shape
    reachable = cv2.dilate((mask > 0.5).astype(np.uint8), disc(max(1, round(_REACH * face.head_height))))
    for view in _CLOSE:
        window = _window(view, face, image)
        if window is None:
            continue
        rows, columns = window
        close = ask(image[window], landscape=view.landscape) * reachable[window]
        weight = view.trust * _fade(rows, height)[:, None] * _fade(columns, width)[None, :]
        mask[window] += weight * (close - mask[window])


def _fade(part: slice, whole: int) -> Mask:
    """Weight along one side of a view: 0 at its own frame, 1 inside and where the photo itself ends."""
    steps = np.arange(part.start, part.stop, dtype=np.float32)
    near = np.full(steps.shape, np.inf, np.float32)
    if part.start > 0:
        near = np.minimum(near, steps - part.start)
    if part.stop < whole:
        near = np.minimum(near, part.stop - 1 - steps)
    return np.asarray(np.clip(near / (_FADE * (part.stop - part.start)), 0, 1), np.float32)


def _main_person(mask: Mask, image: Pixels, face: Face, others: list[Face], hair_band: float) -> Mask:
    """Keep what hangs together with the main face and is of the body that bears it."""
    height, width = mask.shape
    if others or _beside(mask, face) > _LITTLE:
        mask = np.minimum(mask, _of_one_body(mask, image, face, others))
    _, labels = cv2.connectedComponents((mask > 0.5).astype(np.uint8), connectivity=4)
    x, y = face.landmarks[:, :2].mean(axis=0)
    own_label = labels[int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))]
    if own_label == 0:
        return mask
    kept = (labels == own_label).astype(np.uint8)
    # Soft values belong to the person only next to what is certain.
    near = cv2.dilate(kept, disc(max(2, round(hair_band * face.head_height * _HELD))))
    return np.where(near > 0, closed(mask, kept, image, face), 0).astype(np.float32)


def _beside(mask: Mask, face: Face) -> float:
    """Return how much stands beside the head, above the chin: head heights squared."""
    chin = int(np.clip(face.landmarks[CHIN, 1], 0, len(mask)))
    away = np.abs(np.arange(mask.shape[1]) - float(face.crown[0])) > _BESIDE * face.head_height
    return float((mask[:chin, away] > 0.5).sum()) / face.head_height**2


def _of_one_body(mask: Mask, image: Pixels, face: Face, others: list[Face]) -> Mask:
    """Return 0 where the mask has others' bodies, 1 where it has this face's; what is between them stays open."""
    scale = min(1.0, POSE_HEAD / face.head_height)
    small, head = reduced(image, scale), scale * face.head_height
    seen, further = face.moved(0, 0, scale), [other.moved(0, 0, scale) for other in others]
    found = body(small, seen, further)
    if found is None:
        return _half_way(mask, face, others)
    taken = cv2.resize(mask, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA) > 0.5
    theirs = taken & (parted(small, taken, found, seen, further) < 0.5)
    if not theirs.any():
        return np.ones_like(mask)
    share = np.clip(0.5 - depth(theirs) / (2 * _OPEN * head), 0, 1)
    return np.asarray(cv2.resize(share, (mask.shape[1], mask.shape[0]), interpolation=cv2.INTER_LINEAR))


def _half_way(mask: Mask, face: Face, others: list[Face]) -> Mask:
    """Where no pose is found: cut at half-way to anybody else's face."""
    rows, columns = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]]
    own, kept = _away(rows, columns, face), np.ones_like(mask)
    for other in others:
        kept[_away(rows, columns, other) < own] = 0
    return kept


def _away(rows: NDArray[np.int64], columns: NDArray[np.int64], face: Face) -> NDArray[np.float64]:
    centre = face.landmarks[:, :2].mean(axis=0)
    # A body spreads downwards, so distance counts sideways only a little below the face.
    return np.asarray(np.hypot(columns - centre[0], 0.5 * (rows - centre[1])) / face.head_height)
