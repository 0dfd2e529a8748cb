"""Find faces: mediapipe's detectors for where, its 478-point mesh for how they look.

The models come inside the mediapipe 0.10.21 wheel (docs/sources.md, Faces). A detection counts only when the
mesh, run on a crop around it, sees a face in the same place; that removes what either alone invents.
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

from workers.vision.geometry import Box, Face, Pixels, Points
from workers.vision.quiet import quiet, sample_face

# Both detectors reduce what they see to 128 px (short range) or 192 px (full range), so pixels beyond
# this side only cost time. Half the side of the pictures that the photo check looks at: halving is cheap.
_DETECTION_SIDE: Final = 800
_MIN_DETECTION: Final = 0.35  # low, because the mesh confirms
# px; no usable face fits into less, and a sliver makes mediapipe's graph fail, after which it never runs again.
_SMALLEST: Final = 64
_MESH_SIDE: Final = 512  # the mesh's own input is 192 px; a larger crop only costs time
# Crop side / face box side: the mesh's detector wants air around a face. Each crop moves the eye line by up
# to half a degree and the chin by up to a hundredth of the head; the mean of three moves by half of that.
_MESH_CROPS: Final = (2.0, 1.8, 2.4)
_SPREAD_CROPS: Final = (1.5, 1.8, 2.1, 2.4, 2.7)
_SAME_MESH: Final = 0.7  # intersection over union of two meshes of one face
_SAME_FACE: Final = 0.3  # intersection over union
_EYES_AGREE: Final = 0.5  # detector to mesh, fraction of the eye distance


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    """What a detector reports: a box and the eyes (2 × 2, pixels), not yet confirmed by the mesh."""

    box: Box
    eyes: NDArray[np.float64]
    score: float


class _Models:
    """mediapipe's graphs; they are not thread-safe, so one lock guards them."""

    def __init__(self) -> None:
        solutions = mediapipe.solutions
        self.lock = threading.Lock()
        with quiet():
            self.detectors = [
                solutions.face_detection.FaceDetection(
                    model_selection=reach, min_detection_confidence=_MIN_DETECTION
                )
                for reach in (0, 1)  # 0: within 2 m, 1: within 5 m
            ]
            self.mesh = solutions.face_mesh.FaceMesh(
                static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3
            )
            face = sample_face()
            for model in (*self.detectors, self.mesh):
                model.process(face)


@cache
def _models() -> _Models:
    return _Models()


