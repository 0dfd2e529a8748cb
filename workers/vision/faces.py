"""Find faces: mediapipe's detectors for where, its 478-point mesh for how they look.

The models come inside the mediapipe 0.10.21 wheel (facts/ml.md §10). A detection counts only when the
mesh, run on a crop around it, sees a face in the same place; that removes what either alone invents.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import mediapipe
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]

# Both detectors reduce what they see to 128 px (short range) or 192 px (full range), so pixels beyond
# this side only cost time.
_DETECTION_SIDE: Final = 768
_MIN_DETECTION: Final = 0.35  # low, because the mesh confirms
_MESH_SIDE: Final = 512  # the mesh's own input is 192 px; a larger crop only costs time
_MESH_CROP: Final = 2.0  # crop side / face box side: the mesh's detector wants air around a face
_SAME_FACE: Final = 0.3  # intersection over union
_EYES_AGREE: Final = 0.5  # detector to mesh, fraction of the eye distance

# Indices of mediapipe's canonical face mesh (face_geometry/data/canonical_face_model_uv_visualization.png).
# "right" and "left" are the person's own, as in mediapipe: the right eye is on the picture's left.
FOREHEAD, CHIN, NOSE_TIP = 10, 152, 1
RIGHT_IRIS, LEFT_IRIS = 468, 473
RIGHT_CORNERS, LEFT_CORNERS = (33, 133), (263, 362)
_RIGHT_LIDS = ((160, 144), (158, 153))
_LEFT_LIDS = ((387, 373), (385, 380))


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; it may reach outside the picture."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """Pixels."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """Pixels."""
        return self.bottom - self.top

    @property
    def area(self) -> float:
        """Square pixels; 0 when empty."""
        return max(0.0, self.width) * max(0.0, self.height)

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = Box(
            max(self.left, other.left),
            max(self.top, other.top),
            min(self.right, other.right),
            min(self.bottom, other.bottom),
        )
        if shared.width <= 0 or shared.height <= 0:
            return 0.0
        return shared.area / (self.area + other.area - shared.area)


@dataclass(frozen=True, slots=True, eq=False)
class _Sighting:
    """What a detector reports: a box and the eyes (2 × 2, pixels), not yet confirmed by the mesh."""

    box: Box
    eyes: NDArray[np.float64]
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face.

    Attributes:
        landmarks: float32, 478 × 3: x right and y down in pixels of the picture, z away from the camera
            in the same scale.
        score: The detector's confidence, 0 to 1.
    """

    landmarks: Points
    score: float

    @property
    def box(self) -> Box:
        """Bounds of the mesh: ear to ear, hairline to chin."""
        low, high = self.landmarks[:, :2].min(axis=0), self.landmarks[:, :2].max(axis=0)
        return Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))

    @property
    def right_eye(self) -> Points:
        """Centre of the person's right iris (x, y), pixels; on the picture's left."""
        return self.landmarks[RIGHT_IRIS, :2]

    @property
    def left_eye(self) -> Points:
        """Centre of the person's left iris (x, y), pixels."""
        return self.landmarks[LEFT_IRIS, :2]

    @property
    def eye_distance(self) -> float:
        """Between the irises, pixels as seen (turning the head shortens it)."""
        return float(np.linalg.norm(self.left_eye - self.right_eye))

    @property
    def head_height(self) -> float:
        """Chin to crown of the skull, pixels, hair not counted.

        The eyes sit half-way up a skull (Farkas, Anthropometry of the Head and Face), so it is twice
        the distance from the eye corners to the chin, measured in space so that a nod does not change it.
        """
        corners = self.landmarks[[*RIGHT_CORNERS, *LEFT_CORNERS]].mean(axis=0)
        return 2.0 * float(np.linalg.norm(self.landmarks[CHIN] - corners))

    @property
    def roll(self) -> float:
        """Tilt of the eye line, degrees; positive when the picture's right eye is lower."""
        right = self.landmarks[list(RIGHT_CORNERS), :2].mean(axis=0)
        left = self.landmarks[list(LEFT_CORNERS), :2].mean(axis=0)
        across = left - right
        return float(np.degrees(np.arctan2(across[1], across[0])))

    @property
    def yaw(self) -> float:
        """Turn of the head, degrees; 0 faces the camera, positive looks to the picture's right."""
        return _pose(self.landmarks)[0]

    @property
    def pitch(self) -> float:
        """Nod of the head, degrees; positive looks down."""
        return _pose(self.landmarks)[1]

    @property
    def eyes_open(self) -> float:
        """Opening of the more closed eye, height / width (about 0.3 open, below 0.12 closed)."""
        return min(
            _opening(self.landmarks, RIGHT_CORNERS, _RIGHT_LIDS), _opening(self.landmarks, LEFT_CORNERS, _LEFT_LIDS)
        )


