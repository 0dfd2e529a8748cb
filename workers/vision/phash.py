"""What a shot is known by again, whatever it was cropped or saved as: the face's details, and what lies around it.

64 bits say how the details of a 32 px grey picture of the face lie; its two coarsest waves are left out, since they
tell the lamp, which two moments share. The bits tell a shot, not a person: two photos of one face differ as much as
those of two faces. But who holds the head alike on two days can have the same bits, so that clothes and backdrop are
kept too: the colour of thirteen places beside and below the head, as it differs from the face's.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from core.checks.shots import PLACES, UNKNOWN, Shot
from workers.vision.geometry import Face, Pixels
from workers.vision.upright import Grey, upright, upright_colours

_SIDE: Final = 32  # px of the aligned picture
_EYES: Final = 0.4  # of the side between the eyes: the face fills the picture, so a crop changes nothing
_EYE_LINE: Final = 0.38  # of the side
_WAVES: Final = slice(2, 10)  # frequencies in each direction

# The wider view, in places of one eye distance: five across, and five down of which the eyes lie in the second.
_PLACE: Final = 8  # px
_ACROSS: Final = 5
_DOWN: Final = 5
_EYES_DOWN: Final = 1.7  # places from the top
_BESIDE: Final = (0, 4)  # columns, clear of the head
_BELOW: Final = 4  # row, clear of the chin
_MISSING: Final = 0.25  # of a place may lie beyond the frame


def phash(pixels: Pixels, face: Face) -> str:
    """Return the shot's sign; `core.checks.shots.same_shot` compares two.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels; levelled and brought to one size first.
    """
    small = upright(pixels, face, (_SIDE, _SIDE), _EYES * _SIDE, _EYE_LINE * _SIDE)
    waves = cv2.dct(small)[_WAVES, _WAVES].ravel()
    bits = waves > np.median(waves)
    face_bits = int("".join("1" if bit else "0" for bit in bits), 2)
    return str(Shot(face_bits, _around(pixels, face)))


def _around(pixels: Pixels, face: Face) -> tuple[tuple[int, int, int] | None, ...]:
    size = (_ACROSS * _PLACE, _DOWN * _PLACE)
    colours, inside = upright_colours(pixels, face, size, _PLACE, _EYES_DOWN * _PLACE)
    lab = cv2.cvtColor(colours.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    centre = lab[round(_EYES_DOWN * _PLACE) : round((_EYES_DOWN + 1.2) * _PLACE), 2 * _PLACE : 3 * _PLACE]
    of_face = np.median(centre.reshape(-1, 3), axis=0)
    places = [(row, column) for row in range(_DOWN) for column in _BESIDE]
    places += [(_BELOW, column) for column in range(1, _ACROSS - 1)]
    assert len(places) == PLACES
    return tuple(_colour(lab, inside, row, column, of_face) for row, column in places)


def _colour(lab: Grey, inside: Grey, row: int, column: int, of_face: Grey) -> tuple[int, int, int] | None:
    part = np.s_[row * _PLACE : (row + 1) * _PLACE, column * _PLACE : (column + 1) * _PLACE]
    if inside[part].mean() < 1 - _MISSING:
        return UNKNOWN
    away = np.clip(np.rint(lab[part].reshape(-1, 3).mean(axis=0) - of_face), -127, 127)
    return int(away[0]), int(away[1]), int(away[2])
