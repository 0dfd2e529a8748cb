"""How clean is the edge of a cut-out: does a rim of a foreign colour stand between person and wall?

Measured on the finished picture alone. The wall is known, so everything that differs from it is person;
a clean edge shows only mixtures of the wall and of colours that the person has further inside. A hue that
no such mixture has is a halo or a fringe of the old background, on the shoulders as at the head, and also
where the person or the rim itself is nearly as light as the wall.
"""

from __future__ import annotations

from typing import Final

import cv2
import numba
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.color import Values
from workers.vision.geometry import CHIN, UPPER_LIP, Face, Pixels
from workers.vision.light import face_area
from workers.vision.mixing import blocks
from workers.vision.segment import background

_WALL: Final = 4.0  # ΔE76 up to which a pixel is wall: grain and dither stay below
_SIDE: Final = 720  # px, long side at which it is measured: a rim of half a pixel is none
_LEAST: Final = 50  # px of rim
_BAND: Final = 0.03  # of the head's height: the rim that is looked at
_FRAME: Final = 0.03  # of the head's height at the lower border, where nothing lies further inside
_LIGHTNESS: Final = 0.5  # weight of L* beside a* and b*: an edge is shaded, but keeps its hue
_NOISE: Final = 2.0  # ΔE of hue and chroma that a photo's grain and a JPEG's blocks have
_SMOOTH: Final = 0.8  # px, sigma that the inside is smoothed by
# Depth inside the edge, distance between samples (both of the head's height), samples for each pixel: many
# near ones for shading, some far ones for a strip of hair before a forehead.
_NEAR: Final = (0.035, 0.012, 24)
_FAR: Final = (0.035, 0.03, 48)
# Beside the jaw an old background hides in the corner between cheek and collar, so the samples lie deeper, and
# lips are not among them.
_JAW: Final = (0.05, 0.015, 50)
_BLOCK: Final = 3  # px, side of the squares whose pixels are held against the same samples
_BESIDE_JAW: Final = 0.06  # of the head's height, around the face's outline
# A rim beside the jaw is some tenth as long as a whole outline, and is seen first. Clean jaws had up to 0.24,
# those with an old background's red, blue or white beside them 0.74 and more, so it counts in the same limit.
_JAW_WEIGHT: Final = 18.0

Mask = NDArray[np.bool_]


