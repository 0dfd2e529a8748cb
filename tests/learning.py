"""Small random models of the real classes, and pictures to learn from. Needs torch."""

from __future__ import annotations

import cv2
import numpy as np

from workers.diffusion.bases import BASES, INPAINTING
from workers.diffusion.models import Model, load
from workers.diffusion.picture import Example


def example(picture: np.ndarray, caption: str = "a photo of ohwx person") -> Example:
    pixels = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
    return Example("a", pixels, np.ones((128, 128), np.float32), caption, flipped=False)


def style_picture(seed: int) -> bytes:
    """A picture of a company's look: warm light from the left on a dark wall; 640 × 512 JPEG."""
    chance = np.random.default_rng(seed)
    height, width = 512, 640
    across = np.linspace(1, 0.1, width)[None, :, None]
    wall = np.array([230, 140, 60]) * across + chance.normal(0, 4, (height, width, 3))
    pixels = np.clip(wall, 0, 255).astype(np.uint8)
    cv2.circle(pixels, (220 + 50 * (seed % 5), 200 + 60 * (seed % 2)), 110, (190, 150, 120), -1)
    done, encoded = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    assert done
    return encoded.tobytes()


def tiny(name: str, role: str = "train") -> Model:
    return load(INPAINTING[name] if role == "inpaint" else BASES[name], "tiny", role=role)
