"""The light on a face: spherical harmonics fitted to what the skin shows at the face mesh's normals.

A matt surface under distant light depends on its normal alone, and nine harmonics hold 98 % of that
(Ramamoorthi & Hanrahan 2001, "An Efficient Representation for Irradiance Environment Maps"). Luminance is
taken relative to the face's own mean, so a complexion changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator  # type: ignore[import-untyped]  # scipy ships no types
from scipy.spatial import cKDTree  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.color import Values, luminance
from workers.vision.geometry import Face

Normals = NDArray[np.float32]  # … × 3, unit length; x right, y down, z away from the camera

_MESH: Final = 468  # landmarks of the surface; the irises behind them are left out
_NEIGHBOURS: Final = 10  # landmarks that a normal is fitted to: about a thumb's width on a face
# Skin that is lit but rarely covered: forehead, cheeks, nose, chin; no lids, brows, lips, nostrils.
SKIN: Final = (
    *(10, 67, 69, 104, 108, 109, 151, 297, 299, 333, 337, 338, 9, 8, 168, 6, 197, 195, 5, 4),
    *(50, 101, 36, 118, 117, 123, 147, 187, 205, 206, 207, 203, 129, 116, 111, 100, 142, 126),
    *(280, 330, 266, 347, 346, 352, 376, 411, 425, 426, 427, 423, 358, 345, 340, 329, 371, 355),
    *(199, 200, 175, 152, 171, 396, 140, 369, 32, 262, 201, 421),
)
_RIDGE: Final = np.array(
    [1e-6, 0.02, 0.02, 0.02, 0.5, 0.5, 0.5, 0.5, 0.5]
)  # the front of a face says little of these
_ROUNDS: Final = 4  # of re-weighting: a beard, a scar or gloss is not light
_OUTLIER: Final = 0.15  # of the mean luminance; a residual beyond counts for less (Huber)


@dataclass(frozen=True, slots=True, eq=False)
class Shading:
    """Light as nine harmonics of the normal; 1 is the face's mean.

    Attributes:
        harmonics: float64, 9: constant, x, y, z, xy, yz, 3z²-1, xz, x²-y².
    """

    harmonics: NDArray[np.float64]

    def at(self, normals: Normals) -> NDArray[np.float64]:
        """Return the relative light at each normal, at least a fifth of the mean: below is noise."""
        return np.asarray(np.maximum(_basis(normals) @ self.harmonics, 0.2))


def lamp(azimuth: float, elevation: float, contrast: float) -> Shading:
    """Return a style's light: one distant lamp, filled from everywhere.

    Args:
        azimuth: Degrees; below 0 from the picture's left.
        elevation: Degrees above the eyes.
        contrast: 0 is light from everywhere, 1 the lamp alone.
    """
    turn, rise = np.radians(azimuth), np.radians(elevation)
    x, y, z = np.sin(turn) * np.cos(rise), -np.sin(rise), -np.cos(turn) * np.cos(rise)
    # A clamped cosine around (x, y, z): 1/4 + 1/2 cos + 5/32 (3 cos² - 1), by the addition theorem.
    quarter, half, second = 0.25, 0.5, 5 / 32
    cosine = np.array(
        [
            quarter,
            half * x,
            half * y,
            half * z,
            6 * second * x * y,
            6 * second * y * z,
            second * (3 * z * z - 1) / 2,
            6 * second * x * z,
            1.5 * second * (x * x - y * y),
        ]
    )
    everywhere = np.zeros(9)
    everywhere[0] = 1.0
    return Shading((1 - contrast) * everywhere * 0.75 + contrast * cosine)


def direction(shading: Shading, vectors: Normals) -> tuple[float, float]:
    """Return where a single lamp would stand that lights this face most alike.

    The harmonics alone do not say: a face shows its front only, where "from the camera" and "from
    everywhere" look nearly the same.

    Args:
        shading: The light that was fitted.
        vectors: `normals` of the face.

    Returns:
        Azimuth and elevation in degrees, as `lamp` takes them, in steps of 5 and 10.
    """
    seen = vectors[list(SKIN)]
    source = shading.at(seen)
    source = source / source.mean()
    best, place = np.inf, (0.0, 0.0)
    for azimuth in range(-75, 76, 5):
        for elevation in range(-30, 71, 10):
            for contrast in (0.2, 0.4, 0.6, 0.8, 1.0):
                light = lamp(azimuth, elevation, contrast).at(seen)
                off = float(np.square(light / light.mean() - source).sum())
                if off < best:
                    best, place = off, (float(azimuth), float(elevation))
    return place


def normals(face: Face) -> Normals:
    """Return the unit normal at each of the mesh's 468 landmarks, towards the camera's side."""
    points = face.landmarks[:_MESH].astype(np.float64)
    _, index = cKDTree(points).query(points, _NEIGHBOURS)
    around = points[index] - points[index].mean(axis=1, keepdims=True)
    _, vectors = np.linalg.eigh(np.einsum("nki,nkj->nij", around, around))
    result = vectors[:, :, 0]
    outward = points - (points.mean(axis=0) + np.array([0.0, 0.0, np.ptp(points[:, 0]) * 0.6]))
    flip = np.sign(np.einsum("ni,ni->n", result, outward))
    result = result * np.where(flip == 0, 1, flip)[:, None]
    smooth = result[index].mean(axis=1)
    return np.asarray(smooth / np.linalg.norm(smooth, axis=1, keepdims=True), np.float32)


def fit(linear: Values, face: Face, vectors: Normals | None = None) -> Shading:
    """Estimate the light on a face.

    Args:
        linear: float32, height × width × 3, linear light.
        face: In the same pixels.
        vectors: `normals(face)`, where they are at hand.
    """
    vectors = normals(face) if vectors is None else vectors
    places = list(SKIN)
    values = _samples(luminance(linear), face, places)
    mean = float(np.median(values))
    if mean <= 0:
        return lamp(0, 0, 0)
    relative, basis = values / mean, _basis(vectors[places])
    weights = np.ones(len(places))
    harmonics = np.zeros(9)
    for _ in range(_ROUNDS):
        weighted = basis * weights[:, None]
        harmonics = np.linalg.solve(weighted.T @ basis + np.diag(_RIDGE * len(places)), weighted.T @ relative)
        off = np.abs(basis @ harmonics - relative)
        weights = np.minimum(1.0, _OUTLIER / np.maximum(off, 1e-6))
    return Shading(harmonics)


def spread(values: NDArray[np.float64], face: Face, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Spread values of the landmarks over the face, linearly between them; NaN outside.

    Args:
        values: 468, or 468 × as many as are wanted: finding the triangles is what takes the time.
        face: In the picture's pixels.
        shape: Height and width of the picture.
    """
    box = face.box
    top, bottom = max(0, int(box.top)), min(shape[0], int(box.bottom) + 2)
    left, right = max(0, int(box.left)), min(shape[1], int(box.right) + 2)
    result = np.full((*shape, *values.shape[1:]), np.nan, np.float32)
    if top >= bottom or left >= right:
        return result
    between = LinearNDInterpolator(face.landmarks[:_MESH, :2], values)
    rows, columns = np.mgrid[top:bottom, left:right]
    result[top:bottom, left:right] = between(columns, rows)
    return result


def _basis(vectors: Normals) -> NDArray[np.float64]:
    x, y, z = (np.asarray(vectors[..., axis], np.float64) for axis in range(3))
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, 3 * z * z - 1, x * z, x * x - y * y], axis=-1)


def _samples(shade: Values, face: Face, places: list[int]) -> NDArray[np.float64]:
    """Return the median luminance of a small patch at each landmark."""
    height, width = shade.shape
    reach = max(1, round(0.04 * face.eye_distance))
    values = []
    for x, y in face.landmarks[places, :2]:
        row, column = int(np.clip(y, 0, height - 1)), int(np.clip(x, 0, width - 1))
        patch = shade[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
        values.append(float(np.median(patch)))
    return np.array(values)