def _pose(landmarks: Points) -> tuple[float, float]:
    across = landmarks[list(LEFT_CORNERS)].mean(axis=0) - landmarks[list(RIGHT_CORNERS)].mean(axis=0)
    down = landmarks[CHIN] - landmarks[FOREHEAD]
    normal = np.cross(across, down)
    normal /= np.linalg.norm(normal) + 1e-9
    yaw = float(np.degrees(np.arctan2(-normal[0], normal[2])))
    pitch = float(np.degrees(np.arctan2(-normal[1], normal[2])))
    return yaw, pitch


def _opening(landmarks: Points, corners: tuple[int, int], lids: tuple[tuple[int, int], ...]) -> float:
    # Soukupová & Čech 2016, "Real-time eye blink detection using facial landmarks": the eye aspect ratio.
    width = np.linalg.norm(landmarks[corners[0]] - landmarks[corners[1]])
    heights = [np.linalg.norm(landmarks[upper] - landmarks[lower]) for upper, lower in lids]
    return float(np.mean(heights) / (width + 1e-9))


class _Models:
    """mediapipe's graphs; they are not thread-safe, so one lock guards them."""

    def __init__(self) -> None:
        solutions = mediapipe.solutions
        self.lock = threading.Lock()
        self.detectors = [
            solutions.face_detection.FaceDetection(model_selection=reach, min_detection_confidence=_MIN_DETECTION)
            for reach in (0, 1)  # 0: within 2 m, 1: within 5 m
        ]
        self.mesh = solutions.face_mesh.FaceMesh(
            static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3
        )


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


def warm() -> None:
    """Load the models, so that the first photo of a process is as fast as the next."""
    blank = np.full((256, 256, 3), 127, np.uint8)
    models = _models()
    with models.lock:
        for detector in models.detectors:
            detector.process(blank)
        models.mesh.process(blank)


def _windows(pixels: Pixels, side: int) -> list[Box]:
    height, width = pixels.shape[:2]
    step = max(1, side // 2)
    rows = sorted({*range(0, height - side, step), height - side})
    columns = sorted({*range(0, width - side, step), width - side})
    return [Box(x, y, x + side, y + side) for y in rows for x in columns]


def _detect(pixels: Pixels, window: Box | None = None) -> list[_Sighting]:
    left, top = (int(window.left), int(window.top)) if window else (0, 0)
    view = pixels[top : int(window.bottom), left : int(window.right)] if window else pixels
    height, width = view.shape[:2]
    small = _reduced(view, _DETECTION_SIDE)
    found: list[_Sighting] = []
    models = _models()
    with models.lock:
        answers = [detector.process(small).detections or [] for detector in models.detectors]
    for detection in (item for answer in answers for item in answer):
        relative = detection.location_data.relative_bounding_box
        x, y = left + relative.xmin * width, top + relative.ymin * height
        box = Box(x, y, x + relative.width * width, y + relative.height * height)
        eyes = np.array([(left + eye.x * width, top + eye.y * height) for eye in detection.location_data.relative_keypoints[:2]])
        found.append(_Sighting(box, eyes, float(detection.score[0])))
    return found


def _mesh(pixels: Pixels, found: _Sighting) -> Face | None:
    box = found.box
    side = round(_MESH_CROP * max(box.width, box.height))
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
    points = np.array([(mark.x, mark.y, mark.z) for mark in marks], np.float32) * side
    points[:, 0] += x
    points[:, 1] += y
    face = Face(points, found.score)
    # On a coat of arms the detector and the mesh both see "a face", but not the same one.
    apart = np.linalg.norm(found.eyes - np.stack([face.right_eye, face.left_eye]), axis=1).max()
    agrees = face.box.overlap(box) > _SAME_FACE and apart < _EYES_AGREE * face.eye_distance
    return face if agrees else None


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
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX))
