"""Which way up a photo is: by the one thing in it that is known to stand upright, a face."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from workers.vision.examination import Place
from workers.vision.faces import clearest, find_faces
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.photometry import inside, reduced

_CERTAIN: Final = 0.75  # detector score; a cat on its side has 0.66, faces on the test photos 0.79 and more
_TURNED: Final = 0.80  # detector score after turning the photo; dogs on their side had 0.77
# Upside down, faces were found upright with a score of up to 0.82; upright ones have 0.83 to 0.96.
_BEYOND_DOUBT: Final = 0.9
# Score: the same crop turned upright gained 0.19 and more, turned upside down it lost 0.09 and more.
_CLEARER: Final = 0.1
_AROUND: Final = 1.1  # faces to each side of a face's middle: what the detector wants to see of it
_SIDE: Final = 256  # px; the detectors' own inputs are 128 and 192
_ON_ITS_SIDE: Final = 60.0  # degrees of tilt
_LEVEL: Final = 45.0  # degrees


def turned(pixels: Pixels, place: Place, turns: int) -> tuple[Pixels, Place]:
    """Turn the view by quarters counter-clockwise."""
    for _ in range(turns):
        box = place.picture
        turned = Box(box.top, place.width - box.right, box.bottom, place.width - box.left)
        place = replace(
            place,
            width=place.height,
            height=place.width,
            turns=place.turns + 1,
            picture=turned,
            left=turned.left,
            top=turned.top,
        )
    return np.ascontiguousarray(np.rot90(pixels, turns)), place


def turns_upright(pixels: Pixels, faces: list[Face]) -> int:
    """Return by how many quarters, counter-clockwise, the photo has to be turned to stand upright.

    Only where no face stands upright now, and one clearly does afterwards.
    """
    if any(face.score >= _CERTAIN and abs(face.roll) <= _ON_ITS_SIDE for face in faces):
        doubtful = faces[0].score < _BEYOND_DOUBT
        return 2 if doubtful and _stands_on_its_head(pixels, faces[0]) else 0
    best, least = 0, max([_TURNED, *(face.score + 0.1 for face in faces if abs(face.roll) <= _ON_ITS_SIDE)])
    for turns in (1, 3, 2):
        found = find_faces(np.ascontiguousarray(np.rot90(pixels, turns)))
        score = max((face.score for face in found if abs(face.roll) < _LEVEL), default=0.0)
        if score > least:
            best, least = turns, score
    return best


def _stands_on_its_head(pixels: Pixels, face: Face) -> bool:
    """Say whether a detector sees the face more clearly upside down: a chin with a beard can be taken for a forehead."""
    box = face.box
    reach = _AROUND * max(box.width, box.height)
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    rows, columns = inside(Box(x - reach, y - reach, x + reach, y + reach), pixels)
    part = pixels[rows, columns]
    part = reduced(part, min(1.0, _SIDE / max(part.shape[:2])))
    return clearest(np.ascontiguousarray(part[::-1, ::-1])) > clearest(part) + _CLEARER
