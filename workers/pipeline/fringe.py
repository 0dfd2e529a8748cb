"""How clean is the edge of a cut-out: does a rim of a foreign colour stand between person and wall?

Measured on the finished picture alone. The wall is known, so everything that differs from it is person;
a clean edge shows only mixtures of the wall and of colours that the person has further inside. A hue that
no such mixture has is a halo or a fringe of the old background, on the shoulders as at the head, and also
where the person or the rim itself is nearly as light as the wall.
"""

from __future__ import annotations

from typing import Final, NamedTuple

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
_CLEAN: Final = 7.0  # what clean edges have, without a question whose the colours are
# Of the rim's foreign colour, in the band as wide behind it, from where on it is the person's own: a light that comes from behind
# goes on over a cheek. docs/sources.md, "Whose rim".
_GOES_ON: Final = 0.25
_ALONG: Final = 0.03  # of the head's height, sigma, over which what lies behind is averaged

Mask = NDArray[np.bool_]
_Grid = tuple[float, float, int]


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
    rim = _band(inward, 0, max(2.0, _BAND * head), head)
    if int(rim.sum()) < _LEAST:
        return None
    weights = np.array([_LIGHTNESS, 1, 1], np.float32)
    edge = _Edge(seen * weights, meant * weights, inward, head)
    # The second look takes as long as the first, and a clean edge needs none.
    found = _summed(edge, rim, face)
    return found if found <= _CLEAN else _summed(edge, rim, face, whose=True)


class _Edge(NamedTuple):
    """A picture before its wall, in weighted Lab, and how far inside each pixel lies."""

    seen: Values
    meant: Values
    inward: NDArray[np.float32]
    head: float


def _band(inward: NDArray[np.float32], after: float, until: float, head: float) -> Mask:
    """Return what lies so many pixels inside the edge, without the frame's lower border."""
    band = (inward > after) & (inward <= until)
    band[-max(1, round(_FRAME * head)) :] = False
    return band


def _summed(edge: _Edge, rim: Mask, face: Face, *, whose: bool = False) -> float:
    """Return the foreign colour of all the rim, or of the one beside the jaw where that has more.

    Args:
        edge: What is measured.
        rim: Of it.
        face: In these pixels.
        whose: Leave out what goes on behind the rim: the person's own light, not the old wall's.
    """
    jaw = rim & _beside_jaw(rim.shape, face)
    all_of_it, beside = _foreign(edge, rim, (_NEAR, _FAR)), _foreign(edge, jaw, (_JAW,))
    own = edge.seen[jaw][:, 1:]
    # Hair and cloth beside a cheek are less colourful than any mixture of wall and cheek.
    more = np.einsum("ni,ni->n", beside, own) / np.maximum(np.linalg.norm(own, axis=1), 1.0)
    strong = np.linalg.norm(all_of_it, axis=1)
    if whose:
        rows = np.arange(rim.shape[0])[:, None]
        level = (rows > face.landmarks[UPPER_LIP, 1]) & (rows < face.landmarks[CHIN, 1])
        more = more * _ends_there(edge, jaw, beside, (_JAW,), level)
        strong = strong * _ends_there(edge, rim, all_of_it, (_NEAR, _FAR), np.ones_like(rim))
    return max(_sum(strong, edge.head), _JAW_WEIGHT * _sum(more, edge.head))


def _ends_there(edge: _Edge, rim: Mask, foreign: Values, grids: tuple[_Grid, ...], where: Mask) -> Values:
    """Return how far the rim's foreign colour ends with it: 0 where it goes on behind it, 1 where nothing of it does.

    A window or a lamp behind somebody lights a cheek along its curve, weaker and weaker inwards. What is left of an
    old wall ends where the person begins.
    """
    reach = max(2.0, _BAND * edge.head)
    behind = _band(edge.inward, reach, 2 * _BAND * edge.head, edge.head) & where
    deeper = tuple((depth + _BAND, step, count) for depth, step, count in grids)
    left = np.zeros((*rim.shape, 2), np.float32)
    left[behind] = _foreign(edge, behind, deeper)
    sigma = _ALONG * edge.head
    share = cv2.GaussianBlur(behind.astype(np.float32), (0, 0), sigma)[..., None]
    mean = (cv2.GaussianBlur(left, (0, 0), sigma) / np.maximum(share, 1e-4))[rim]
    goes_on = np.einsum("ni,ni->n", mean, foreign) / np.maximum(np.square(foreign).sum(axis=1), 1e-6)
    return np.asarray(1 - np.clip(goes_on / _GOES_ON, 0, 1), np.float32)


def _foreign(edge: _Edge, rim: Mask, grids: tuple[_Grid, ...]) -> Values:
    """Return hue and chroma that no mixture explains, by the grid of samples that explains more; pixels × 2."""
    each = np.stack([_unlike(edge.seen, edge.meant, rim, edge.inward, edge.head, grid) for grid in grids])
    nearest = np.argmin(np.linalg.norm(each, axis=2), axis=0)
    return np.asarray(each[nearest, np.arange(each.shape[1]), 1:], np.float32)


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
    grid: _Grid,
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


def _sum(off: NDArray[np.float32], head: float) -> float:
    return float(100 * np.maximum(0.0, off - _NOISE).sum() / head**2)
