"""How sure is a cut: where plain opinions about who is person and what is not agree against it.

Matting says how much of each pixel is the person, and is as sure of a bystander's arm as of the person's own.
Five cheap looks at the photo that had no part in it are asked instead: mediapipe's two selfie models, each
about the region and about more around it, and BlazePose's mask, which is of one body. What they agree on
against the cut is doubt; a thin line of it is the edge's, and left to the edge's own gate.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Final

import cv2
import mediapipe
import numpy as np
from numpy.typing import NDArray

from workers.vision.cutout import Mask
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.photometry import inside, reduced
from workers.vision.quiet import quiet, sample_face
from workers.vision.segment import disc, opinion

# % of the head's height squared: above it a cut is not shown, up to the half of it it counts as clean. On
# composites with exact truth (docs/sources.md, "Trust in a cut") all 52 wrong cuts had more, all but 13 of 89 right
# ones less, those 13 before leaves, bricks, letters or bystanders; good real photos have up to 0.2.
LIMIT: Final = 0.6
_HEAD: Final = 160.0  # px, head height at which it is looked: the models see 256 px of it all
_AROUND: Final = (1.6, 1.1, 1.8)  # head heights from the eyes, left and right, up, down: what a pose needs
_THIN: Final = 0.02  # head heights, radius: what is thinner is an edge
_SURE: Final = 0.6  # of the selfie models' mean: what is kept must have more than half on its side
_LITTLE: Final = (
    0.25  # of what a pose alone calls foreign: from here on it is asked again about the region alone
)
_NOSE_OFF: Final = 0.35  # head heights: a pose whose nose lies further off is somebody else's
_NOSE: Final = 4  # of the mesh; the pose's first landmark


class _Model:
    """mediapipe's graph; not thread-safe, so a lock guards it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        with quiet():
            # Complexity 1 is the one in the wheel.
            self.pose = mediapipe.solutions.pose.Pose(
                static_image_mode=True, model_complexity=1, enable_segmentation=True
            )
            self.pose.process(sample_face())


@cache
def _model() -> _Model:
    return _Model()


def doubt(pixels: Pixels, face: Face, region: Box, alpha: Mask) -> float:
    """Return how much of a cut the plain opinions contradict: 100 × area / head height².

    Args:
        pixels: uint8, height × width × 3, sRGB: the photo.
        face: The person's, in these pixels.
        region: Of the photo, pixels: what was cut out; clipped to the photo.
        alpha: Of the region, at any size.
    """
    return _weighed(pixels, face, region, alpha, None)


def is_doubted(pixels: Pixels, face: Face, region: Box, alpha: Mask) -> bool:
    """Say whether `doubt` is above `LIMIT`, with no more looks than that takes: a pose costs as much as a decoding.

    Args:
        pixels: See `doubt`.
        face: See `doubt`.
        region: See `doubt`.
        alpha: See `doubt`.
    """
    return _weighed(pixels, face, region, alpha, LIMIT) > LIMIT


def _weighed(pixels: Pixels, face: Face, region: Box, alpha: Mask, limit: float | None) -> float:
    """Return the doubt; with a limit, as soon as it is known on which side of that it lies."""
    scale = min(1.0, _HEAD / face.head_height)
    rows, columns = inside(region, pixels)
    part = reduced(pixels[rows, columns], scale)
    size = (part.shape[1], part.shape[0])
    kept = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA) > 0.5
    (x, y), head = (face.right_eye + face.left_eye) / 2, face.head_height
    aside, up, down = (reach * head for reach in _AROUND)
    far_rows, far_columns = inside(Box(x - aside, y - up, x + aside, y + down), pixels)
    around = reduced(pixels[far_rows, far_columns], scale)
    shift = ((far_columns.start - columns.start) * scale, (far_rows.start - rows.start) * scale)
    selfie = np.mean(
        [
            *(opinion(part, landscape=landscape) for landscape in (False, True)),
            *(_placed(opinion(around, landscape=landscape), shift, size) for landscape in (False, True)),
        ],
        axis=0,
    )
    unsure = _area(kept & (selfie < _SURE), scale * head)
    if limit is not None and unsure > limit:
        return unsure
    here, there = (
        face.moved(-columns.start, -rows.start, scale),
        face.moved(-far_columns.start, -far_rows.start, scale),
    )
    seen = _body(around, there)
    body = _body(part, here) if seen is None else _placed(seen, shift, size)
    if body is None:
        body = np.asarray(selfie, np.float32)
    left_out = _area(~kept & (body > 0.5) & (selfie > 0.5), scale * head)
    foreign = _area(kept & (body < 0.5), scale * head)
    # A second look at the body only ever takes back what the first calls foreign.
    open_still = limit is None or left_out + unsure <= limit < left_out + foreign
    if foreign > _LITTLE and open_still and seen is not None and (again := _body(part, here)) is not None:
        foreign = _area(kept & (np.maximum(body, again) < 0.5), scale * head)
    return left_out + max(foreign, unsure)


def _body(image: Pixels, face: Face) -> Mask | None:
    """Return the mask of the body that bears this face; `None` where no pose or somebody else's is found."""
    model = _model()
    with model.lock:
        answer: Any = model.pose.process(np.ascontiguousarray(image))
    if answer.pose_landmarks is None or answer.segmentation_mask is None:
        return None
    nose = answer.pose_landmarks.landmark[0]
    found = np.array([nose.x * image.shape[1], nose.y * image.shape[0]])
    if np.linalg.norm(found - face.landmarks[_NOSE, :2]) > _NOSE_OFF * face.head_height:
        return None
    return np.array(answer.segmentation_mask, np.float32)


def _placed(mask: Mask, shift: tuple[float, float], size: tuple[int, int]) -> Mask:
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]])
    return np.asarray(cv2.warpAffine(mask, move, size), np.float32)


def _area(where: NDArray[np.bool_], head: float) -> float:
    thick = cv2.morphologyEx(where.astype(np.uint8), cv2.MORPH_OPEN, disc(max(1, round(_THIN * head))))
    return 100 * float(thick.sum()) / head**2
