"""The company's logo in a corner of a delivered file; never over a head."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from core.brand import pictures
from core.errors import InvalidInput
from core.style.framing import Rect
from core.style.spec import COMPANY_LOGO, Logo, Output, StyleSpec
from workers.vision.geometry import Pixels


class LogoMissing(InvalidInput):
    """The style names a file as its logo, and the file is not there or is no picture."""

    code = "logo_missing"


def logo_file(style: StyleSpec, folder: Path) -> Pixels | None:
    """Read a style's logo, which lies beside the style file.

    Raises:
        LogoMissing: it does not exist or lies elsewhere.
        PictureUnusable: it is no picture.
    """
    if style.logo is None:
        return None
    if style.logo.image == COMPANY_LOGO:
        raise LogoMissing("Without the portal there is no company's logo. Name a file beside the style file.")
    base = folder.resolve()
    path = (base / style.logo.image).resolve()
    if not path.is_relative_to(base) or not path.is_file():
        raise LogoMissing("The logo %(file)s is not beside the style file.", file=style.logo.image)
    return read_logo(path.read_bytes())


def read_logo(content: bytes) -> Pixels:
    """Decode a logo (PNG, JPEG or WebP) to uint8, height × width × 4, sRGB with alpha.

    Raises:
        PictureUnusable: it cannot be read.
    """
    return pictures.pixels(content)


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
