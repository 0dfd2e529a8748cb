"""Of which two colours is a pixel mixed: samples of person and background near by, the best pair of each.

Closed-form matting lets alpha flow along similar colours, and a background of a similar colour pulls it
away. A pair of real colours from both sides that explains the pixel says what alpha is by itself
(Wang & Cohen 2007, "Optimized Color Sampling for Robust Matting"); where no pair fits, or both
sides have the same colours, it keeps quiet. How finely a place is drawn counts as a fourth colour.
"""

from __future__ import annotations

from typing import Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.cutout import Mask
from workers.vision.geometry import Pixels

# Of each side for each pixel: the nearest, and some that lie apart from each other, since what shows between
# an ear and a neck need not be what lies nearest outside. 20 in all gain nothing measurable and cost four times.
_NEAREST: Final = 4
_SCATTERED: Final = 6
_APART: Final = 0.05  # of the head's height
_NEAR: Final = 0.08  # of the head's height: samples come from this far beside the band
_STEP: Final = 2  # px between samples; neighbours say the same
_FINE: Final = 1.0  # px, sigma: what is finer counts as drawing
_AROUND: Final = 1.5  # px, sigma: over which drawing is averaged, so it says where within two pixels
_DRAWING: Final = 4.0  # weight: hair in focus has 0.03 to 0.06 of it, which then counts like a colour
_NOISE: Final = 0.8  # px, sigma that samples are smoothed by, so that a JPEG's noise is no colour


def mixture(image: Pixels, trimap: Mask, head_height: float) -> tuple[Mask, Mask] | None:
    """Estimate alpha in the unknown band from colours alone.

    Args:
        image: uint8, height × width × 3, sRGB.
        trimap: 1 person, 0 background, 0.5 unknown.
        head_height: Pixels.

    Returns:
        Alpha and how sure that is, both for the unknown pixels in row order, 0 to 1; `None` where one
        side has too few samples.
    """
    unknown = trimap == 0.5
    away = cv2.distanceTransform((~unknown).astype(np.uint8), cv2.DIST_L2, 5)
    near = away <= max(2, round(_NEAR * head_height))
    near &= _every(_STEP, trimap.shape)
    person, wall = np.argwhere((trimap == 1) & near), np.argwhere((trimap == 0) & near)
    if min(len(person), len(wall)) < _NEAREST + _SCATTERED:
        return None
    places = np.argwhere(unknown)
    drawing = _drawing(image)[..., None]
    smooth = cv2.GaussianBlur(image, (0, 0), _NOISE).astype(np.float32) / np.float32(255)
    smooth = np.concatenate([smooth, drawing], axis=2)
    own = np.concatenate([image[unknown].astype(np.float32) / np.float32(255), drawing[unknown]], axis=1)
    scale = 1.0 / (_NEAR * head_height)
    # Neighbours share their samples, which lie as far apart as they do.
    middles, block = blocks(places, _STEP)
    person_away, person_index = _around(middles, person, _APART * head_height)
    wall_away, wall_index = _around(middles, wall, _APART * head_height)
    alpha, sure = np.empty(len(places), np.float32), np.empty(len(places), np.float32)
    _best_pairs(
        own,
        block,
        smooth[person[:, 0], person[:, 1]],
        smooth[wall[:, 0], wall[:, 1]],
        person_index.astype(np.int32),
        wall_index.astype(np.int32),
        (person_away * scale).astype(np.float32),
        (wall_away * scale).astype(np.float32),
        alpha,
        sure,
    )
    return alpha, sure


def _around(
    middles: NDArray[np.float64], samples: NDArray[np.int64], apart: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return for each place how far its samples are, and which, n × count: the nearest and scattered ones."""
    away, nearest = cKDTree(samples).query(middles, _NEAREST)
    _, one_a_square = np.unique(samples // max(1, round(apart)), axis=0, return_index=True)
    count = min(_SCATTERED, len(one_a_square))
    far, scattered = cKDTree(samples[one_a_square]).query(middles, range(1, count + 1))
    return np.hstack([away, far]), np.hstack([nearest, one_a_square[scattered]])


def blocks(places: NDArray[np.int64], side: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Gather pixels (n × row, column) in squares of `side`: each square's middle, and each pixel's square."""
    across = int(places[:, 1].max()) // side + 1
    numbers, square = np.unique((places // side) @ [across, 1], return_inverse=True)
    middles = side * np.stack([numbers // across, numbers % across], axis=1) + (side - 1) / 2
    return middles, square


def _drawing(image: Pixels) -> NDArray[np.float32]:
    """Return how finely each place is drawn: hair in focus is, a background out of focus is not."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / np.float32(255)
    fine = np.abs(grey - cv2.GaussianBlur(grey, (0, 0), _FINE))
    return np.asarray(_DRAWING * cv2.GaussianBlur(fine, (0, 0), _AROUND), np.float32)


def _every(step: int, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    grid = np.zeros(shape, bool)
    grid[::step, ::step] = True
    return grid


@numba.njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]  # numba ships no types
def _best_pairs(
    own: NDArray[np.float32],
    block: NDArray[np.int64],
    person: NDArray[np.float32],
    wall: NDArray[np.float32],
    person_index: NDArray[np.int32],
    wall_index: NDArray[np.int32],
    person_away: NDArray[np.float32],
    wall_away: NDArray[np.float32],
    alpha: NDArray[np.float32],
    sure: NDArray[np.float32],
) -> None:
    for pixel in range(own.shape[0]):
        red, green, blue, drawn = own[pixel, 0], own[pixel, 1], own[pixel, 2], own[pixel, 3]
        here = block[pixel]
        lowest, best, error, spread = 1e9, 0.5, 1.0, 0.0
        for first in range(person_index.shape[1]):
            front = person[person_index[here, first]]
            for second in range(wall_index.shape[1]):
                back = wall[wall_index[here, second]]
                d0, d1, d2 = front[0] - back[0], front[1] - back[1], front[2] - back[2]
                d3 = front[3] - back[3]
                apart = d0 * d0 + d1 * d1 + d2 * d2 + d3 * d3 + 1e-5
                share = (red - back[0]) * d0 + (green - back[1]) * d1 + (blue - back[2]) * d2
                share = (share + (drawn - back[3]) * d3) / apart
                share = min(1.0, max(0.0, share))
                e0 = red - back[0] - share * d0
                e1 = green - back[1] - share * d1
                e2 = blue - back[2] - share * d2
                e3 = drawn - back[3] - share * d3
                left = e0 * e0 + e1 * e1 + e2 * e2 + 0.3 * e3 * e3
                # A near pair is likelier than a far one, and two like colours explain anything.
                away = person_away[here, first] + wall_away[here, second]
                cost = 400.0 * left + 0.02 * away + 0.002 / (apart + 0.004)
                if cost < lowest:
                    lowest, best, error, spread = cost, share, left, apart
        alpha[pixel] = best
        sure[pixel] = np.exp(-600.0 * error) * min(1.0, spread / 0.06)
