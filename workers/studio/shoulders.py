"""Dull what glares on a shoulder: a lamp above or the sun from a window, as a face's shine is dulled.

Bright cloth is no glare. So each place is held against its own piece of cloth, within which light changes softly: what a
step of light parts, as a white collar from a jacket, is another piece. Only shoulders are looked at: hair, a tie, a shirt
and the neck keep what shines on them.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.color import Values, luminance
from workers.vision.cutout import Mask
from workers.vision.geometry import CHIN, Face
from workers.vision.photometry import skin_level

_HEAD: Final = 96  # px of head height at which it is looked at; a glare has no finer detail
_SOFT: Final = 0.02  # of the head's height, sigma: stripes and weave are no light
_STEP: Final = (
    0.35  # stops from one pixel to the next at that size, from which on it is another piece of cloth
)
_BODY: Final = 0.95  # alpha that is the person's alone
_BESIDE: Final = (0.36, 0.46)  # head heights from the chin's middle between which a shoulder begins
_DEEP: Final = 0.3  # head heights below the outline down to which it is a shoulder
_GLARE: Final = 0.5  # stops over the piece's own middle that may stay
_BESIDE_FACE: Final = 1.0  # stops below the skin from which on a place draws the eye away from the face
_TAMED: Final = 0.6  # of what is more than both
_MOST: Final = 0.6  # stops that are taken: where white holds no drawing more would be a grey stain
_LEAST_SEEN: Final = 0.05  # stops below which nothing is done
_FLOOR: Final = 1e-3  # linear light: below, a dark suit's noise would count as steps


def dulled(linear: Values, alpha: Mask, face: Face) -> Values:
    """Take down what glares on shoulders.

    Args:
        linear: float32, height × width × 3, linear light; the person, whatever is around.
        alpha: float32, height × width.
        face: In the same pixels.
    """
    if face.eye_distance < 1:
        return linear
    scale = min(1.0, _HEAD / face.head_height)
    size = (max(8, round(linear.shape[1] * scale)), max(8, round(linear.shape[0] * scale)))
    stops = glare(
        cv2.resize(linear, size, interpolation=cv2.INTER_AREA),
        cv2.resize(alpha, size, interpolation=cv2.INTER_AREA),
        face.moved(0, 0, scale),
    )
    if stops.max() < _LEAST_SEEN:
        return linear
    taken = cv2.resize(stops, (linear.shape[1], linear.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(linear * np.exp2(-taken)[..., None], np.float32)


def glare(linear: Values, alpha: Mask, face: Face) -> Values:
    """Return by how many stops each place is taken down, height × width; 0 where nothing glares.

    Args:
        linear: See `dulled`.
        alpha: See `dulled`.
        face: See `dulled`.
    """
    head, (x, chin) = face.head_height, face.landmarks[CHIN, :2]
    down, across = np.indices(alpha.shape, np.float32)
    body = (alpha > _BODY) & (down > chin)
    inside = cv2.distanceTransform(
        np.pad(body.astype(np.uint8), ((0, 1), (1, 1)), mode="edge"), cv2.DIST_L2, 3
    )
    aside = np.clip((np.abs(across - x) / head - _BESIDE[0]) / (_BESIDE[1] - _BESIDE[0]), 0, 1)
    near = np.clip(2 - inside[:-1, 1:-1] / (_DEEP * head), 0, 1)
    where = np.where(body, aside * near, 0)
    if not where.any():
        return np.zeros(alpha.shape, np.float32)
    shade = np.log2(np.maximum(cv2.GaussianBlur(luminance(linear), (0, 0), _SOFT * head), _FLOOR))
    bright = np.log2(skin_level(linear, face)) - _BESIDE_FACE
    over = shade - np.maximum(_middles(shade, body) + _GLARE, bright)
    stops = where * np.clip(_TAMED * over, 0, _MOST)
    return np.asarray(cv2.GaussianBlur(stops, (0, 0), _SOFT * head), np.float32)


def _middles(shade: Values, body: NDArray[np.bool_]) -> Values:
    """Return at each place of the body the median of the piece of cloth that it belongs to."""
    number = np.arange(shade.size).reshape(shade.shape)
    pairs = []
    for one, other in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        joined = body[one] & body[other] & (np.abs(shade[one] - shade[other]) < _STEP)
        pairs.append(np.stack([number[one][joined], number[other][joined]]))
    one, other = np.hstack(pairs)
    graph = sparse.coo_matrix((np.ones(len(one), bool), (one, other)), shape=(shade.size,) * 2)
    _, piece = sparse.csgraph.connected_components(graph, directed=False)
    piece = piece[body.ravel()]
    values = shade[body]
    order = np.lexsort((values, piece))
    counts = np.bincount(piece)
    starts = np.cumsum(counts) - counts
    middle = values[order][(starts + counts // 2).clip(0, len(values) - 1)]
    result = np.zeros_like(shade)
    result[body] = middle[piece]
    return result
