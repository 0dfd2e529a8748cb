"""Colours through the ICC profile of a file."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from PIL import Image, ImageCms

_SRGB: Final = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
_MODES: Final = {"RGB ": "RGB", "GRAY": "L", "CMYK": "CMYK"}

Convert = Callable[[Image.Image], Image.Image]


@lru_cache(maxsize=4)
def through(profile: bytes, mode: str) -> Convert | None:
    """Return what converts pictures of a mode (RGB, L or CMYK) to sRGB; `None` where the profile does not fit.

    A broken profile, or one for other channels, says nothing: the numbers are most likely sRGB already.
    """
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        needs = _MODES.get(source.profile.xcolor_space)
        if needs is None or needs not in (mode, "RGB" if mode == "L" else mode):
            return None
        transform = ImageCms.buildTransform(source, _SRGB, needs, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
        return None

    def convert(image: Image.Image) -> Image.Image:
        done = ImageCms.applyTransform(image if image.mode == needs else image.convert(needs), transform)
        assert done is not None, "only in place it returns nothing"
        return done

    return convert
