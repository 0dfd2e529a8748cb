"""Where a cut goes wrong: people before a crowd, before bodies without a face, before letters and leaves.

Each picture has an exact alpha, as in `composites`: the person is a cut-out of their own portrait, and
whatever that cut missed belongs to neither the picture nor the truth. Who stands behind are the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator

from compliance.consent import own_photos
from deploy.bench.composites import Composite, photographed
from workers.studio.lens import defocus
from workers.studio.preview import sample
from workers.vision.check import examine
from workers.vision.color import Values, to_linear
from workers.vision.cutout import Cutout, Mask
from workers.vision.full_resolution import at_head_height
from workers.vision.geometry import CHIN, Box, Face
from workers.vision.matting import matte

CLEAN: Final = "plain wall"
SIDE: Final = 1200  # px, long side
_HEAD: Final = 400.0  # px: as large as a portrait of 40 cm has it
_HAZE: Final = (0.06, 0.97)  # what a cut leaves as a veil and as a pinhole is neither person nor wall


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A person to put somewhere.

    Attributes:
        name: Whose.
        colors: float32, height × width × 3, linear light.
        alpha: float32, height × width.
        face: In these pixels.
    """

    name: str
    colors: Values
    alpha: Mask
    face: Face


def subjects(people: dict[str, list[tuple[str, bytes]]]) -> list[Subject]:
    """Cut one photo of each person; the sample that ships with the studio where there are none.

    Args:
        people: File name and content of each one's photos; the first accepted one is taken.
    """
    found = []
    for name, photos in people.items():
        for _, content in photos:
            seen = examine(content, own_photos())
            if seen.verdict.accepted and seen.pixels is not None and seen.face is not None:
                pixels, face, others = at_head_height(content, seen, _HEAD)
                (x, y), head = (face.right_eye + face.left_eye) / 2, face.head_height
                around = Box(x - 1.4 * head, y - 1.1 * head, x + 1.4 * head, y + 1.5 * head)
                found.append(_subject(name, matte(pixels, face, list(others), around)))
                break
    return found or [_subject("sample", sample())]


def _subject(name: str, cutout: Cutout) -> Subject:
    scale = min(SIDE / max(cutout.alpha.shape), _HEAD / cutout.face.head_height)
    size = (round(cutout.alpha.shape[1] * scale), round(cutout.alpha.shape[0] * scale))
    colors = to_linear(cv2.resize(cutout.foreground, size, interpolation=cv2.INTER_AREA))
    alpha = cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_AREA)
    alpha = np.where(alpha < _HAZE[0], 0, np.where(alpha > _HAZE[1], 1, alpha)).astype(np.float32)
    return Subject(name, colors, alpha, cutout.face.moved(0, 0, scale))


def troubles(people: dict[str, list[tuple[str, bytes]]], seed: int = 0) -> Iterator[Composite]:
    """Yield every person before a plain wall and before every kind of `TROUBLE`; the same ones each time."""
    every = subjects(people)
    for place, paint in ((CLEAN, _wall), *TROUBLE.items()):
        for number, one in enumerate(every):
            dice = np.random.default_rng([seed, number, len(place)])
            others = [other for other in every if other is not one] or [one]
            behind = paint(one, others, dice)
            share = one.alpha[..., None]
            light = np.asarray(one.colors * share + behind * (1 - share), np.float32)
            yield Composite(one.name, place, photographed(light, dice), one.alpha, one.colors, one.face)


def _wall(one: Subject, _others: Sequence[Subject], dice: Generator) -> Values:
    tint = np.array([0.45, 0.46, 0.48], np.float32) * dice.uniform(0.5, 1.3)
    fall = np.linspace(1.1, 0.8, len(one.alpha), dtype=np.float32)[:, None, None]
    return np.asarray(tint * fall * np.ones((*one.alpha.shape, 1), np.float32), np.float32)


def _room(one: Subject, dice: Generator) -> Values:
    """A hall out of focus, lighter and darker in large patches."""
    height, width = one.alpha.shape
    grey, tint = dice.uniform(0.04, 0.6, (6, 7, 1)), dice.uniform(0.75, 1.3, (6, 7, 3))
    coarse = np.asarray(grey * tint, np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).clip(0.01, 1))


def _stand(
    canvas: Values, other: Subject, across: float, down: float, size: float, blur: float, dice: Generator
) -> None:
    """Put somebody on the canvas with the middle of their eyes there, px; a mirror image half of the time."""
    height, width = canvas.shape[:2]
    x, y = (other.face.right_eye + other.face.left_eye) / 2
    side = -1.0 if dice.random() < 0.5 else 1.0
    move = np.array([[side * size, 0, across - side * size * x], [0, size, down - size * y]])
    # Where the cut-out ends the body goes on.
    alpha = cv2.warpAffine(other.alpha, move, (width, height), borderValue=0)
    colors = cv2.warpAffine(other.colors, move, (width, height), borderMode=cv2.BORDER_REFLECT)
    last = int(np.clip(down + size * (len(other.alpha) - 3 - y), 0, height))
    alpha[last:] = alpha[last - 1]
    tint = dice.uniform(0.7, 1.3) * dice.uniform(0.9, 1.1, 3).astype(np.float32)
    if blur >= 1:
        mixed = defocus(np.dstack([colors * alpha[..., None], alpha]), blur)
        colors, alpha = mixed[..., :3] / np.maximum(mixed[..., 3:], 1e-3), mixed[..., 3]
    canvas += alpha[..., None] * (colors * np.float32(1) * tint - canvas)


def _place(one: Subject) -> tuple[float, float, float]:
    x, y = (one.face.right_eye + one.face.left_eye) / 2
    return float(x), float(y), one.face.head_height


