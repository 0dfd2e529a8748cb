"""Where a face is: plain numpy, so that the web's style preview needs no model.

Indices are those of mediapipe's 478-point face mesh. "right" and "left" are the person's own, as in
mediapipe: the right eye is on the picture's left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]

FOREHEAD: Final = 10
CHIN: Final = 152
UPPER_LIP: Final = 0
RIGHT_IRIS: Final = 468
LEFT_IRIS: Final = 473
RIGHT_CORNERS: Final = (33, 133)
LEFT_CORNERS: Final = (263, 362)
MOUTH_CORNERS: Final = (78, 308)
_MOUTH: Final = (61, 291)
_OUTER_CORNERS: Final = (33, 263)
# Width of the mouth / between the outer eye corners: neutral 0.57 to 0.68, smiles 0.71 up.
_SMILE: Final = 0.69
_EYEBALL: Final = 0.8  # radius of an eyeball / half the width of its opening: about 12 and 15 mm
_INNER_LIPS: Final = (13, 14)
_RIGHT_LIDS: Final = ((160, 144), (158, 153))
_LEFT_LIDS: Final = ((387, 373), (385, 380))


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
class Face:
    """One face.

    Attributes:
        landmarks: float32, 478 × 3: x right and y down in pixels of the picture, z away from the camera
            in the same scale.
        score: The detector's confidence, 0 to 1.
    """

    landmarks: Points
    score: float

    def moved(self, x: float, y: float, scale: float) -> Face:
        """Return the face after shifting the picture by (x, y) pixels and then scaling it."""
        shift = np.array([x, y, 0.0], np.float32)
        return Face((self.landmarks + shift) * np.float32(scale), self.score)

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
    def head_at_rest(self) -> float:
        """The same with the mouth closed: how large a head is drawn.

        A laugh lowers the chin by half of what the lips are apart, and makes nobody's head larger: over five photos of one
        person it varies by 1 % against the distance of the eye corners, and would by 9 % (docs/sources.md, Heads).
        """
        upper, lower = self.landmarks[list(_INNER_LIPS)]
        return self.head_height - float(np.linalg.norm(lower - upper))

    @property
    def crown(self) -> Points:
        """Where the skull ends (x, y), pixels: as far above the eyes as the chin is below them."""
        eyes = self.landmarks[[*RIGHT_CORNERS, *LEFT_CORNERS], :2].mean(axis=0)
        return np.asarray(2 * eyes - self.landmarks[CHIN, :2], np.float32)

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
    def gaze(self) -> float:
        """Where the eyes look, degrees beside the camera; 0 looks into it, positive to the picture's right.

        The head's turn and what the irises add to it or take from it.
        """
        places = []
        for iris, (start, end) in ((RIGHT_IRIS, RIGHT_CORNERS), (LEFT_IRIS, LEFT_CORNERS[::-1])):
            from_left, across = (self.landmarks[one, :2] - self.landmarks[start, :2] for one in (iris, end))
            places.append(2 * float(from_left @ across) / max(float(across @ across), 1e-6) - 1)
        return self.yaw + float(np.degrees(np.arcsin(np.clip(np.mean(places) / _EYEBALL, -1, 1))))

    @property
    def smiles(self) -> bool:
        """Whether the mouth is as wide as a smile makes it."""
        wide, outer = (
            float(np.linalg.norm(self.landmarks[one] - self.landmarks[other]))
            for one, other in (_MOUTH, _OUTER_CORNERS)
        )
        return wide / max(outer, 1e-6) > _SMILE

    @property
    def eye_openings(self) -> tuple[float, float]:
        """Opening of the more closed and of the other eye, height / width (0.3 open, below 0.12 closed)."""
        right = _opening(self.landmarks, RIGHT_CORNERS, _RIGHT_LIDS)
        left = _opening(self.landmarks, LEFT_CORNERS, _LEFT_LIDS)
        return min(right, left), max(right, left)

    @property
    def mouth_opening(self) -> float:
        """Opening between the lips, height / width; 0 is closed."""
        return _opening(self.landmarks, MOUTH_CORNERS, (_INNER_LIPS,))


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
