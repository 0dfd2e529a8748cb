"""Made pictures of people in real photos, and what stands in for the network that paints their faces anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import cv2
import numpy as np
from PIL import Image

from workers.diffusion.engine import Order, Pool
from workers.diffusion.sample import Request
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels

SIDE = 1024  # px of what a base makes and paints
_HEAD = 0.4  # of a picture's side


def made_of(photo: Pixels, side: int = SIDE) -> Pixels:
    """Return a photo cropped and sized like a made portrait, `side` × `side`."""
    face = find_faces(photo)[0]
    height, width = photo.shape[:2]
    square = int(min(height, width, face.head_height / _HEAD))
    left = int(np.clip((face.box.left + face.box.right - square) / 2, 0, width - square))
    top = int(np.clip((face.box.top + face.box.bottom) / 2 - 0.45 * square, 0, height - square))
    part = Image.fromarray(photo[top : top + square, left : left + square])
    return np.asarray(part.resize((side, side), Image.Resampling.LANCZOS), np.uint8)


def repainted(
    part: Pixels, tone: Sequence[float] = (10, -7, 6), texture: float = 5.0, moved: float = 0.0
) -> Pixels:
    """Return a part as another hand would paint it: sharper, with a grain, a tone of its own, and edges that moved.

    Args:
        part: uint8, square.
        tone: Added to red, green and blue, 8-bit levels.
        texture: Deviation of the grain, 8-bit levels.
        moved: Pixels by which things lie elsewhere, at most.
    """
    chance = np.random.default_rng(0)
    big = np.asarray(Image.fromarray(part).resize((SIDE, SIDE), Image.Resampling.LANCZOS), np.float32)
    grain = cv2.GaussianBlur(chance.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 1.0)
    # Within what 8 bits hold: a network does not clip a white collar, and what is clipped has no tone to bring back.
    big = 20 + big * (215 / 255)
    new = big + 0.5 * (big - cv2.GaussianBlur(big, (0, 0), 2)) + np.array(tone, np.float32)
    new = new + (texture * grain / grain.std())[..., None]
    if moved:
        x, y = (
            cv2.GaussianBlur(chance.normal(0, 1, (SIDE, SIDE)).astype(np.float32), (0, 0), 60)
            for _ in range(2)
        )
        rows, columns = np.indices((SIDE, SIDE), np.float32)
        x, y = (columns + moved * x / np.abs(x).max(), rows + moved * y / np.abs(y).max())
        new = cv2.remap(new, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    return np.asarray(np.clip(new, 0, 255), np.uint8)


class Painter:
    """In a sampler's place: paints faces with a function, and notes what it was asked."""

    def __init__(self, paint: Callable[[Pixels], Pixels] = repainted, side: int = SIDE) -> None:
        base = SimpleNamespace(sample_side=side, reference_side=3 * side // 4)
        self.model = SimpleNamespace(base=base, is_tiny=False)
        self.asked: list[tuple[Request, int]] = []
        self._paint = paint

    def refine(self, part: Pixels, request: Request, references: Sequence[Pixels] = ()) -> Pixels:
        self.asked.append((request, len(references)))
        return self._paint(part)


class Planted(Pool):
    """Instead of a sampler's, pictures that were made ready."""

    def __init__(self, order: Order, pictures: Sequence[Pixels], painter: Painter | None = None) -> None:
        self._order, self._ready, self.given = order, pictures, 0
        self.sampler = painter or Painter()  # type: ignore[assignment]

    def pictures(self, order: Order) -> Iterator[tuple[int, str, Pixels]]:
        assert order is self._order
        for seed, picture in enumerate(self._ready):
            self.given += 1
            yield seed, order.prompts[seed % len(order.prompts)], picture
