"""The proportions of a face, and how far they leave those of the same person's photos.

Measured in space between points of the mesh, each as one length over another, so neither distance nor turn
of the head counts. The mesh is cautious: it shows a quarter to a half of a change that is drawn into a
picture, and its guess of the depth moves proportions of one face by up to 6 % between photos. So this
finds a face that was stretched, not one that is a little too wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import (
    CHIN,
    LEFT_CORNERS,
    LEFT_IRIS,
    RIGHT_CORNERS,
    RIGHT_IRIS,
    Face,
)

Shape = NDArray[np.float64]  # natural logarithms of proportions

_CORNERS: Final = (*RIGHT_CORNERS, *LEFT_CORNERS)
_CHEEKS: Final = (234, 454)
_OUTER: Final = (RIGHT_CORNERS[0], LEFT_CORNERS[0])
_INNER: Final = (RIGHT_CORNERS[1], LEFT_CORNERS[1])
_JAWS: Final = ((172, 397), (136, 365))
_FOREHEAD: Final = (103, 332)
_UNDER_NOSE: Final = 2


def shape(face: Face) -> Shape:
    """Return the proportions that a smile or an open mouth changes little."""
    points = face.landmarks.astype(np.float64)
    eyes = points[list(_CORNERS)].mean(axis=0)

    def apart(pair: tuple[int, int]) -> float:
        return float(np.linalg.norm(points[pair[0]] - points[pair[1]])) or 1e-6

    def below(landmark: int) -> float:
        return float(np.linalg.norm(eyes - points[landmark])) or 1e-6

    cheeks, irises, outer = apart(_CHEEKS), apart((RIGHT_IRIS, LEFT_IRIS)), apart(_OUTER)
    return np.log(
        [
            irises / cheeks,
            irises / outer,
            apart(_INNER) / outer,
            apart(_JAWS[0]) / cheeks,
            apart(_JAWS[1]) / cheeks,
            apart(_FOREHEAD) / cheeks,
            below(_UNDER_NOSE) / irises,
            below(_UNDER_NOSE) / cheeks,
            cheeks / outer,
            below(CHIN) / cheeks,
        ]
    )


def drift(one: Shape, own: Sequence[Shape]) -> float:
    """Return how far proportions lie outside what a person's photos show, root mean square of all, relative.

    Args:
        one: Of the face to judge.
        own: Of the person's photos; at least one.
    """
    known = np.array(own)
    beyond = np.maximum(0.0, np.maximum(known.min(axis=0) - one, one - known.max(axis=0)))
    return float(np.sqrt(np.square(beyond).mean()))
