"""A person to try everything with, where nobody gives photos.

scikit-image ships NASA's portrait of the astronaut Eileen Collins, which is in the public domain. The
further "photos" are made from that one portrait, as a phone would have taken it: darker, nearer, tilted.
"""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from skimage import data

from workers.vision.color import to_linear, to_srgb
from workers.vision.geometry import Pixels


def sample_people() -> dict[str, list[tuple[str, bytes]]]:
    """Return person → file name and JPEG content: one person, four files of one portrait."""
    portrait = np.asarray(data.astronaut(), np.uint8)
    image = Image.fromarray(portrait)
    tilted = image.rotate(7, Image.Resampling.BICUBIC).crop((36, 36, 476, 476))
    dark = np.rint(to_srgb(to_linear(portrait) * np.float32(0.22)) * 255).astype(np.uint8)
    return {
        "eileen": [
            ("portrait.jpg", _jpeg(portrait)),
            ("dark.jpg", _jpeg(dark)),
            ("near.jpg", _jpeg(portrait[20:330, 70:380])),
            ("tilted.jpg", _jpeg(np.asarray(tilted))),
        ]
    }


def _jpeg(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=95, subsampling=0)
    return buffer.getvalue()
