"""Which body bears a face: BlazePose, which follows one body where a selfie model takes everybody for a person.

It goes to whom it likes best, so the others' heads are painted over before it is asked. Its mask is coarse, but
it tells a person's own shoulder from the ones behind it.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import cv2
import mediapipe
import numpy as np
from numpy.typing import NDArray

from workers.vision.cutout import Mask
from workers.vision.geometry import CHIN, FOREHEAD, Face, Pixels
from workers.vision.quiet import quiet, sample_face

_NOSE_OFF: Final = 0.35  # head heights: a pose whose nose lies further off is somebody else's
_NOSE: Final = 4  # of the mesh; the pose's first landmark
_HEAD: Final = (0.36, 0.55)  # head heights, half-axes of the oval that hides a head
_SHOULDERS: Final = (11, 12)  # of the pose
_PAINT: Final = 128


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One person's body.

    Attributes:
        mask: float32, height × width: how surely each pixel belongs to it, 0 to 1.
        shoulders: 2 × 2, pixels (x, y): the joints, left in the picture first.
    """

    mask: Mask
    shoulders: NDArray[np.float64]


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


def body(image: Pixels, face: Face, others: list[Face]) -> Body | None:
    """Find the body that bears this face.

    Args:
        image: uint8, height × width × 3, sRGB; the model sees 256 px of it.
        face: In these pixels.
        others: Further faces in these pixels; their heads are hidden from the model.

    Returns:
        `None` where no pose or somebody else's is found.
    """
    shown = np.ascontiguousarray(_without(image, face, others))
    model = _model()
    with model.lock:
        answer: Any = model.pose.process(shown)
    if answer.pose_landmarks is None or answer.segmentation_mask is None:
        return None
    marks = np.array([(mark.x, mark.y) for mark in answer.pose_landmarks.landmark])
    mask = np.array(answer.segmentation_mask, np.float32)
    marks *= (image.shape[1], image.shape[0])
    if np.linalg.norm(marks[0] - face.landmarks[_NOSE, :2]) > _NOSE_OFF * face.head_height:
        return None
    shoulders = marks[list(_SHOULDERS)]
    return Body(mask, shoulders[np.argsort(shoulders[:, 0])])


def _without(image: Pixels, face: Face, others: list[Face]) -> Pixels:
    """Paint the others' heads over."""
    if not others:
        return image
    return np.where(heads(image.shape[:2], others, face)[..., None], np.uint8(_PAINT), image)


def heads(shape: tuple[int, ...], others: list[Face], face: Face) -> NDArray[np.bool_]:
    """Return where the others' heads are, but for what covers the person's own; boolean, height × width."""
    found = np.zeros(shape[:2], np.uint8)
    for other in others:
        _oval(found, other, 1)
    _oval(found, face, 0)
    return found > 0


def _oval(where: Pixels, face: Face, value: int) -> None:
    x, y = (face.landmarks[FOREHEAD, :2] + face.landmarks[CHIN, :2]) / 2
    across, down = (half * face.head_height for half in _HEAD)
    cv2.ellipse(where, ((float(x), float(y)), (2 * across, 2 * down), 0.0), value, -1)
