"""Decoding the pictures that a look is to be learned from, which only workers do."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from typing import Final

from PIL import Image

from core.brand import pictures
from core.brand.files import PictureUnusable
from core.brand.look_pictures import LARGEST_SIDE, SMALLEST_SIDE, Readable, Refused, demand_enough
from core.words import N_

_LONGEST: Final = 3.0  # times as long as wide: kept at `LARGEST_SIDE`, the short side has `SMALLEST_SIDE`


def read(files: Iterable[bytes]) -> Readable:
    """Decode an upload, one picture after the other; takes seconds, so it is done before any transaction.

    Args:
        files: pictures as they were uploaded; each is let go before the next is asked for.

    Raises:
        PicturesUnusable: too few that can be used; says of each of the others why.
    """
    usable: list[bytes] = []
    refused: list[Refused] = []
    seen: list[Image.Image] = []
    for number, content in enumerate(files, 1):
        try:
            jpeg = _jpeg(content)
            seen.append(_new_sketch(jpeg, seen))
            usable.append(jpeg)
        except PictureUnusable as error:
            refused.append(Refused(number, error))
    demand_enough(len(usable), tuple(refused))
    return Readable(tuple(usable), tuple(refused))


def _jpeg(content: bytes) -> bytes:
    jpeg = pictures.jpeg(content, LARGEST_SIDE)
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        short, long = sorted(picture.size)
    if long > _LONGEST * short:
        raise PictureUnusable(
            N_("This picture is more than three times as long as wide. Please cut it to the portrait.")
        )
    if short < SMALLEST_SIDE:
        raise PictureUnusable(
            N_("This picture is less than %(least)s pixels wide or high."), least=SMALLEST_SIDE
        )
    return jpeg


def _new_sketch(jpeg: bytes, seen: Sequence[Image.Image]) -> Image.Image:
    """Return a picture's sketch, if there is something to learn from it that `seen` does not show already."""
    drawn = pictures.sketch(jpeg)
    if pictures.is_flat(drawn):
        raise PictureUnusable(N_("There is nothing to see in this picture."))
    if any(pictures.is_same(drawn, one) for one in seen):
        raise PictureUnusable(N_("This is the same picture as one before it."))
    return drawn
