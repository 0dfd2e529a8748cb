"""Closed-form matting of the pixels that nobody knows yet, held to what their colours say.

The matting Laplacian of Levin et al. 2008, "A Closed-Form Solution to Natural Image Matting", by PyMatting.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pymatting
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.cutout import Mask
from workers.vision.geometry import Pixels
from workers.vision.mixing import mixture

_EPSILON: Final = 1e-5  # regularisation of the colour-line model; smaller follows JPEG noise
_MIXTURE: Final = (
    0.3  # weight of a pair of colours that surely explains a pixel; the Laplacian's rows are of order 1
)


def solved(
    image: Pixels, trimap: Mask, head: float, target: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Solve alpha of the unknown pixels.

    Args:
        image: uint8, height × width × 3, sRGB.
        trimap: 1 person, 0 background, 0.5 unknown.
        head: The head's height, px.
        target: float64, height × width: what alpha is held to.
        weight: float64, height × width: how much.

    Returns:
        float64, height × width; what was known is as it was.
    """
    known = trimap != 0.5
    alpha = trimap.astype(np.float64)
    if known.all():
        return alpha
    laplacian = sparse.csr_matrix(
        pymatting.cf_laplacian(image / 255.0, epsilon=_EPSILON, radius=1, is_known=known.ravel())
    )
    unknown = np.flatnonzero(~known.ravel())
    fixed = np.flatnonzero(known.ravel())
    rows = laplacian[unknown]
    held, strength = target.ravel()[unknown], weight.ravel()[unknown]
    mixed = mixture(image, trimap, head)
    if mixed is not None:
        share, sure = mixed
        held = (held * strength + share * (_MIXTURE * sure)) / (strength + _MIXTURE * sure)
        strength = strength + _MIXTURE * sure
    system = (rows[:, unknown] + sparse.diags(strength)).tocsc()
    right = strength * held - rows[:, fixed] @ alpha.ravel()[fixed]
    solution = held  # where mask and photo agree already, conjugate gradients would divide by nothing
    if (right - system @ held).any():
        solution = pymatting.cg(
            system,
            right,
            x0=held,
            M=pymatting.ichol(system, discard_threshold=1e-3),
            rtol=1e-4,
            maxiter=200,
        )
    alpha.ravel()[unknown] = solution
    return alpha
