"""Reading the pictures that a look is to be learned from, and saying of each why it cannot be used."""

from __future__ import annotations

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PIL import Image

from core.brand import pictures
from core.errors import AppError, InvalidInput
from core.words import N_

LEAST: Final = 5  # fewer teach the people on them instead of the light that they share
MOST: Final = 40  # at 650 steps each is then seen sixteen times; more would be seen too seldom to count
SMALLEST_SIDE: Final = 512  # px; less than this teaches the base to be unsharp
LARGEST_SIDE: Final = 1600  # px; a training picture has at most 1,120
_one_at_a_time = threading.Lock()  # 40 megapixels take half a gigabyte while they are decoded
_LONGEST: Final = 3.0  # times as long as wide: kept at `LARGEST_SIDE`, the short side has `SMALLEST_SIDE`


class RightsUnconfirmed(InvalidInput):
    """Nobody said that the company may use the pictures."""

    code = "rights_unconfirmed"


@dataclass(frozen=True)
class Refused:
    """A file that was left out, by its place in the upload, and why."""

    number: int
    error: AppError


class PicturesUnusable(InvalidInput):
    """Too few or too many pictures came; nothing was kept. `refused` are the files that could not be used."""

    code = "look_pictures_unusable"

    def __init__(self, message: str, refused: tuple[Refused, ...] = (), **details: str | int) -> None:
        super().__init__(message, **details)
        self.refused = refused


@dataclass(frozen=True)
class Readable:
    """What of an upload can be used, as JPEGs, and what cannot."""

    usable: tuple[bytes, ...]
    refused: tuple[Refused, ...]


def read(files: Sequence[bytes], *, rights: bool) -> Readable:
    """Decode an upload, one picture at a time; takes seconds, so it is done before any transaction.

    Args:
        files: `LEAST` to `MOST` pictures, as they were uploaded.
        rights: whether the company may use them and everyone on them agreed.

    Raises:
        RightsUnconfirmed: `rights` was not given; no file was read.
        PicturesUnusable: too many, or too few that can be used.
    """
    if not rights:
        raise RightsUnconfirmed(
            N_("Please confirm that you may use these pictures. Without that none is kept."), field="rights"
        )
    if len(files) > MOST:
        raise PicturesUnusable(
            N_("These are %(count)s pictures. Please choose the best %(most)s."),
            count=len(files),
            most=MOST,
            field="pictures",
        )
    usable: list[bytes] = []
    refused: list[Refused] = []
    seen: list[Image.Image] = []
    for number, content in enumerate(files, 1):
        try:
            jpeg = _jpeg(content)
            seen.append(_new_sketch(jpeg, seen))
            usable.append(jpeg)
        except pictures.PictureUnusable as error:
            refused.append(Refused(number, error))
    if len(usable) < LEAST:
        raise PicturesUnusable(
            N_("A look needs at least %(least)s pictures, and %(usable)s can be used. Nothing was kept."),
            tuple(refused),
            least=LEAST,
            usable=len(usable),
            field="pictures",
        )
    return Readable(tuple(usable), tuple(refused))


def _jpeg(content: bytes) -> bytes:
    with _one_at_a_time:
        jpeg = pictures.jpeg(content, LARGEST_SIDE)
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        short, long = sorted(picture.size)
    if long > _LONGEST * short:
        raise pictures.PictureUnusable(
            N_("This picture is more than three times as long as wide. Please cut it to the portrait.")
        )
    if short < SMALLEST_SIDE:
        raise pictures.PictureUnusable(
            N_("This picture is less than %(least)s pixels wide or high."), least=SMALLEST_SIDE
        )
    return jpeg


def _new_sketch(jpeg: bytes, seen: Sequence[Image.Image]) -> Image.Image:
    """Return a picture's sketch, if there is something to learn from it that `seen` does not show already."""
    drawn = pictures.sketch(jpeg)
    if pictures.is_flat(drawn):
        raise pictures.PictureUnusable(N_("There is nothing to see in this picture."))
    if any(pictures.is_same(drawn, one) for one in seen):
        raise pictures.PictureUnusable(N_("This is the same picture as one before it."))
    return drawn
