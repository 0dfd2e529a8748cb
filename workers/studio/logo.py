"""The company's logo in a corner of a delivered file; never over a head."""

from __future__ import annotations

import numpy as np
from PIL import Image

from core.style.framing import Rect
from core.style.outputs import Output
from core.style.spec import Logo
from workers.vision.geometry import Pixels


def with_logo(pixels: Pixels, spec: Logo, output: Output, logo: Pixels, clear_of: Rect) -> Pixels:
    """Return the picture with the logo in its corner; as it is where the logo would meet `clear_of`.

    Args:
        pixels: uint8, height × width × 3, sRGB, of the output's size.
        spec: Which corner, how large.
        output: The file.
        logo: uint8, height × width × 4, sRGB with alpha.
        clear_of: Box around the head, pixels.
    """
    place = spec.place(output, logo.shape[1] / logo.shape[0])
    if place.meets(clear_of):
        return pixels
    width, height = max(1, round(place.width)), max(1, round(place.height))
    left, top = round(place.left), round(place.top)
    # Colour must not bleed in from what is transparent: Pillow resizes RGBA with alpha taken into account.
    fitted = Image.fromarray(logo).resize((width, height), Image.Resampling.LANCZOS)
    small = np.asarray(fitted, np.float32)[: pixels.shape[0] - top, : pixels.shape[1] - left]
    alpha = small[..., 3:] / 255 * spec.opacity
    done = pixels.copy()
    under = done[top : top + small.shape[0], left : left + small.shape[1]]
    under[:] = np.rint(under + alpha * (small[..., :3] - under)).astype(np.uint8)
    return done
