"""Faults that image models leave in portraits and that can be measured without any model of beauty or age."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.color import luminance, to_linear
from workers.vision.geometry import CHIN, LEFT_IRIS, RIGHT_IRIS, Face, Pixels
from workers.vision.photometry import EYE_OPENINGS, inside, reduced
from workers.vision.segment import person_mask
from workers.vision.skin import polygon_mask

_IRIS_EYES: Final = 160.0  # px between the eyes while looking at irises
_IRIS_CORE: Final = 0.8  # of the iris's radius: the lids' shadow and the limbus stay out
_WHITE_FROM: Final = 1.1  # of the iris's radius
_FEW: Final = 5  # px; fewer say nothing
_DARK: Final = 1e-4  # linear light; black has no logarithm

_NOISE_EYES: Final = 200.0  # px between the eyes; a made portrait has about 170, so it is seen as it is
_FRAME: Final = 6  # a sixth of the face's box on each side is left out: hair and wall

_LETTER_HEAD: Final = 320.0  # px, head height while looking for letters
_HAIR_BAND: Final = 0.022  # of the head's height, as in matting
_BELOW_CHIN: Final = 0.05  # head heights; above lie the chin's own shadow and a beard
_STROKE: Final = 0.035  # head heights; a letter's stroke is thinner
_STRIKING: Final = 40  # of 255 by which a stroke differs from the cloth
_LETTER: Final = (0.025, 0.2)  # head heights: lowest and highest letter
_WIDTH: Final = (0.1, 2.5)  # width / height of a letter, narrowest (I) and widest (W, and two that touch)
_INK: Final = (0.15, 0.95)  # of a letter's box that is ink
_LEVEL: Final = 0.45  # letter heights by which the letters of a line may be off
_ALIKE: Final = 0.6  # least height of a letter of a line over another's
_GAP: Final = 1.3  # letter heights between neighbours


def iris_contrast(pixels: Pixels, face: Face) -> float | None:
    """Return how much darker the iris is than the white around it, in stops, of the worse eye; see `iris_contrasts`."""
    contrasts = iris_contrasts(pixels, face)
    return None if contrasts is None else min(contrasts)


def iris_contrasts(pixels: Pixels, face: Face) -> tuple[float, float] | None:
    """Return how much darker the iris is than the white around it, in stops, of the person's right and left eye.

    `None` where the eyes are too small or too closed to be seen.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    scale = min(1.0, _IRIS_EYES / max(face.eye_distance, 1.0))
    small, seen = reduced(pixels, scale), face.moved(0, 0, scale)
    shade = luminance(to_linear(small))
    rows, columns = np.indices(shade.shape, dtype=np.float32)
    contrasts = []
    for opening, iris in zip(EYE_OPENINGS, (RIGHT_IRIS, LEFT_IRIS), strict=True):
        x, y = seen.landmarks[iris, :2]
        rim = seen.landmarks[iris + 1 : iris + 5, :2]
        radius = float(np.linalg.norm(rim - (x, y), axis=1).mean())
        away = np.hypot(columns - x, rows - y)
        eye = polygon_mask(shade.shape, seen, opening)
        core, white = shade[eye & (away < _IRIS_CORE * radius)], shade[eye & (away > _WHITE_FROM * radius)]
        if min(core.size, white.size) < _FEW:
            return None
        light, dark = float(np.percentile(white, 70)), float(np.median(core))
        contrasts.append(float(np.log2(max(light, _DARK) / max(dark, _DARK))))
    right, left = contrasts
    return right, left


def noise(pixels: Pixels, face: Face) -> float:
    """Return the noise of single pixels in the face over the face's own contrast.

    The median of the finest diagonal details (Donoho & Johnstone 1994, "Ideal spatial adaptation by wavelet
    shrinkage"), which hair and lashes hardly move.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    part = reduced(pixels[inside(face.box, pixels)], min(1.0, _NOISE_EYES / max(face.eye_distance, 1.0)))
    grey = cv2.cvtColor(part, cv2.COLOR_RGB2GRAY).astype(np.float32)
    height, width = (side // _FRAME for side in grey.shape)
    core = grey[height : grey.shape[0] - height, width : grey.shape[1] - width]
    if min(core.shape) < _FRAME:
        return 0.0
    diagonal = (core[:-1, :-1] - core[1:, :-1] - core[:-1, 1:] + core[1:, 1:]) / 2
    return float(np.median(np.abs(diagonal)) / 0.6745 / (core.std() + 1.0))


def lettering(pixels: Pixels, face: Face, others: tuple[Face, ...] = ()) -> int:
    """Return how many marks stand in a row as letters do, on what the person wears; the longest row.

    Image models write words that are none on shirts and badges. Lighter and darker strokes count alike.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
        others: Further faces in these pixels.
    """
    scale = min(1.0, _LETTER_HEAD / face.head_height)
    small, seen = reduced(pixels, scale), face.moved(0, 0, scale)
    head = seen.head_height
    cloth = person_mask(small, seen, [other.moved(0, 0, scale) for other in others], _HAIR_BAND) > 0.5
    cloth[: max(0, int(seen.landmarks[CHIN, 1] + _BELOW_CHIN * head))] = False
    cloth = cv2.erode(cloth.astype(np.uint8), np.ones((5, 5), np.uint8))
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    side = 2 * max(1, int(_STROKE * head)) + 1
    stroke = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    longest = 0
    for ink in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        strokes = (cv2.morphologyEx(grey, ink, stroke) > _STRIKING).astype(np.uint8) & cloth
        longest = max(longest, _longest_row(_letters(strokes, head)))
    return longest


def _letters(strokes: NDArray[np.uint8], head: float) -> list[tuple[float, float, float, float]]:
    """Return left, right, middle and height of everything that is as large as a letter, from the left."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(strokes, connectivity=8)
    letters = []
    for left, top, width, height, area in stats[1:].astype(float):
        if (
            _LETTER[0] * head < height < _LETTER[1] * head
            and _WIDTH[0] < width / height < _WIDTH[1]
            and _INK[0] < area / (width * height) < _INK[1]
        ):
            letters.append((left, left + width, top + height / 2, height))
    return sorted(letters)


def _longest_row(letters: list[tuple[float, float, float, float]]) -> int:
    longest = 0
    for _, _, middle, height in letters:
        end, count = -np.inf, 0
        for left, right, other, tall in letters:
            if abs(other - middle) > _LEVEL * height or not _ALIKE < tall / height < 1 / _ALIKE:
                continue
            count = count + 1 if left - end < _GAP * height else 1
            end = right
            longest = max(longest, count)
    return longest
