"""The visible label of model-made pictures, drawn into a corner of a delivered file; never over a head or a logo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from compliance.origin.label import Label
from core.style.framing import Rect, head_box
from core.style.spec import StyleSpec
from workers.vision.geometry import Pixels

_LETTERS: Final = 0.026  # size of the letters, fraction of the file's shorter side: seen when looked for, not before the face
LEAST: Final = (
    12  # pixels: below that small letters run together (judgement, docs/sources.md, "Visible label")
)
_WIDEST: Final = 0.45  # of the file's width: more than a corner's share is a shorter word's place
_MARGIN: Final = 0.02  # distance from the file's edges, fraction of its shorter side
_PAD: Final = 0.45  # around the letters, fraction of their size
# White on this over a white wall is #fff on #595959: a contrast of 7.0, with 4.5 asked for (WCAG 2.2, 1.4.3).
_PLATE: Final = 0.65  # how black the ground of the letters is


@dataclass(frozen=True, slots=True)
class Placed:
    """What is written where."""

    text: str
    letters: int  # size, pixels
    box: Rect  # the ground that they stand on, pixels


def placed(label: Label, width: int, height: int, clear_of: Sequence[Rect]) -> Placed | None:
    """Return where the label goes: the longest words that fit into a corner that is free; `None` where none is.

    Args:
        label: What it may say.
        width: Of the file, pixels.
        height: Of the file, pixels.
        clear_of: What it must not lie over, pixels.
    """
    short = min(width, height)
    letters, margin = max(LEAST, round(_LETTERS * short)), max(2, round(_MARGIN * short))
    pad = round(_PAD * letters)
    for text in label.words:
        left, top, right, bottom = _font(letters).getbbox(text)
        wide, tall = round(right - left) + 2 * pad, round(bottom - top) + 2 * pad
        if wide > _WIDEST * width:
            continue
        for low in (True, False):
            for at_right in (True, False):
                box = Rect(
                    width - margin - wide if at_right else margin,
                    height - margin - tall if low else margin,
                    wide,
                    tall,
                )
                if not any(box.meets(one) for one in clear_of):
                    return Placed(text, letters, box)
    return None


def with_label(pixels: Pixels, label: Label, clear_of: Sequence[Rect]) -> Pixels:
    """Return the picture with its label; as it is where there is no place in which it could be read.

    Args:
        pixels: uint8, height × width × 3, sRGB, of the file's size.
        label: What it may say.
        clear_of: Boxes around head and logo, pixels.
    """
    place = placed(label, pixels.shape[1], pixels.shape[0], clear_of)
    if place is None:
        return pixels
    box, font = place.box, _font(place.letters)
    wide, tall = int(box.width), int(box.height)
    letters = Image.new("L", (wide, tall), 0)
    ImageDraw.Draw(letters).text((wide / 2, tall / 2), place.text, fill=255, font=font, anchor="mm")
    white = np.asarray(letters, np.float32)[..., None] / 255
    done = pixels.copy()
    under = done[int(box.top) : int(box.top) + tall, int(box.left) : int(box.left) + wide]
    ground = under * (1 - _PLATE)
    under[:] = np.rint(ground + white * (255 - ground)).astype(np.uint8)
    return done


def unlabelled(style: StyleSpec, label: Label) -> list[str]:
    """Return the names of the style's files in which the label has no place, with heads as the style has them."""
    found = []
    for output in style.outputs:
        over = [head_box(style.part(output), style.head, output.width, output.height)]
        if style.logo is not None and output.takes_logo:
            over.append(style.logo.place(output))
        if placed(label, output.width, output.height, over) is None:
            found.append(output.name)
    return found


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(
        size
    )  # Pillow's own, the same on every machine; it has all of these letters
