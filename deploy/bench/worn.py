"""Heads that a cut finds hard, painted on cut-outs of real people, and what they stand before: alpha is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from deploy.bench.composites import photographed
from deploy.bench.sources import hair_volumes
from workers.vision.color import Values, to_linear
from workers.vision.cutout import Cutout
from workers.vision.geometry import CHIN, Pixels

Colour = tuple[int, int, int]

_GLOSS: Final = 110  # levels that a bald head's shine adds in its middle
_TOP: Final = 1.06  # head heights from the chin to the top of a scarf
# Half a scarf's width, head heights, by how far below its top and above the chin it is.
_WIDTHS: Final = (0.05, 0.36, 0.46, 0.5, 0.85)
_HEIGHTS: Final = (-_TOP, -_TOP + 0.2, -0.3, 0.1, 0.5)
_FALL: Final = (1.08, 0.88)  # of a wall's light, from one side to the other


def odd_heads(person: Cutout) -> Iterator[tuple[str, Cutout, Colour]]:
    """Yield what is worn or not, the person with it, and the colour of a wall that makes it hard.

    Args:
        person: Cut out of a real photo.
    """
    yield "dark before dark", person, (22, 24, 30)
    yield "white before white", person, (240, 240, 240)
    yield "bald and shiny", bald(person), (200, 185, 170)
    yield "a dark headscarf with folds", in_headscarf(person, (40, 50, 90)), (205, 200, 190)
    yield "a cream headscarf before cream", in_headscarf(person, (215, 205, 190)), (225, 218, 205)


def before(person: Cutout, wall: Colour) -> Pixels:
    """Return a photo of the person before a wall that is darker to one side."""
    height, width = person.alpha.shape
    fall = np.linspace(*_FALL, width, dtype=np.float32)[None, :, None]
    light = to_linear(np.array([[wall]], np.uint8)) * fall * np.ones((height, 1, 1), np.float32)
    share = person.alpha[..., None]
    mixed = np.asarray(to_linear(person.foreground) * share + light * (1 - share), np.float32)
    return photographed(mixed, np.random.default_rng(5))


def bald(person: Cutout) -> Cutout:
    """Return the person without the hair on top, with a lamp's shine there."""
    shaven = _changed(person, "shaven")
    face, head = shaven.face, shaven.face.head_height
    across, down = _places(shaven)
    x, y = (float(value) for value in face.landmarks[151, :2])
    forehead = shaven.foreground[int(y) - 3 : int(y) + 3, int(x) - 9 : int(x) + 9].reshape(-1, 3)
    hairline = float(face.landmarks[10, 1])
    share = np.clip((hairline + 0.03 * head - down) / (0.05 * head), 0, 1)[..., None]
    top = hairline - 0.1 * head
    gloss = np.exp(-0.5 * (((across - x) / (0.12 * head)) ** 2 + ((down - top) / (0.06 * head)) ** 2))
    round_off = 1 - 0.35 * np.clip(np.abs(across - x) / (0.4 * head), 0, 1) ** 2
    skin = np.median(forehead, axis=0) * round_off[..., None] + _GLOSS * gloss[..., None]
    return Cutout(_mixed(shaven, skin, share), shaven.alpha, face, shaven.photo_scale)


def in_headscarf(person: Cutout, cloth: Colour) -> Cutout:
    """Return the person in a scarf with folds over hair, ears, neck and shoulders, the face free."""
    high = _changed(person, "high hair")
    face, head = high.face, high.face.head_height
    across, down = _places(high)
    middle, chin = float(face.landmarks[:, 0].mean()), float(face.landmarks[CHIN, 1])
    half = head * np.interp((down - chin) / head, _HEIGHTS, _WIDTHS)
    top = chin - _TOP * head
    cover = np.clip((half - np.abs(across - middle)) / 2, 0, 1) * np.clip((down - top) / 2, 0, 1)
    oval = np.zeros(high.alpha.shape, np.uint8)
    cv2.fillConvexPoly(oval, cv2.convexHull(np.rint(face.landmarks[:, :2]).astype(np.int32)), 1)
    shown = cover * (1 - cv2.GaussianBlur(oval.astype(np.float32), (0, 0), 1.5))
    folds = 1 + 0.18 * np.sin((np.abs(across - middle) + 0.4 * down) / (0.035 * head))
    folds = folds + 0.1 * np.sin(down / (0.06 * head))
    colour = np.array(cloth, np.float32) * folds[..., None]
    under = (down < chin) & (np.abs(across - middle) > half)  # hair that it holds
    alpha = np.where(under, cover, np.maximum(high.alpha * (down > top), cover))
    return Cutout(
        _mixed(high, colour, shown[..., None]), np.asarray(alpha, np.float32), face, high.photo_scale
    )


def _changed(person: Cutout, how: str) -> Cutout:
    return next(one for kind, one in hair_volumes(person) if kind == how)


def _places(person: Cutout) -> tuple[Values, Values]:
    down, across = np.indices(person.alpha.shape, np.float32)
    return across, down


def _mixed(person: Cutout, colour: Values, share: Values) -> Pixels:
    painted = person.foreground * (1 - share) + colour * share
    return np.asarray(np.clip(np.rint(painted), 0, 255), np.uint8)
