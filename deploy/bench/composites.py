"""People before hard backgrounds with alpha known to the last bit, for measuring mattes.

The person is the sample that ships with the studio (NASA's portrait of Eileen Collins), with hair drawn
strand by strand around the head; the backgrounds are scikit-image's photos and painted places. What the
camera would add, noise and JPEG, is added.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image
from skimage import data

from workers.studio.lens import defocus
from workers.studio.preview import sample
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.cutout import Mask
from workers.vision.geometry import CHIN, Face, Pixels

SIDE: Final = 1200  # px
HAIR: Final = ("plain", "flyaway", "curly", "long")
PLACES: Final = ("wall", "bricks", "garage", "coffee", "foliage", "curtains")
_OVERSAMPLED: Final = 3  # strands are drawn that much larger and averaged: exact coverage
_LAYERS: Final = 6  # of strands, each of one colour
_NOISE: Final = 1.5  # 8-bit steps, as a phone has indoors
_QUALITY: Final = 92
# How many strands, how long (head heights), how thick (px), how curly (head heights), how far they fall.
_STRANDS: Final = {
    "flyaway": (220, 0.09, 0.8, 0.008, 0.2),
    "curly": (5200, 0.10, 1.1, 0.03, 0.2),
    "long": (1200, 0.28, 0.7, 0.006, 1.3),
}
_COLORS: Final = ((112, 84, 52), (150, 120, 76), (70, 50, 30), (190, 160, 110))


@dataclass(frozen=True, slots=True, eq=False)
class Composite:
    """One picture with its truth.

    Attributes:
        hair: One of `HAIR`.
        place: One of `PLACES`.
        photo: uint8, height × width × 3, sRGB.
        alpha: float32, height × width: the truth.
        person: float32, height × width × 3, linear light: the person's own colours.
        face: The person's, where others may be seen beside them.
    """

    hair: str
    place: str
    photo: Pixels
    alpha: Mask
    person: Values
    face: Face | None = None


def composites() -> Iterator[Composite]:
    """Yield every hair before every place; the same ones each time."""
    places = {name: _place(name) for name in PLACES}
    rng = np.random.default_rng(1)
    for hair in HAIR:
        person, alpha = _person(hair)
        for name, place in places.items():
            light = np.asarray(person * alpha[..., None] + place * (1 - alpha[..., None]), np.float32)
            yield Composite(hair, name, photographed(light, rng), alpha, person)


def photographed(light: Values, dice: Generator) -> Pixels:
    """Return what a phone's camera makes of linear light: noise, 8 bits, and a JPEG's blocks."""
    mixed = to_srgb(light) * 255
    noisy = np.clip(np.rint(mixed + dice.normal(0, _NOISE, mixed.shape)), 0, 255).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noisy).save(buffer, "JPEG", quality=_QUALITY)
    return np.asarray(Image.open(buffer).convert("RGB"))


def _person(hair: str) -> tuple[Values, Mask]:
    cutout = sample()
    size = (SIDE, SIDE)
    scale = SIDE / cutout.alpha.shape[0]
    colors = to_linear(cv2.resize(cutout.foreground, size, interpolation=cv2.INTER_CUBIC))
    alpha = np.clip(cv2.resize(cutout.alpha, size, interpolation=cv2.INTER_CUBIC), 0, 1)
    # The sample's own alpha ends in a haze that no eye sees and every measure counts.
    alpha = np.where(alpha < 0.06, 0, np.where(alpha > 0.97, 1, alpha)).astype(np.float32)
    if hair == "plain":
        return colors, alpha
    strands, cover = _strands(alpha, cutout.face.moved(0, 0, scale), hair)
    whole = cover + alpha * (1 - cover)
    mixed = strands + colors * (alpha * (1 - cover))[..., None]
    own = np.where(whole[..., None] > 1e-3, mixed / np.maximum(whole, 1e-3)[..., None], colors)
    return np.asarray(own, np.float32), np.asarray(whole, np.float32)


def _strands(alpha: Mask, face: Face, hair: str) -> tuple[Values, Mask]:
    """Return the strands' colours times their cover, and their cover."""
    count, length, thickness, curl, fall = _STRANDS[hair]
    rng = np.random.default_rng(7)
    roots, middle = _roots(alpha, face), face.landmarks[:, :2].mean(axis=0) - [0, 0.15 * face.head_height]
    total, cover = np.zeros((SIDE, SIDE, 3), np.float32), np.zeros((SIDE, SIDE), np.float32)
    along = np.linspace(0, 1, 40)[:, None]
    for _ in range(_LAYERS):
        canvas = np.zeros((SIDE * _OVERSAMPLED, SIDE * _OVERSAMPLED), np.uint8)
        color = to_linear(np.array(_COLORS[rng.integers(len(_COLORS))], np.uint8)) * rng.uniform(0.7, 1.25)
        for _ in range(count // _LAYERS):
            root = roots[rng.integers(len(roots))]
            outward = (root - middle) / np.linalg.norm(root - middle)
            start = root - outward * rng.uniform(0, 0.04) * face.head_height
            turn = rng.normal(0, 0.5)
            ahead = np.array(
                [
                    outward[0] * np.cos(turn) - outward[1] * np.sin(turn),
                    outward[0] * np.sin(turn) + outward[1] * np.cos(turn),
                ]
            )
            reach = length * face.head_height * rng.uniform(0.3, 1.0)
            wave = curl * face.head_height * rng.uniform(0.5, 1.2)
            swing = np.sin(rng.uniform(0, 6.28) + rng.uniform(1.5, 3.5) * 6.28 * along)
            points = start + ahead * reach * along * (1 - 0.5 * along)
            points = points + np.array([0, 1.0]) * reach * fall * along**2
            points = points + np.array([-ahead[1], ahead[0]]) * wave * swing * along
            width = max(1, round(thickness * _OVERSAMPLED * rng.uniform(0.6, 1.4)))
            fine = np.rint(points * _OVERSAMPLED * 16).astype(np.int32)
            cv2.polylines(
                canvas, [fine], isClosed=False, color=255, thickness=width, lineType=cv2.LINE_AA, shift=4
            )
        layer = cv2.resize(canvas, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
        total = total * (1 - layer[..., None]) + color * layer[..., None]
        cover = cover + (1 - cover) * layer
    return np.asarray(total, np.float32), cover


def _roots(alpha: Mask, face: Face) -> NDArray[np.float64]:
    """Return the head's outline above the chin, where hair grows."""
    outlines, _ = cv2.findContours((alpha > 0.5).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = max(outlines, key=cv2.contourArea)[:, 0, :].astype(np.float64)
    near = np.abs(outline[:, 0] - face.landmarks[:, 0].mean()) < 0.75 * face.head_height
    return np.asarray(outline[near & (outline[:, 1] < face.landmarks[CHIN, 1] - 0.1 * face.head_height)])


def _place(name: str) -> Values:
    """Return a background, linear light."""
    rng = np.random.default_rng(3)
    if name == "wall":
        light = np.linspace(1.1, 0.8, SIDE, dtype=np.float32)[:, None, None]
        return np.asarray(
            np.array([0.55, 0.56, 0.58], np.float32) * light * np.ones((1, SIDE, 1)), np.float32
        )
    if name == "bricks":
        return np.asarray(to_linear(_filling(data.brick())) * np.array([1, 0.62, 0.5]), np.float32)
    if name == "garage":
        return to_linear(_filling(np.asarray(Image.open(Path(data.__file__).parent / "motorcycle_left.png"))))
    if name == "coffee":
        return defocus(to_linear(_filling(data.coffee())), 12)
    canvas = np.full((SIDE, SIDE, 3), 0.05, np.float32)
    if name == "foliage":
        for _ in range(900):
            green = rng.uniform(0.01, 0.6) * rng.uniform([0.5, 0.7, 0.3], [1.2, 1.2, 0.8])
            centre = (int(rng.uniform(0, SIDE)), int(rng.uniform(0, SIDE)))
            cv2.circle(canvas, centre, int(rng.uniform(8, 60)), green.tolist(), -1)
        return defocus(canvas, 14)
    left = 0  # curtains: hard vertical edges, one of them as dark and brown as hair
    while left < SIDE:
        width = int(rng.uniform(60, 200))
        canvas[:, left : left + width] = (
            (0.75, 0.8, 0.85),
            (0.35, 0.06, 0.05),
            (0.09, 0.06, 0.035),
            (0.2, 0.18, 0.15),
        )[rng.integers(4)]
        left += width
    folds = 1 + 0.15 * np.sin(np.arange(SIDE) / 9.0)
    return np.asarray(defocus(canvas, 4) * folds[None, :, None], np.float32)


def _filling(image: Pixels) -> Pixels:
    scale = max(SIDE / image.shape[0], SIDE / image.shape[1])
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[:SIDE, :SIDE]
    return np.asarray(large if large.ndim == 3 else np.repeat(large[..., None], 3, axis=2), np.uint8)