def fringe(pixels: Pixels, wall: Values, face: Face) -> float | None:
    """Return how much of a foreign colour the rim has: ΔE of hue and chroma, summed over its area.

    Args:
        pixels: uint8, height × width × 3, sRGB: the finished picture.
        wall: float32, the same size, sRGB 0 to 1: the style's backdrop there.
        face: Found in the picture.

    The unit of the area is a hundredth of the head's height squared. `None` where too little edge is seen.
    Known gaps: grey smoke and a rim of the wall's own white have no foreign hue.
    """
    scale = min(1.0, _SIDE / max(pixels.shape[:2]))
    size = (round(pixels.shape[1] * scale), round(pixels.shape[0] * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    behind = cv2.resize(np.ascontiguousarray(wall, np.float32), size, interpolation=cv2.INTER_AREA)
    face = face.moved(0, 0, scale)
    seen = cv2.cvtColor(small / np.float32(255), cv2.COLOR_RGB2LAB)
    meant = cv2.cvtColor(behind, cv2.COLOR_RGB2LAB)
    inward = _depth(small, np.linalg.norm(seen - meant, axis=2) > _WALL)
    head = face.head_height
    rim = (inward > 0) & (inward <= max(2.0, _BAND * head))
    rim[-max(1, round(_FRAME * head)) :] = False
    if int(rim.sum()) < _LEAST:
        return None
    beside = rim & _beside_jaw(rim.shape, face)
    weights = np.array([_LIGHTNESS, 1, 1], np.float32)
    seen, meant = seen * weights, meant * weights
    everywhere = np.stack([_unlike(seen, meant, rim, inward, head, grid) for grid in (_NEAR, _FAR)])
    nearest = np.argmin(np.linalg.norm(everywhere, axis=2), axis=0)
    off = everywhere[nearest, np.arange(everywhere.shape[1]), 1:]
    total = _sum(np.linalg.norm(off, axis=1), head)
    return max(total, _JAW_WEIGHT * _excess(seen, meant, beside, inward, head))


def _depth(pixels: Pixels, differs: Mask) -> NDArray[np.float32]:
    """Return the distance to the wall, px; 0 is wall.

    A dark suit before a dark wall is no hole: only what hangs together with the outside is wall.
    """
    free = (~differs | background(pixels)).astype(np.uint8)
    _, labels = cv2.connectedComponents(free, connectivity=4)
    outside = np.isin(labels, np.unique(labels[0][free[0] > 0]))
    return np.asarray(cv2.distanceTransform((~outside).astype(np.uint8), cv2.DIST_L2, 5), np.float32)


def _beside_jaw(shape: tuple[int, ...], face: Face) -> Mask:
    """Return the face's surroundings below the ears, whose rims are redder than the rest."""
    around = (~face_area(shape, face)).astype(np.uint8)
    near = cv2.distanceTransform(around, cv2.DIST_L2, 5) < _BESIDE_JAW * face.head_height
    rows = np.arange(shape[0])[:, None]
    below = (rows > face.landmarks[UPPER_LIP, 1]) & (rows < face.landmarks[CHIN, 1])
    return np.asarray(near & below, np.bool_)


def _unlike(
    seen: Values,
    meant: Values,
    rim: Mask,
    inward: NDArray[np.float32],
    head: float,
    grid: tuple[float, float, int],
) -> Values:
    """Return what the best mixture of wall and inside leaves unexplained, rim pixels × 3."""
    depth, step, count = grid
    every = max(1, round(step * head))
    inside = np.zeros_like(rim)
    inside[::every, ::every] = inward[::every, ::every] > depth * head
    samples, places = np.argwhere(inside), np.argwhere(rim)
    left = np.zeros((len(places), 3), np.float32)
    if len(samples) < count or not len(places):
        return left
    smooth = cv2.GaussianBlur(seen, (0, 0), _SMOOTH)[inside]
    # Neighbours share what lies inside of them: samples lie several pixels apart.
    middles, block = blocks(places, _BLOCK)
    _, index = cKDTree(samples).query(middles, count)
    _least_left(seen[rim], meant[rim], smooth, index.astype(np.int32), block, left)
    return left


@numba.njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]  # numba ships no types
def _least_left(
    here: Values,
    start: Values,
    inside: Values,
    index: NDArray[np.int32],
    block: NDArray[np.int64],
    left: Values,
) -> None:
    for pixel in range(here.shape[0]):
        wall = start[pixel]
        h0, h1, h2 = here[pixel, 0] - wall[0], here[pixel, 1] - wall[1], here[pixel, 2] - wall[2]
        lowest = 1e9
        for near in range(index.shape[1]):
            sample = inside[index[block[pixel], near]]
            a0, a1, a2 = sample[0] - wall[0], sample[1] - wall[1], sample[2] - wall[2]
            share = (h0 * a0 + h1 * a1 + h2 * a2) / max(1.0, a0 * a0 + a1 * a1 + a2 * a2)
            share = min(1.0, max(0.0, share))
            e0, e1, e2 = h0 - share * a0, h1 - share * a1, h2 - share * a2
            away = e0 * e0 + e1 * e1 + e2 * e2
            if away < lowest:
                lowest = away
                left[pixel, 0], left[pixel, 1], left[pixel, 2] = e0, e1, e2


def _excess(seen: Values, meant: Values, rim: Mask, inward: NDArray[np.float32], head: float) -> float:
    """Return how much more colourful the rim is than any mixture; hair and cloth beside a cheek are less so."""
    if not rim.any():
        return 0.0
    off, own = _unlike(seen, meant, rim, inward, head, _JAW)[:, 1:], seen[rim][:, 1:]
    more = np.einsum("ni,ni->n", off, own) / np.maximum(np.linalg.norm(own, axis=1), 1.0)
    return _sum(more, head)


def _sum(off: NDArray[np.float32], head: float) -> float:
    return float(100 * np.maximum(0.0, off - _NOISE).sum() / head**2)
