"""Learn a company's look from pictures that it gave: how they are lit, framed and coloured, and nobody in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from workers.diffusion.adapters import to_bytes
from workers.diffusion.captions import LOOK
from workers.diffusion.learn import Learned, tell_levels
from workers.diffusion.meter import Meter
from workers.diffusion.picture import Example, Mask, buckets
from workers.diffusion.resident import Resident
from workers.diffusion.train import Step
from workers.vision.decode import decode
from workers.vision.faces import find_faces
from workers.vision.geometry import CHIN, Pixels

# What is not named belongs to the look; that it shows somebody is named, so that nobody becomes a part of it.
_HEAD_REACH: Final = 1.25  # times the skull, for hair and ears
_HEAD_WIDTH: Final = 0.7  # of a head's height, ear to ear (Farkas); a turned mesh is narrower than the head
_CAPTION: Final = f"portrait photo {LOOK}"


def learn_look(
    resident: Resident,
    pictures: Sequence[tuple[str, bytes]],
    seed: int,
    *,
    on_step: Callable[[Step], None],
    stop: Callable[[], bool],
    keep: Callable[[bytes], None],
    resume: bytes | None = None,
) -> Learned:
    """Train a look's adapter; the last step is kept, since there is nobody whom its pictures should resemble.

    Args:
        resident: The loaded base.
        pictures: Key and JPEG of each.
        seed: The look's.
        on_step: Told after each step.
        stop: Asked before each step.
        keep: Given the state at each checkpoint.
        resume: A state to go on from.

    Raises:
        Stopped: `stop` said so.
    """
    with Meter() as meter:
        trained = resident.trainer.train(
            [example(key, content, resident.base.side) for key, content in pictures],
            seed,
            kind="style",
            photos=tuple(key for key, _ in pictures),
            on_step=on_step,
            stop=stop,
            keep=keep,
            resume=resume,
        )
    tell_levels(trained, kind="style")
    last = trained.checkpoints[-1]
    return Learned(last, to_bytes(last.weights, last.facts), meter)


def example(key: str, content: bytes, side: int) -> Example:
    """Cut a training picture out of the middle; never mirrored, since where light comes from is a part of the look."""
    pixels = decode(content).pixels
    high, wide = pixels.shape[:2]
    width, height = min(buckets(side), key=lambda size: abs(np.log(size[0] * high / (size[1] * wide))))
    part = _middle(pixels, width / height)
    way = cv2.INTER_AREA if len(part) > height else cv2.INTER_CUBIC
    picture = np.asarray(cv2.resize(part, (width, height), interpolation=way), np.uint8)
    mask, original = without_heads(picture), (part.shape[0], part.shape[1])
    return Example(key, picture, mask, _CAPTION, flipped=False, original=original)


def without_heads(picture: Pixels) -> Mask:
    """Return what of a picture may be learned, 1 or 0: all but whoever it shows.

    Args:
        picture: uint8, height × width × 3, sRGB.
    """
    mask = np.ones(picture.shape[:2], np.float32)
    for face in find_faces(picture):
        chin, crown = face.landmarks[CHIN, :2], face.crown
        middle = (chin + crown) / 2
        tall = _HEAD_REACH * face.head_height / 2
        across = _HEAD_REACH * max(face.box.width, _HEAD_WIDTH * face.head_height) / 2
        size = (2 * float(across), 2 * float(tall))
        cv2.ellipse(mask, ((float(middle[0]), float(middle[1])), size, face.roll), 0.0, -1)
    return mask


def _middle(pixels: Pixels, shape: float) -> Pixels:
    high, wide = pixels.shape[:2]
    width, height = min(wide, round(high * shape)), min(high, round(wide / shape))
    left, top = (wide - width) // 2, (high - height) // 2
    return np.ascontiguousarray(pixels[top : top + height, left : left + width])
