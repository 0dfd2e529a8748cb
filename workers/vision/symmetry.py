"""How alike the two sides of a face are: what may be mirrored and still be the same person.

The mesh is placed on the picture and on its mirror image; both are drawn into one shape, so that a turn of
the head, a tilt or a crooked smile counts for little and what lies on the skin is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.faces import look_again, look_mirrored
from workers.vision.geometry import LEFT_IRIS, RIGHT_IRIS, Face, Pixels
from workers.vision.photometry import reduced
from workers.vision.upright import Grey, upright

FRONTAL: Final = 13.0  # degrees of yaw; beyond, the far cheek is too narrow to be compared

_EYES: Final = 100  # px between the eyes of the common shape
_SURFACE: Final = 468  # landmarks; the irises behind them are left out
_ORIGIN: Final = (1.2, 1.1)  # of the common shape: eye distances left of and above the middle of the eyes
_SIZE: Final = (2.4, 3.0)  # width and height, eye distances
_RIM: Final = 0.35  # eye distances around the face where hair and the turn away from the camera begin
_LIDS_AND_BROWS: Final = (
    (70, 63, 105, 66, 107, 55, 65, 52, 53, 46, 226, 130, 33, 7, 163, 144, 145, 153, 154, 155, 133, 243, 190),
    (336, 296, 334, 293, 300, 276, 283, 282, 295, 285, 463, 414, 359, 263, 249, 390, 373, 374, 380, 381, 382),
)
_UNDER_LIDS: Final = ((56, 28, 27, 29, 30, 247), (286, 258, 257, 259, 260, 467, 446, 362))
_MOUTH: Final = (61, 39, 0, 269, 291, 405, 17, 181)
_NOSTRILS: Final = (98, 97, 2, 326, 327, 4, 195)
_AROUND: Final = 9  # px of the common shape that is left out around lids, lips and nostrils
_SPOT: Final = (0.018, 0.05)  # eye distances: a spot of 2 to 6 mm stands out between these two blurs
_SHIFT: Final = 0.06  # eye distances by which the two sides may be drawn apart
_BLACK: Final = 8.0  # of 255; added before taking logarithms, so that noise in the dark counts little

_HAIR_EYES: Final = 38  # px between the eyes while comparing the hairline
_HAIR_BLUR: Final = 3.0  # px; the outline of the hair, not its strands
_HAIR: Final = (0.75, 0.5, 1.5)  # eye distances: to either side, lowest and highest above the eyes
_HAIR_SHIFT: Final = (4, 2)  # px across and down by which the two sides are moved for the best fit


@dataclass(frozen=True, slots=True)
class Sides:
    """How the sides of one face differ.

    Attributes:
        mark: How much darker the strongest mark on one side is than anything near its counterpart, in
            natural logarithms of light.
        hairline: Correlation of forehead and hairline with their mirror image, the light's slope taken out.
    """

    mark: float
    hairline: float


def sides(pixels: Pixels, face: Face) -> Sides | None:
    """Compare the sides of a face; `None` where it does not look at the camera or the mesh loses it.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    if abs(face.yaw) > FRONTAL:
        return None
    scale = min(1.0, _EYES / max(face.eye_distance, 1.0))
    small = reduced(pixels, scale)
    seen = look_again(small, face.moved(0, 0, scale))
    mirrored = look_mirrored(small, seen)
    if mirrored is None:
        return None
    return Sides(_mark(small, seen, mirrored), _hairline(pixels, face))


def _mark(pixels: Pixels, face: Face, mirrored: Face) -> float:
    shape = (_levelled(face) + _levelled(mirrored)) / 2
    one, seen = _drawn(pixels, face, shape)
    other, seen_too = _drawn(np.ascontiguousarray(pixels[:, ::-1]), mirrored, shape)
    skin = _skin(shape, seen & seen_too)
    if not skin.any():
        return 0.0
    ours, theirs = _spots(one), _spots(other)
    reach = 2 * round(_SHIFT * _EYES) + 1
    near = np.ones((reach, reach), np.uint8)

    def alone(spots: Grey, counterpart: Grey) -> float:
        return float((np.minimum(cv2.erode(counterpart, near), 0.0) - spots)[skin].max())

    return max(0.0, alone(ours, theirs), alone(theirs, ours))


def _levelled(face: Face) -> NDArray[np.float64]:
    """Return the surface's landmarks around the middle of the eyes, level, in eye distances."""
    points = face.landmarks[:, :2].astype(np.float64)
    across = points[LEFT_IRIS] - points[RIGHT_IRIS]
    distance = float(np.linalg.norm(across))
    x, y = across / max(distance, 1e-6)
    turned = (points[:_SURFACE] - (points[LEFT_IRIS] + points[RIGHT_IRIS]) / 2) @ np.array([[x, -y], [y, x]])
    return np.asarray(turned / max(distance, 1e-6))


def _drawn(pixels: Pixels, face: Face, shape: NDArray[np.float64]) -> tuple[Grey, NDArray[np.bool_]]:
    """Draw a face into a common shape; also where there is any."""
    width, height = (round(side * _EYES) for side in _SIZE)
    columns, rows = np.meshgrid(np.arange(width) / _EYES - _ORIGIN[0], np.arange(height) / _EYES - _ORIGIN[1])
    places = LinearNDInterpolator(shape, face.landmarks[:_SURFACE, :2])(columns, rows)
    inside = ~np.isnan(places[..., 0])
    at = np.nan_to_num(places, nan=0.0).astype(np.float32)
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.remap(grey, at[..., 0], at[..., 1], cv2.INTER_LINEAR), np.float32), inside


def _skin(shape: NDArray[np.float64], seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return where the common shape shows bare skin in the middle of the face."""
    rim = round(_RIM * _EYES)
    middle = cv2.erode(seen.astype(np.uint8), np.ones((rim, rim), np.uint8))
    places = np.rint((shape + np.array(_ORIGIN)) * _EYES).astype(np.int32)
    features = np.zeros(seen.shape, np.uint8)
    eyes = [(*lids, *under) for lids, under in zip(_LIDS_AND_BROWS, _UNDER_LIDS, strict=True)]
    for part in (*eyes, _MOUTH, _NOSTRILS):
        cv2.fillConvexPoly(features, cv2.convexHull(places[list(part)]), 1)
    around = cv2.dilate(features, np.ones((_AROUND, _AROUND), np.uint8))
    return np.asarray((middle > 0) & (around == 0), bool)


def _spots(grey: Grey) -> Grey:
    light = np.log(grey + np.float32(_BLACK))
    fine, coarse = (cv2.GaussianBlur(light, (0, 0), blur * _EYES) for blur in _SPOT)
    return np.asarray(fine - coarse, np.float32)


def _hairline(pixels: Pixels, face: Face) -> float:
    beside, low, high = (reach * _HAIR_EYES for reach in _HAIR)
    size = (round(2 * beside), round(high - low))
    grey = upright(pixels, face, size, _HAIR_EYES, high)
    light = cv2.GaussianBlur(np.log(grey + np.float32(_BLACK)), (0, 0), _HAIR_BLUR)
    light = light - light.mean()
    slope = np.linspace(-1, 1, size[0])[None]
    light = light - slope * float((light * slope).mean() / np.square(slope).mean())
    across, down = _HAIR_SHIFT
    core = light[down:-down, across:-across].astype(np.float32)
    return float(cv2.matchTemplate(light[:, ::-1].astype(np.float32), core, cv2.TM_CCOEFF_NORMED).max())
