"""The whole team at once: how alike the portraits are, and two sheets that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict

from core.style import Crop
from workers.gates import GateReport
from workers.vision.geometry import Pixels

_TILE: Final = 420  # px, a portrait on the sheet
_SMALL: Final = 150  # px, the photo it came from
_GAP: Final = 28
_MARGIN: Final = 56
_CAPTION: Final = 58
_ABREAST: Final = 6  # headshots in one row of the alignment sheet
_TABLE: Final = 900  # px, width of the figures' lines
_LINE: Final = 28
_GUIDE: Final = (214, 64, 72)
_SHOWN: Final = (
    ("eye_line_fraction", "Eye line", "of the height"),
    ("head_height_fraction", "Head height", "of the height"),
    ("roll_degrees", "Tilt", "degrees"),
    ("side_light_stops", "Light between the halves of the face", "stops"),
    ("backdrop_delta_e", "Backdrop off the style", "(CIEDE2000)"),
    ("skin_ita_source_degrees", "Complexion off the photo", "degrees ITA"),
)
_ERRORS: Final = {"backdrop_delta_e", "skin_delta_e_source", "skin_ita_source_degrees", "roll_degrees"}
_PAPER: Final = (250, 250, 249)
_INK: Final = (28, 30, 34)
_FAINT: Final = (112, 117, 125)


class Spread(BaseModel):
    """One figure over the team."""

    model_config = ConfigDict(frozen=True)

    mean: float
    sd: float  # standard deviation
    worst: str  # the person farthest from the mean; of an error, the person with the largest
    worst_value: float


class TeamFigures(BaseModel):
    """How far a team's portraits lie apart; facts/ml.md §5 names what a studio should reach."""

    model_config = ConfigDict(frozen=True)

    people: int
    eye_line_sd_percent: float  # of frame height; 0.4 or less is wanted
    head_height_sd_percent: float  # of frame height; 1.0 or less is wanted
    roll_max_degrees: float  # 0.7 or less is wanted
    backdrop_delta_e_max: float  # median of each portrait's corners, worst portrait; 1 or less is wanted
    side_light_sd_stops: float  # half of the photos' own or less is wanted
    spreads: dict[str, Spread] = {}  # by the name of the gates' figure


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One person on the sheet."""

    person: str
    before: Pixels
    after: Pixels


def team_figures(reports: Mapping[str, GateReport]) -> TeamFigures:
    """Compute the spread over the portraits that were delivered, by person."""
    spreads = {
        name: _spread(
            name, {person: one.figures[name] for person, one in reports.items() if name in one.figures}
        )
        for name in sorted({name for one in reports.values() for name in one.figures})
    }

    def sd(name: str) -> float:
        return spreads[name].sd if name in spreads else 0.0

    def largest(name: str) -> float:
        return max((abs(one.figures.get(name, 0.0)) for one in reports.values()), default=0.0)

    return TeamFigures(
        people=len(reports),
        eye_line_sd_percent=round(100 * sd("eye_line_fraction"), 3),
        head_height_sd_percent=round(100 * sd("head_height_fraction"), 3),
        roll_max_degrees=round(largest("roll_degrees"), 2),
        backdrop_delta_e_max=round(largest("backdrop_delta_e"), 3),
        side_light_sd_stops=round(sd("side_light_stops"), 3),
        spreads=spreads,
    )


def _spread(name: str, values: Mapping[str, float]) -> Spread:
    numbers = np.array(list(values.values()))
    mean = float(numbers.mean())
    # An error is worst where it is largest, a place in the frame where it is farthest from the others'.
    middle = 0.0 if name in _ERRORS else mean
    worst = max(values, key=lambda person: abs(values[person] - middle))
    return Spread(
        mean=round(mean, 4), sd=round(float(numbers.std()), 4), worst=worst, worst_value=values[worst]
    )


def contact_sheet(pairs: Sequence[Pair], title: str) -> Pixels:
    """Draw everybody, the photo small and the headshot large.

    Returns:
        uint8, height × width × 3, sRGB.
    """
    columns = _columns(len(pairs))
    rows = -(-len(pairs) // columns)
    width = 2 * _MARGIN + columns * _TILE + (columns - 1) * _GAP
    cell = _TILE + _CAPTION
    head = 84
    height = 2 * _MARGIN + head + rows * cell + (rows - 1) * _GAP
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - 6), title, fill=_INK, font=_font(34))
    people = "1 person" if len(pairs) == 1 else f"{len(pairs)} people"
    draw.text((_MARGIN, _MARGIN + 40), f"{people} · the photo, and the headshot", fill=_FAINT, font=_font(18))
    for index, pair in enumerate(pairs):
        x = _MARGIN + (index % columns) * (_TILE + _GAP)
        y = _MARGIN + head + (index // columns) * (cell + _GAP)
        _draw(sheet, pair, x, y)
    return np.asarray(sheet)


def alignment_sheet(pairs: Sequence[Pair], figures: TeamFigures, crop: Crop) -> Pixels:
    """Draw the headshots side by side with the style's lines for crown, eyes and chin across all of them.

    Whoever does not match is seen at once; below stand each figure's mean, spread and worst person.

    Returns:
        uint8, height × width × 3, sRGB.
    """
    columns = min(len(pairs), _ABREAST)
    rows = -(-len(pairs) // columns)
    tile_height = round(_TILE / crop.aspect)
    width = max(2 * _MARGIN + columns * _TILE, 2 * _MARGIN + _TABLE)
    top = _MARGIN + rows * (tile_height + _GAP)
    sheet = Image.new("RGB", (width, top + _LINE * (len(_SHOWN) + 1) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, pair in enumerate(pairs):
        x, y = _MARGIN + (index % columns) * _TILE, _MARGIN + (index // columns) * (tile_height + _GAP)
        after = Image.fromarray(pair.after).resize((_TILE, tile_height), Image.Resampling.LANCZOS)
        sheet.paste(after, (x, y))
        draw.text((x + 10, y + tile_height + 2), pair.person[:28], fill=_FAINT, font=_font(16))
    for row in range(rows):
        y = _MARGIN + row * (tile_height + _GAP)
        across = (_MARGIN, _MARGIN + min(columns, len(pairs) - row * columns) * _TILE)
        for share in (
            crop.eye_line - crop.head_height / 2,
            crop.eye_line,
            crop.eye_line + crop.head_height / 2,
        ):
            level = y + share * tile_height
            draw.line((across[0], level, across[1], level), fill=_GUIDE, width=2)
    for index, (name, label, unit) in enumerate(_SHOWN):
        spread = figures.spreads.get(name)
        if spread is not None:
            text = (
                f"{label}: mean {spread.mean:g}, standard deviation {spread.sd:g} {unit}; "
                f"worst: {spread.worst[:28]} with {spread.worst_value:g}"
            )
            draw.text((_MARGIN, top + index * _LINE), text, fill=_INK, font=_font(18))
    return np.asarray(sheet)


def _columns(count: int) -> int:
    return max(1, min(count, 5, round((count * 1.5) ** 0.5) if count > 3 else count))


def _draw(sheet: Image.Image, pair: Pair, x: int, y: int) -> None:
    after = _cover(pair.after, _TILE)
    sheet.paste(after, (x, y), _rounded(_TILE, 18))
    before = _cover(pair.before, _SMALL)
    ring = 5
    frame = Image.new("RGB", (_SMALL + 2 * ring, _SMALL + 2 * ring), _PAPER)
    # The photo sits over the lower left corner, like a print on a contact sheet.
    left, top = x + 14, y + _TILE - _SMALL + 26
    sheet.paste(frame, (left - ring, top - ring), _rounded(_SMALL + 2 * ring, 14))
    sheet.paste(before, (left, top), _rounded(_SMALL, 10))
    draw = ImageDraw.Draw(sheet)
    draw.text((left + _SMALL + 18, y + _TILE + 14), pair.person[:28], fill=_INK, font=_font(22))


def _cover(pixels: Pixels, side: int) -> Image.Image:
    """Cut a square: centred, from the top, where a photo of a person has its head."""
    height, width = pixels.shape[:2]
    square = min(height, width)
    left = (width - square) // 2
    top = min(height - square, round(0.06 * height))
    box = (left, top, left + square, top + square)
    return Image.fromarray(pixels).resize((side, side), Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)


def _rounded(side: int, radius: int) -> Image.Image:
    mask = Image.new("L", (side * 2, side * 2), 0)
    ImageDraw.Draw(mask).rounded_rectangle((0, 0, side * 2 - 1, side * 2 - 1), radius * 2, fill=255)
    return mask.resize((side, side), Image.Resampling.LANCZOS)


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
