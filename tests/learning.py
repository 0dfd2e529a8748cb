"""Small random models of the real classes, and pictures to learn from. Needs torch."""

from __future__ import annotations

import cv2
import numpy as np

from workers.diffusion.bases import BASES
from workers.diffusion.examples import Example
from workers.diffusion.models import Model, load


def example(picture: np.ndarray, caption: str = "a photo of ohwx person") -> Example:
    pixels = cv2.resize(picture, (128, 128), interpolation=cv2.INTER_AREA)
    return Example("a", pixels, np.ones((128, 128), np.float32), caption, flipped=False)


def tiny(name: str, role: str = "train") -> Model:
    return load(BASES[name], "tiny", role=role)
