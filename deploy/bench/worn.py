"""Heads that a cut finds hard, painted on cut-outs of real people, and what they stand before: alpha is known."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from deploy.bench.composites import Composite, photographed
from deploy.bench.sources import hair_volumes
from deploy.bench.trouble import subjects
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.cutout import Cutout
from workers.vision.geometry import CHIN, Pixels

Colour = tuple[int, int, int]

_GLOSS: Final = 110  # levels that a bald head's shine adds in its middle
_TOP: Final = 1.06  # head heights from the chin to the top of a scarf
# Half a scarf's width, head heights, by how far below its top and above the chin it is.
_WIDTHS: Final = (0.05, 0.36, 0.46, 0.5, 0.85)
_HEIGHTS: Final = (-_TOP, -_TOP + 0.2, -0.3, 0.1, 0.5)
_OUTER: Final = ((127, 234), (356, 454))  # landmarks of the face's sides at the eyes, and at the ear below
_RIMS: Final = ((33, 133, 159, 145), (362, 263, 386, 374))  # corners and lids of the eyes
_STANDS_OFF: Final = 0.1  # head heights between a face and the hinges of glasses that are wide for it
_FRAME: Final = 0.013  # head heights, how thick they are
_LOCKS: Final = (34, 60)  # thick and thin ones on each side
_THICK: Final = ((0.014, 0.03), (0.003, 0.005))  # head heights
_HAIR: Final = np.array([58, 43, 33], np.float32)
_FALL: Final = (1.08, 0.88)  # of a wall's light, from one side to the other


def worn(people: dict[str, list[tuple[str, bytes]]]) -> Iterator[Composite]:
    """Yield every person in everything that `odd_heads` makes of them; the place says what.

    Args:
        people: See `deploy.bench.trouble.subjects`.
    """
    for one in subjects(people):
        colors = np.rint(255 * to_srgb(one.colors)).astype(np.uint8)
        for kind, person, wall in odd_heads(Cutout(colors, one.alpha, one.face, 1.0)):
            photo, own = before(person, wall), to_linear(person.foreground)
            yield Composite(one.name, kind, photo, person.alpha, own, person.face)


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
    yield "glasses whose temples stand off", in_glasses(person), (185, 190, 195)
    yield "loose hair on both sides", with_loose_hair(person), (205, 200, 190)


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


def in_glasses(person: Cutout) -> Cutout:
    """Return the person in dark glasses that are too wide: between their temples and the head one sees the wall."""
    face, head = person.face, person.face.head_height
    points, middle = face.landmarks[:, :2], face.landmarks[:, 0].mean()
    drawn = np.zeros(person.alpha.shape, np.uint8)
    thick = max(2, round(_FRAME * head))
    hinges = []
    for (side, ear), (inner, outer, above, below) in zip(_OUTER, _RIMS, strict=True):
        centre = (points[inner] + points[outer]) / 2
        width = 0.95 * float(np.linalg.norm(points[inner] - points[outer]))
        high = 0.6 * width + float(points[below, 1] - points[above, 1]) / 2
        cv2.ellipse(drawn, _pixel(centre), _pixel((width, high)), 0, 0, 360, 255, thick, cv2.LINE_AA)
        out = np.sign(points[side, 0] - middle) * _STANDS_OFF * head
        hinge = np.array([points[side, 0] + out, centre[1]])
        hinges.append((centre[0] + np.sign(out) * width, hinge))
        cv2.line(drawn, _pixel((hinges[-1][0], centre[1])), _pixel(hinge), 255, thick, cv2.LINE_AA)
        behind = points[ear] + np.array([0.75 * out, -0.03 * head])
        cv2.line(drawn, _pixel(hinge), _pixel(behind), 255, thick, cv2.LINE_AA)
    share = drawn.astype(np.float32) / 255
    alpha = np.maximum(person.alpha, share)
    return Cutout(
        _mixed(person, np.array([24, 22, 22], np.float32), share[..., None]), alpha, face, person.photo_scale
    )


def with_loose_hair(person: Cutout) -> Cutout:
    """Return the person with hair that hangs down on both sides in locks, the wall between them."""
    high = _changed(person, "high hair")
    face, head, dice = high.face, high.face.head_height, np.random.default_rng(11)
    middle, chin = face.landmarks[:, 0].mean(), face.landmarks[CHIN, 1]
    alpha, colors = high.alpha.copy(), high.foreground.astype(np.float32)
    along = np.linspace(0, 1, 30)
    skin = np.zeros(alpha.shape, np.uint8)
    cv2.fillConvexPoly(skin, cv2.convexHull(np.rint(face.landmarks[:, :2]).astype(np.int32)), 1)
    free = 1 - cv2.GaussianBlur(skin.astype(np.float32), (0, 0), 1.5)
    for count, (least, most) in zip(_LOCKS, _THICK, strict=True):
        for side in (-1, 1):
            for _ in range(count):
                root, spread = dice.uniform(0.3, 0.42), dice.uniform(0.0, 0.26)
                wave = 0.012 * np.sin(dice.uniform(0, 6) + along * dice.uniform(6, 14))
                x = middle + side * head * (root + spread * np.sqrt(along) + wave)
                y = chin + head * (dice.uniform(-0.75, -0.6) + dice.uniform(0.75, 1.05) * along)
                lock = np.zeros(alpha.shape, np.uint8)
                path = np.rint(16 * np.stack([x, y], axis=1)).astype(np.int32)
                thick = max(1, round(dice.uniform(least, most) * head))
                cv2.polylines(
                    lock, [path], isClosed=False, color=255, thickness=thick, lineType=cv2.LINE_AA, shift=4
                )
                share = lock.astype(np.float32) / 255 * free
                whole = share + alpha * (1 - share)
                part = (share / np.maximum(whole, 1e-3))[..., None]
                colors = colors + part * (_HAIR * dice.uniform(0.7, 1.5) - colors)
                alpha = whole
    painted = np.asarray(np.clip(np.rint(colors), 0, 255), np.uint8)
    return Cutout(painted, np.asarray(alpha, np.float32), face, high.photo_scale)


def _pixel(point: Sequence[float] | NDArray[np.generic]) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))


def _changed(person: Cutout, how: str) -> Cutout:
    return next(one for kind, one in hair_volumes(person) if kind == how)


def _places(person: Cutout) -> tuple[Values, Values]:
    down, across = np.indices(person.alpha.shape, np.float32)
    return across, down


def _mixed(person: Cutout, colour: Values, share: Values) -> Pixels:
    painted = person.foreground * (1 - share) + colour * share
    return np.asarray(np.clip(np.rint(painted), 0, 255), np.uint8)
