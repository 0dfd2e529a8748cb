"""What is drawn over a face: a mask, a hand, an app's beauty filter."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.eyes import OPENINGS
from workers.vision.geometry import CHIN, Face, Pixels
from workers.vision.light import face_area
from workers.vision.photometry import inside
from workers.vision.skin import polygon_mask

Colour = tuple[float, float, float]

# Bridge of the nose, cheeks, chin.
_LOWER_FACE: Final = (6, 351, 454, 361, 397, 379, 152, 150, 172, 132, 234, 122)
_FOREHEAD: Final = (109, 10, 338, 337, 151, 108)
_BRIDGE: Final = 6
_FOLDS: Final = (0.45, 0.6, 0.75)  # of the way from the bridge of the nose to the chin
_FOLD_DEPTH: Final = 0.12  # of the light
_FOLD_WIDTH: Final = 0.015  # of that way, sigma
# A hand from its palm up, one unit a palm's length: outline of palm and wrist, then root, tip and thickness of fingers.
_PALM: Final = (
    (-0.42, 0.05),
    (-0.2, -0.05),
    (0.05, -0.08),
    (0.3, -0.02),
    (0.45, 0.2),
    (0.42, 0.7),
    (0.3, 1.05),
    (0.28, 1.8),
    (-0.28, 1.8),
    (-0.3, 1.05),
    (-0.46, 0.6),
)
_FINGERS: Final = (
    ((-0.36, 0.05), (-0.46, -0.62), 0.17),
    ((-0.13, -0.05), (-0.17, -0.85), 0.18),
    ((0.11, -0.05), (0.13, -0.8), 0.175),
    ((0.33, 0.05), (0.42, -0.55), 0.15),
    ((-0.42, 0.75), (-0.95, 0.15), 0.19),
)
_JOINTS: Final = (0.38, 0.68)  # of a finger's length
_PALM_LENGTH: Final = 1.25  # eye distances
_REACH: Final = 4.0  # eye distances around a face's middle that a hand can touch
_LARGER_EYES: Final = 0.14


def skin_colour(pixels: Pixels, face: Face) -> Colour:
    """Return the median colour of the forehead, sRGB."""
    red, green, blue = np.median(pixels[polygon_mask(pixels.shape, face, _FOREHEAD)], axis=0)
    return float(red), float(green), float(blue)


def masked(pixels: Pixels, face: Face, colour: Colour) -> Pixels:
    """Return a face behind a cloth mask with three folds, in the light that falls on it."""
    place = np.zeros(pixels.shape[:2], np.uint8)
    cv2.fillPoly(place, [np.rint(face.landmarks[list(_LOWER_FACE), :2]).astype(np.int32)], 1)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    light = cv2.GaussianBlur(grey, (0, 0), face.eye_distance / 5).astype(np.float32)
    light = np.sqrt(light / max(float(np.median(light[place > 0])), 1.0))
    bridge, chin = face.landmarks[_BRIDGE, :2], face.landmarks[CHIN, :2]
    way = chin - bridge
    rows, columns = np.indices(place.shape, np.float32)
    along = ((columns - bridge[0]) * way[0] + (rows - bridge[1]) * way[1]) / float(way @ way)
    for fold in _FOLDS:
        light *= 1 - _FOLD_DEPTH * np.exp(-(((along - fold) / _FOLD_WIDTH) ** 2))
    drawn = np.clip(light[..., None] * np.array(colour, np.float32), 0, 255).astype(np.uint8)
    return np.where(place[..., None] > 0, drawn, pixels)


def with_hand(pixels: Pixels, face: Face, place: tuple[float, float], turn: float) -> Pixels:
    """Return a face behind an open hand in its own skin's colour.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
        place: Of the fingers' roots, eye distances right and down of the eyes' middle.
        turn: Degrees clockwise.
    """
    eyes = face.eye_distance
    x, y = (face.right_eye + face.left_eye) / 2
    reach = _REACH * eyes
    top, left = max(0, int(y - reach)), max(0, int(x - reach))
    part = pixels[top : int(y + reach), left : int(x + reach)].astype(np.float32)
    cosine, sine = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    unit = _PALM_LENGTH * eyes
    root = np.array([x - left + place[0] * eyes, y - top + place[1] * eyes])

    def point(of: tuple[float, float]) -> NDArray[np.float64]:
        across, down = of
        return np.asarray(
            root + unit * np.array([cosine * across - sine * down, sine * across + cosine * down]), np.float64
        )

    skin = np.array(skin_colour(pixels, face), np.float32)
    palm = np.zeros(part.shape[:2], np.uint8)
    cv2.fillPoly(palm, [np.rint([point(corner) for corner in _PALM]).astype(np.int32)], 255)
    part = _round(part, palm, skin, unit)
    for begins, ends, thick in _FINGERS:
        finger = np.zeros(part.shape[:2], np.uint8)
        start, tip = point(begins), point(ends)
        cv2.line(finger, _whole(start), _whole(tip), 255, max(2, round(thick * unit)))
        part = _round(part, finger, skin, unit)
        aside = (
            np.array([-(tip - start)[1], (tip - start)[0]])
            / np.linalg.norm(tip - start)
            * 0.35
            * thick
            * unit
        )
        for joint in _JOINTS:
            middle = start + joint * (tip - start)
            crease = (float(0.7 * skin[0]), float(0.7 * skin[1]), float(0.7 * skin[2]))
            cv2.line(part, _whole(middle - aside), _whole(middle + aside), crease, max(1, round(0.02 * unit)))
    result = pixels.copy()
    result[top : top + part.shape[0], left : left + part.shape[1]] = np.clip(part, 0, 255).astype(np.uint8)
    return result


def beautified(pixels: Pixels, face: Face) -> Pixels:
    """Return a face as an app's beauty filter shows it: skin without pores, lighter, and larger eyes."""
    eyes = face.eye_distance
    rows, columns = inside(face.box, pixels)
    part, moved = pixels[rows, columns], face.moved(-columns.start, -rows.start, 1)
    soft = part
    for levels, reach in ((35, eyes / 12), (25, eyes / 10)):
        soft = cv2.bilateralFilter(soft, 0, levels, reach)
    skin = face_area(part.shape, moved).astype(np.float32)
    for opening in OPENINGS:
        eye = polygon_mask(part.shape, moved, opening).astype(np.uint8)
        skin[cv2.dilate(eye, np.ones((max(1, round(eyes / 8)),) * 2, np.uint8)) > 0] = 0
    share = cv2.GaussianBlur(skin, (0, 0), eyes / 20)[..., None]
    smooth = part * (1 - share) + soft * share
    smooth = (255 * (smooth / 255) ** (1 - 0.12 * share)).astype(np.float32)
    down, across = np.indices(part.shape[:2], np.float32)
    from_x, from_y = across.copy(), down.copy()
    for x, y in (moved.right_eye, moved.left_eye):
        away = np.hypot(across - x, down - y) / (0.45 * eyes)
        pull = np.where(away < 1, 1 - _LARGER_EYES * (1 - away**2) ** 2, 1).astype(np.float32)
        from_x = np.where(away < 1, x + (across - x) * pull, from_x).astype(np.float32)
        from_y = np.where(away < 1, y + (down - y) * pull, from_y).astype(np.float32)
    result = pixels.copy()
    large = cv2.remap(smooth, from_x, from_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    result[rows, columns] = np.clip(large, 0, 255).astype(np.uint8)
    return result


def _round(
    part: NDArray[np.float32], mask: NDArray[np.uint8], skin: NDArray[np.float32], unit: float
) -> NDArray[np.float32]:
    """Draw one part of a hand, darker towards its rim."""
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 5) / (0.16 * unit)
    light = np.clip(0.62 + 0.45 * np.sqrt(np.minimum(depth, 1)), 0, 1.1)
    cover = cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), max(0.6, unit / 190))[..., None]
    return np.asarray(part * (1 - cover) + cover * (skin * light[..., None]), np.float32)


def _whole(point: NDArray[np.float64]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
