"""What pictures for a look have to be, and what of an upload can be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.errors import AppError, InvalidInput
from core.words import N_

LEAST: Final = 5  # fewer teach the people on them instead of the light that they share
MOST: Final = 40  # at 650 steps each is then seen sixteen times; more would be seen too seldom to count
SMALLEST_SIDE: Final = 512  # px; less than this teaches the base to be unsharp
LARGEST_SIDE: Final = 1600  # px; a training picture has at most 1,120


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


def demand(count: int, *, rights: bool) -> None:
    """Refuse an upload of which no picture has to be looked at.

    Args:
        count: of the pictures.
        rights: whether the company may use them and everyone on them agreed.

    Raises:
        RightsUnconfirmed: `rights` was not given.
        PicturesUnusable: too many, or too few whatever they show.
    """
    if not rights:
        raise RightsUnconfirmed(
            N_("Please confirm that you may use these pictures. Without that none is kept."), field="rights"
        )
    if count > MOST:
        raise PicturesUnusable(
            N_("These are %(count)s pictures. Please choose the best %(most)s."),
            count=count,
            most=MOST,
            field="pictures",
        )
    demand_enough(count)


def demand_enough(usable: int, refused: tuple[Refused, ...] = ()) -> None:
    """Refuse so few usable pictures that nothing could be learned; `refused` are the others.

    Raises:
        PicturesUnusable: fewer than `LEAST`.
    """
    if usable < LEAST:
        raise PicturesUnusable(
            N_("A look needs at least %(least)s pictures, and %(usable)s can be used. Nothing was kept."),
            refused,
            least=LEAST,
            usable=usable,
            field="pictures",
        )