def _crowd(one: Subject, others: Sequence[Subject], dice: Generator) -> Values:
    """Faces at both sides, further away and a little out of focus."""
    canvas, (x, y, head) = _room(one, dice), _place(one)
    for across in (-1.25, 1.2, -0.6, 0.7):
        size = float(dice.uniform(0.6, 0.85)) * head
        other = others[int(dice.integers(len(others)))]
        _stand(
            canvas,
            other,
            x + across * head,
            y + dice.uniform(-0.25, 0.2) * head,
            size / other.face.head_height,
            float(dice.uniform(0.008, 0.02)) * head,
            dice,
        )
    return canvas


def _shoulder(one: Subject, others: Sequence[Subject], dice: Generator) -> Values:
    """Somebody as large stands half behind a shoulder, out of focus."""
    canvas, (x, y, head) = _room(one, dice), _place(one)
    other = others[int(dice.integers(len(others)))]
    side = -1 if dice.random() < 0.5 else 1
    size = 1.05 * head / other.face.head_height
    _stand(canvas, other, x + side * 0.95 * head, y - 0.05 * head, size, 0.03 * head, dice)
    return canvas


def _body(one: Subject, others: Sequence[Subject], dice: Generator) -> Values:
    """Somebody stands close behind whose head the frame cuts off: a body without a face."""
    canvas, (x, _, head) = _room(one, dice), _place(one)
    other = others[int(dice.integers(len(others)))]
    side = -1 if dice.random() < 0.5 else 1
    size = 1.5 * head / other.face.head_height
    _stand(
        canvas, other, x + side * 0.9 * head, -0.55 * size * other.face.head_height, size, 0.01 * head, dice
    )
    return canvas


def _press(one: Subject, others: Sequence[Subject], dice: Generator) -> Values:
    """A photographer whose face a camera hides."""
    canvas, (x, y, head) = _room(one, dice), _place(one)
    other = others[int(dice.integers(len(others)))]
    side = -1 if dice.random() < 0.5 else 1
    left, top = x + side * 0.85 * head, y + 0.1 * head
    layer, small = canvas.copy(), 0.8 * head
    _stand(layer, other, left, top, small / other.face.head_height, 0, dice)
    box = np.array([[left - 0.3 * small, top - 0.15 * small], [left + 0.3 * small, top + 0.22 * small]])
    (a, b), (c, d) = np.rint(box).astype(int).tolist()
    cv2.rectangle(layer, (a, b), (c, d), (0.012, 0.012, 0.013), -1)
    cv2.circle(layer, ((a + c) // 2, (b + d) // 2), round(0.15 * small), (0.03, 0.03, 0.035), -1)
    cv2.circle(layer, ((a + c) // 2, (b + d) // 2), round(0.1 * small), (0.005, 0.005, 0.01), -1)
    for at in (a, c):
        cv2.ellipse(
            layer, (at, d - round(0.1 * small)), (round(0.07 * small), round(0.13 * small)), 0, 0, 360,
            (0.42, 0.22, 0.15), -1, cv2.LINE_AA,
        )  # fmt: skip
    return defocus(layer, 0.008 * head)


def _letters(one: Subject, _others: Sequence[Subject], dice: Generator) -> Values:
    """Large letters on the wall in the colours of the clothes."""
    canvas, (x, y, head) = _wall(one, [], dice), _place(one)
    rows = np.arange(len(one.alpha))[:, None] > one.face.landmarks[CHIN, 1] + 0.25 * head
    cloth = one.colors[(one.alpha > 0.99) & rows]
    shades = [np.quantile(cloth, share, axis=0) for share in (0.25, 0.5)] if len(cloth) else [np.zeros(3)]
    tall = round(0.42 * head)
    for line, words in enumerate(("HOUSE OF", "NEWS 24", "WHITE", "PRESS")):
        ink = shades[line % len(shades)]
        scale = tall / 22  # cv2's own letters are 22 px high at scale 1
        at = (round(x - (1.5 - 0.1 * line) * head), round(y + (-0.35 + 0.6 * line) * head))
        cv2.putText(
            canvas, words, at, cv2.FONT_HERSHEY_DUPLEX, scale, tuple(map(float, ink)),
            round(0.1 * head), cv2.LINE_AA,
        )  # fmt: skip
    return defocus(canvas, 0.006 * head)


def _leaves(one: Subject, _others: Sequence[Subject], dice: Generator) -> Values:
    """A bush close behind, nearly in focus, some leaves as dark and brown as hair."""
    height, width = one.alpha.shape
    canvas, head = np.full((height, width, 3), 0.01, np.float32), one.face.head_height
    for _ in range(1400):
        green = np.array([0.10, 0.16, 0.05]) if dice.random() < 0.75 else np.array([0.12, 0.08, 0.05])
        tint = green * 2.0 ** dice.uniform(-3, 1.8)
        at = (int(dice.uniform(0, width)), int(dice.uniform(0, height)))
        size = (max(2, int(dice.uniform(0.05, 0.14) * head)), max(1, int(dice.uniform(0.015, 0.045) * head)))
        cv2.ellipse(canvas, at, size, dice.uniform(0, 180), 0, 360, tint.tolist(), -1, cv2.LINE_AA)
    return defocus(canvas, 0.004 * head)


Painter = Callable[[Subject, Sequence[Subject], Generator], Values]
TROUBLE: Final[dict[str, Painter]] = {
    "crowd": _crowd,
    "shoulder": _shoulder,
    "body": _body,
    "press": _press,
    "letters": _letters,
    "leaves": _leaves,
}
