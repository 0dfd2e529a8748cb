"""What lies over a face: hands, a mask, reflections in glasses.

Each is told by its place and by how it differs from the same person's bare skin, never from anybody else's.
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

from workers.vision.geometry import LEFT_IRIS, RIGHT_IRIS, Box, Face, Pixels
from workers.vision.light import face_area
from workers.vision.photometry import EYE_SOCKETS, Lab, inside, reduced
from workers.vision.quiet import quiet, sample_face
from workers.vision.skin import polygon_mask
from workers.vision.upright import upright

_NOSE_TIP: Final = (195, 45, 4, 275)
_LIPS: Final = (61, 39, 0, 269, 291, 405, 17, 181)
_CHIN: Final = (32, 83, 18, 313, 262, 428, 199, 208)
_BARE: Final = (109, 10, 338, 337, 151, 108)  # the forehead, which neither mask nor scarf covers
_UNDER_EYES: Final = ((118, 119, 100, 101, 50), (347, 348, 329, 330, 280))
_CORE: Final = (70, 63, 105, 107, 336, 334, 293, 300, 340, 280, 410, 287, 18, 57, 186, 50, 111)

_WHITE: Final = 235  # sRGB; skin's own gloss stays below
_HAND_SIDE: Final = 384  # px; the palm detector's own input is 192 px
_HAND_CERTAIN: Final = 0.4  # of the palm detector, low because the next one confirms
_HAND_SURE: Final = 0.8  # that it is a right or a left one: hands had 0.83 and more, hair and heads 0.6
_HAND_REACH: Final = 3.0  # side of what is searched, in faces: a hand is found by its wrist and fingers
_FINGER: Final = 0.22  # thickness of a finger over the distance from wrist to the middle finger's root
_PALM: Final = (0, 1, 2, 5, 9, 13, 17)
_FINGERS: Final = (
    (1, 2, 3, 4),
    (5, 6, 7, 8),
    (9, 10, 11, 12),
    (13, 14, 15, 16),
    (17, 18, 19, 20),
)


_LINES_EYES: Final = 80  # px between the eyes while looking for nostrils and the lips' line
_LINES_TOP: Final = 60  # px above the eyes
_LINES_SIDE: Final = 200  # px
_LINE: Final = 15  # px; nostrils and the lips' line are thinner
_BELOW_EYES: Final = (0.375, 1.5)  # eye distances: from the tip of the nose to the chin
_BESIDE: Final = 0.35  # eye distances to each side
_DARKEST: Final = 97  # percentile: so little of the lower face is nostril and line


@dataclass(frozen=True, slots=True)
class Hands:
    """Hands before a face."""

    fraction: float  # of the face's middle (brows to lower lip) that lies behind them
    eyes: tuple[bool, bool]  # whether the person's right and left eye lie behind them


class _Model:
    """mediapipe's graph; not thread-safe, so a lock guards it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        with quiet():
            self.hands = mediapipe.solutions.hands.Hands(
                static_image_mode=True,
                max_num_hands=2,
                model_complexity=0,
                min_detection_confidence=_HAND_CERTAIN,
            )
            self.hands.process(sample_face())


@cache
def _model() -> _Model:
    return _Model()


