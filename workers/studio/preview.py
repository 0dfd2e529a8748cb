"""The brand studio's live preview: a finished portrait in a moment, without any model.

The person is a cut-out that ships with the package (`deploy/make_preview.py` makes it from NASA's portrait
of Eileen Collins, public domain); only the finisher runs.
"""

from __future__ import annotations

import io
import json
from functools import cache
from importlib import resources

import numpy as np
from PIL import Image

from core.style.outputs import Output, OutputFormat
from core.style.spec import StyleSpec
from workers.studio.encode import cut, encode
from workers.studio.finish import finish
from workers.vision.cutout import Cutout
from workers.vision.geometry import Face, Pixels

PREVIEW_SIDE = 512  # px, long side


def preview(
    style: StyleSpec,
    image_backdrop: Pixels | None = None,
    size: int = PREVIEW_SIDE,
    logo: Pixels | None = None,
) -> bytes:
    """Show the style on the sample person.

    Args:
        style: The style being edited.
        image_backdrop: The picture of an image backdrop (uint8, height × width × 3, sRGB).
        size: Long side of the preview, pixels.
        logo: The logo that the style asks for (uint8, height × width × 4, sRGB with alpha).

    Returns:
        A JPEG.

    Raises:
        BackdropMissing: an image backdrop without its picture.
        CroppedTooTightly: the sample cannot be cropped as the style asks.
    """
    aspect = style.crop.aspect
    width, height = (size, round(size / aspect)) if aspect >= 1 else (round(size * aspect), size)
    shown = Output(name="preview", width=width, height=height)
    # With the room that files of other shapes need: it sets how much of a backdrop's picture the frame shows.
    master = finish(sample(), style, style.room.around(width, height), image_backdrop).pixels
    shown = style.delivered(shown, None, (master.shape[1], master.shape[0]))
    return encode(cut(master, style, shown, logo=logo), OutputFormat.JPEG)


@cache
def sample() -> Cutout:
    """Return the cut-out that ships with the package."""
    folder = resources.files("workers.studio") / "assets"
    with Image.open(io.BytesIO((folder / "preview.png").read_bytes())) as image:
        rgba = np.asarray(image.convert("RGBA"))
    facts = json.loads((folder / "preview.json").read_text(encoding="utf-8"))
    face = Face(np.array(facts["landmarks"], np.float32), facts["score"])
    return Cutout(np.ascontiguousarray(rgba[..., :3]), rgba[..., 3].astype(np.float32) / 255.0, face, 1.0)