def find_faces(pixels: Pixels) -> list[Face]:
    """Find every face, largest first.

    Args:
        pixels: uint8, height × width × 3, sRGB.

    A face of 1/40 of the long side is found: when the whole picture shows none, or only small ones,
    overlapping square windows along the long side are searched as well.
    """
    candidates = _detect(pixels)
    short, long = sorted(pixels.shape[:2])
    if short < _SMALLEST:
        return []
    if not candidates or max(found.box.height for found in candidates) < 0.12 * long:
        for window in _windows(pixels, min(short, long // 2)):
            candidates += _detect(pixels, window)
    faces: list[Face] = []
    for found in sorted(candidates, key=lambda found: -found.score):
        if any(found.box.overlap(face.box) > _SAME_FACE for face in faces):
            continue
        face = _mesh(pixels, found)
        if face is not None and not any(face.box.overlap(other.box) > _SAME_FACE for other in faces):
            faces.append(face)
    return sorted(faces, key=lambda face: -face.box.area)


def clearest(pixels: Pixels) -> float:
    """Return the score of the face that a detector sees most clearly, eyes level; 0 for none. The mesh is not asked.

    Args:
        pixels: uint8, height × width × 3, sRGB.
    """
    return max((found.score for found in _detect(pixels) if _is_level(found.eyes)), default=0.0)


def _is_level(eyes: NDArray[np.float64]) -> bool:
    across, down = eyes[1] - eyes[0]
    return bool(across > abs(down))


def look_again(pixels: Pixels, expected: Face) -> Face:
    """Place the mesh anew on a face that is known from a smaller view of the same picture.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        expected: The face in these pixels; returned as it is where the mesh does not find it.
    """
    eyes = np.stack([expected.right_eye, expected.left_eye]).astype(np.float64)
    return _mesh(pixels, _Sighting(expected.box, eyes, expected.score)) or expected


def look_mirrored(pixels: Pixels, expected: Face) -> Face | None:
    """Place the mesh on the mirror image of a face; `None` where it does not find it there.

    Args:
        pixels: uint8, height × width × 3, sRGB: the picture as it is.
        expected: The face in these pixels.

    Returns:
        The face in the mirrored pixels. Its landmarks are named as seen there, so what lies at one of them
        is the counterpart of what lies at the same one of `expected`.
    """
    width, box = pixels.shape[1], expected.box
    eyes = np.stack([expected.left_eye, expected.right_eye]).astype(np.float64)
    eyes[:, 0] = width - eyes[:, 0]
    mirrored = Box(width - box.right, box.top, width - box.left, box.bottom)
    return _mesh(np.ascontiguousarray(pixels[:, ::-1]), _Sighting(mirrored, eyes, expected.score))


def mesh_spread(pixels: Pixels, face: Face) -> float:
    """Return how far the mesh's landmarks move when the face is shown to it with more or less around it.

    A fraction of the distance between the eyes, mean over all landmarks; infinite where it loses the face.
    The mesh agrees with itself on a face and does not on what only has parts of one.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    found = [_points(pixels, face.box, air) for air in _SPREAD_CROPS]
    looks = np.array([points[:, :2] for points in found if points is not None])
    if len(looks) < len(found):
        return float("inf")
    away = np.linalg.norm(looks - looks.mean(axis=0), axis=2)
    return float(away.mean()) / max(face.eye_distance, 1.0)


def _windows(pixels: Pixels, side: int) -> list[Box]:
    height, width = pixels.shape[:2]
    step = max(side // 2, max(height, width) // 12)  # a strip must not cost a hundred searches
    rows = sorted({*range(0, height - side, step), height - side})
    columns = sorted({*range(0, width - side, step), width - side})
    return [Box(x, y, x + side, y + side) for y in rows for x in columns]


def _detect(pixels: Pixels, window: Box | None = None) -> list[_Sighting]:
    left, top = (int(window.left), int(window.top)) if window else (0, 0)
    view = pixels[top : int(window.bottom), left : int(window.right)] if window else pixels
    step = -(-max(view.shape[:2]) // _DETECTION_SIDE)
    if min(view.shape[:2]) // step < _SMALLEST // 2:
        return []  # a strip: its windows are searched instead
    height, width = (side // step * step for side in view.shape[:2])  # a whole factor is three times as fast
    small = _reduced(view[:height, :width], max(height, width) // step)
    found: list[_Sighting] = []
    models = _models()
    with models.lock:
        answers = [detector.process(small).detections or [] for detector in models.detectors]
    for detection in (item for answer in answers for item in answer):
        relative = detection.location_data.relative_bounding_box
        x, y = left + relative.xmin * width, top + relative.ymin * height
        box = Box(x, y, x + relative.width * width, y + relative.height * height)
        eyes = np.array(
            [
                (left + eye.x * width, top + eye.y * height)
                for eye in detection.location_data.relative_keypoints[:2]
            ]
        )
        found.append(_Sighting(box, eyes, float(detection.score[0])))
    return found


def _mesh(pixels: Pixels, found: _Sighting) -> Face | None:
    """Return the mean of the meshes seen in several crops, if they see the face that the detector saw."""
    first = _points(pixels, found.box, _MESH_CROPS[0])
    if first is None:
        return None
    face = Face(first, found.score)
    # On a coat of arms the detector and the mesh both see "a face", but not the same one.
    apart = np.linalg.norm(found.eyes - np.stack([face.right_eye, face.left_eye]), axis=1).max()
    if face.box.overlap(found.box) <= _SAME_FACE or apart >= _EYES_AGREE * face.eye_distance:
        return None
    meshes = [first]
    for air in _MESH_CROPS[1:]:
        other = _points(pixels, found.box, air)
        if other is not None and Face(other, 1.0).box.overlap(face.box) > _SAME_MESH:
            meshes.append(other)
    return Face(np.mean(meshes, axis=0, dtype=np.float32), found.score)


def _points(pixels: Pixels, box: Box, air: float) -> Points | None:
    """Run the mesh on a square crop of `air` times the box's side; return its landmarks in the picture."""
    side = round(air * max(box.width, box.height))
    if side < 16:
        return None
    x, y = round((box.left + box.right - side) / 2), round((box.top + box.bottom - side) / 2)
    crop = _padded(pixels, x, y, side)
    models = _models()
    with models.lock:
        answer: Any = models.mesh.process(_reduced(crop, _MESH_SIDE))
    if not answer.multi_face_landmarks:
        return None
    marks = answer.multi_face_landmarks[0].landmark
    points = np.array([(mark.x, mark.y, mark.z) for mark in marks], np.float32) * np.float32(side)
    points[:, 0] += x
    points[:, 1] += y
    return points


def _padded(pixels: Pixels, x: int, y: int, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    crop = np.zeros((side, side, 3), np.uint8)
    inside = pixels[max(0, y) : min(height, y + side), max(0, x) : min(width, x + side)]
    top, left = max(0, -y), max(0, -x)
    crop[top : top + inside.shape[0], left : left + inside.shape[1]] = inside
    return crop


def _reduced(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    if max(height, width) <= side:
        return np.ascontiguousarray(pixels)
    scale = side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