def hands(pixels: Pixels, face: Face) -> Hands:
    """Find hands before a face.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    box = face.box
    reach = _HAND_REACH * max(box.width, box.height) / 2
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    rows, columns = inside(Box(x - reach, y - reach, x + reach, y + reach), pixels)
    part = pixels[rows, columns]
    scale = min(1.0, _HAND_SIDE / max(part.shape[:2]))
    small, moved = reduced(part, scale), face.moved(-columns.start, -rows.start, scale)
    height, width = small.shape[:2]
    model = _model()
    with model.lock:
        answer: Any = model.hands.process(small)
    cover = np.zeros((height, width), np.uint8)
    for hand, side in zip(answer.multi_hand_landmarks or (), answer.multi_handedness or (), strict=True):
        if side.classification[0].score >= _HAND_SURE:
            _draw(cover, np.array([(mark.x * width, mark.y * height) for mark in hand.landmark]))
    core = polygon_mask(cover.shape, moved, _CORE)
    fraction = float((cover[core] > 0).mean()) if core.any() else 0.0
    right, left = (_covered(cover, moved.landmarks[iris, :2]) for iris in (RIGHT_IRIS, LEFT_IRIS))
    return Hands(fraction, (right, left))


def glare(pixels: Pixels, face: Face) -> float:
    """Return the largest white share of a lens region, catchlights in the eyes left out, 0 to 1.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    # Beside a turned face the wall begins.
    white = (pixels.min(axis=2) >= _WHITE) & face_area(pixels.shape, face)
    shares = []
    for socket, iris in zip(EYE_SOCKETS, (RIGHT_IRIS, LEFT_IRIS), strict=True):
        lens = polygon_mask(pixels.shape, face, socket).astype(np.uint8)
        reach = 2 * max(1, round(0.12 * face.eye_distance)) + 1
        lens = cv2.dilate(lens, np.ones((reach, 1), np.uint8))
        lens = cv2.dilate(lens, np.ones((1, reach), np.uint8))
        area = int(lens.sum())
        centre = face.landmarks[iris, :2]
        radius = 1.3 * float(np.linalg.norm(face.landmarks[iris + 1, :2] - centre))
        cv2.circle(lens, (round(float(centre[0])), round(float(centre[1]))), max(1, round(radius)), 0, -1)
        shares.append(float((white & (lens > 0)).sum()) / max(1, area))
    return max(shares)


def bare_skin(lab: Lab, face: Face) -> NDArray[np.float64]:
    """Return the median colour of forehead and the skin under the eyes, which no mask covers, CIE L*a*b*."""
    return _median(lab, face, (_BARE, *_UNDER_EYES))


def lower_face(lab: Lab, face: Face) -> tuple[float, float]:
    """Compare nose, mouth and chin with the same person's forehead.

    Args:
        lab: float32, height × width × 3, CIE L*a*b*.
        face: In these pixels.

    Returns:
        The least difference in ΔE of nose tip, mouth and chin from the forehead and the skin under the
        eyes, lightness counted by half; and how much redder the lips are than the chin, in a*.
    """
    bare = bare_skin(lab, face)
    weights = np.array([0.5, 1.0, 1.0])
    parts = [_median(lab, face, (part,)) for part in (_NOSE_TIP, _LIPS, _CHIN)]
    off = [float(np.linalg.norm((part - bare) * weights)) for part in parts]
    return min(off), float(parts[1][1] - parts[2][1])


def mouth_lines(pixels: Pixels, face: Face) -> float:
    """Return how much darker nostrils and the lips' line are than the skin beside them, in natural logarithms of light.

    Cloth of any colour has none. Nine faces have 0.30 to 1.7, at a blur of 1/40 of the eye distance 0.19 and more, three
    stops darker 0.32 and more; painted masks below 0.02, with folds of an eighth of their light 0.11.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    grey = upright(pixels, face, (_LINES_SIDE, _LINES_SIDE), _LINES_EYES, _LINES_TOP)
    light = np.log(grey + np.float32(8.0))
    around = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (_LINE, _LINE))
    dark = cv2.morphologyEx(light, cv2.MORPH_CLOSE, around) - light
    rows = slice(*(round(_LINES_TOP + reach * _LINES_EYES) for reach in _BELOW_EYES))
    middle, aside = _LINES_SIDE // 2, round(_BESIDE * _LINES_EYES)
    return float(np.percentile(dark[rows, middle - aside : middle + aside], _DARKEST))


def _median(lab: Lab, face: Face, polygons: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    mask = np.zeros(lab.shape[:2], bool)
    for polygon in polygons:
        mask |= polygon_mask(lab.shape, face, polygon)
    values = lab[mask]
    return np.asarray(np.median(values, axis=0) if values.size else np.array([50.0, 10.0, 10.0]), np.float64)


def _draw(cover: NDArray[np.uint8], points: NDArray[np.float64]) -> None:
    thick = max(1, round(_FINGER * float(np.linalg.norm(points[9] - points[0]))))
    whole = np.rint(points).astype(np.int32)
    cv2.fillConvexPoly(cover, cv2.convexHull(whole[list(_PALM)]), 1)
    for finger in _FINGERS:
        cv2.polylines(cover, [whole[list(finger)]], False, 1, thick)


def _covered(cover: NDArray[np.uint8], point: NDArray[np.float32]) -> bool:
    x, y = round(float(point[0])), round(float(point[1]))
    height, width = cover.shape
    return 0 <= x < width and 0 <= y < height and bool(cover[y, x])
