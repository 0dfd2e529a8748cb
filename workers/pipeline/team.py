"""The whole team at once: how alike the portraits are, and two sheets that show it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict

from core.checks.report import GateReport
from core.style.spec import Crop
from workers.vision.geometry import Pixels

_TILE: Final = 420  # px, a portrait on the sheet
_SMALL: Final = 200  # px, the photo it came from, beside it
_BESIDE: Final = 14  # px between the two
_GAP: Final = 28
_MARGIN: Final = 64
_CAPTION: Final = 58
MOST: Final = 60  # people on a sheet: twelve rows, and 60 MB of pixels; more than that nobody compares by eye
_ABREAST: Final = 6  # headshots in one row of the alignment sheet
_STRIP: Final = 40  # px under each headshot, for the name
_NAME: Final = 34  # letters that fit under a headshot
_COLUMNS: Final = (0, 420, 560, 700)  # px, where the table's columns begin
_TABLE: Final = 1180  # px, width of the table
_LINE: Final = 34
_GUIDE: Final = (214, 64, 72)
_HEADING: Final = ("Over the whole team", "average", "spread", "farthest off")
# Figure, what it is called, by what it is multiplied, and how it is written.
_SHOWN: Final[tuple[tuple[str, str, float, str], ...]] = (
    ("eye_line_fraction", "Eye line, from the top", 100, "{:z.1f} %"),
    ("head_height_fraction", "Head height", 100, "{:z.1f} %"),
    ("hair_gap_fraction", "Gap above the hair", 100, "{:z.1f} %"),
    ("roll_degrees", "Tilt", 1, "{:z.1f}°"),
    ("side_light_stops", "Light between the halves of the face", 1, "{:z.2f} stops"),
    ("backdrop_delta_e", "Backdrop off the style, CIEDE2000", 1, "{:z.2f}"),
    ("skin_ita_source_degrees", "Complexion off the photo", 1, "{:z.1f}° ITA"),
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
    """How far a team's portraits lie apart; docs/sources.md, Gates of a team names what a studio should reach."""

    model_config = ConfigDict(frozen=True)

    people: int
    eye_line_sd_percent: float  # of frame height; 0.4 or less is wanted
    head_height_sd_percent: float  # of frame height; 3 % of the head's height or less is wanted
    roll_max_degrees: float  # 0.7 or less is wanted
    backdrop_delta_e_max: float  # median of each portrait's corners, worst portrait; 1 or less is wanted
    side_light_sd_stops: float  # half of the photos' own or less is wanted
    spreads: dict[str, Spread] = {}  # by the name of the gates' figure


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One person on the sheets: as large as they show it, so that a whole team fits into memory."""

    person: str
    before: Pixels
    after: Pixels

    @classmethod
    def of(cls, person: str, photo: Pixels, headshot: Pixels) -> Pair:
        """Reduce a photo and its headshot to what the sheets show."""
        height, width = headshot.shape[:2]
        after = Image.fromarray(headshot).resize(
            (_TILE, round(_TILE * height / width)), Image.Resampling.LANCZOS
        )
        return cls(person, np.asarray(_cover(photo, _SMALL)), np.asarray(after))


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


def contact_sheet(pairs: Sequence[Pair], title: str, people: int | None = None) -> Pixels:
    """Draw everybody, the photo small and the headshot large.

    Args:
        pairs: `MOST` at most.
        title: Above them.
        people: How many the team has, where these are not all.

    Returns:
        uint8, height × width × 3, sRGB.
    """
    columns = _columns(len(pairs))
    rows = -(-len(pairs) // columns)
    wide = _SMALL + _BESIDE + _TILE
    width = 2 * _MARGIN + columns * wide + (columns - 1) * _GAP
    cell = _TILE + _CAPTION
    head = 84
    height = 2 * _MARGIN + head + rows * cell + (rows - 1) * _GAP
    sheet = Image.new("RGB", (width, height), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, _MARGIN - 6), title, fill=_INK, font=_font(34))
    draw.text(
        (_MARGIN, _MARGIN + 40),
        f"{_counted(len(pairs), people)} · the photo, and the headshot",
        fill=_FAINT,
        font=_font(18),
    )
    for index, pair in enumerate(pairs):
        x = _MARGIN + (index % columns) * (wide + _GAP)
        y = _MARGIN + head + (index // columns) * (cell + _GAP)
        _draw(sheet, pair, x, y)
    return np.asarray(sheet)


def alignment_sheet(pairs: Sequence[Pair], figures: TeamFigures, crop: Crop) -> Pixels:
    """Draw the headshots side by side with the style's lines for crown, eyes and chin across all of them.

    Whoever does not match is seen at once; below stand each figure's mean, spread and worst person, of the
    whole team, whoever of it is shown.

    Args:
        pairs: `MOST` at most.
        figures: Of the whole team.
        crop: The style's.

    Returns:
        uint8, height × width × 3, sRGB.
    """
    columns = min(len(pairs), _ABREAST)
    rows = -(-len(pairs) // columns)
    tile_height = round(_TILE / crop.aspect)
    cell = tile_height + _STRIP + _GAP
    table = [
        _row(figures.spreads[name], label, factor, form)
        for name, label, factor, form in _SHOWN
        if name in figures.spreads
    ]
    width = 2 * _MARGIN + max(columns * (_TILE + _GAP) - _GAP, _TABLE)
    top = _MARGIN + rows * cell
    sheet = Image.new("RGB", (width, top + _LINE * (len(table) + 1) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    for index, pair in enumerate(pairs):
        x, y = _MARGIN + (index % columns) * (_TILE + _GAP), _MARGIN + (index // columns) * cell
        after = Image.fromarray(pair.after).resize((_TILE, tile_height), Image.Resampling.LANCZOS)
        sheet.paste(after, (x, y))
        draw.text((x, y + tile_height + 10), _shortened(pair.person), fill=_INK, font=_font(20))
    for row in range(rows):
        y = _MARGIN + row * cell
        right = _MARGIN + min(columns, len(pairs) - row * columns) * (_TILE + _GAP) - _GAP
        for name, share in (
            ("crown", crop.eye_line - crop.head_height / 2),
            ("eyes", crop.eye_line),
            ("chin", crop.eye_line + crop.head_height / 2),
        ):
            level = y + share * tile_height
            draw.line((_MARGIN, level, right, level), fill=_GUIDE, width=2)
            draw.text((_MARGIN - 6, level), name, fill=_GUIDE, font=_font(16), anchor="rm")
    for index, line in enumerate([_HEADING, *table]):
        for text, left in zip(line, _COLUMNS, strict=True):
            ink = _INK if index else _FAINT
            draw.text((_MARGIN + left, top + index * _LINE), text, fill=ink, font=_font(20))
    return np.asarray(sheet)


def _row(spread: Spread, label: str, factor: float, form: str) -> tuple[str, str, str, str]:
    def said(value: float) -> str:
        return form.format(factor * value)

    return (
        label,
        said(spread.mean),
        said(spread.sd),
        f"{said(spread.worst_value)}, {_shortened(spread.worst)}",
    )


def _shortened(name: str, most: int = _NAME) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"


def _counted(shown: int, people: int | None) -> str:
    if people is not None and people > shown:
        return f"the first {shown} of {people} people"
    return "1 person" if shown == 1 else f"{shown} people"


def _columns(count: int) -> int:
    return max(1, min(count, 5, round((count * 1.5) ** 0.5) if count > 3 else count))


def _draw(sheet: Image.Image, pair: Pair, x: int, y: int) -> None:
    """Draw the photo beside the headshot: on it, it would hide a shoulder or an edge."""
    before, after = _cover(pair.before, _SMALL), _cover(pair.after, _TILE)
    sheet.paste(before, (x, y + _TILE - _SMALL), _rounded(_SMALL, 10))
    left = x + _SMALL + _BESIDE
    sheet.paste(after, (left, y), _rounded(_TILE, 18))
    draw = ImageDraw.Draw(sheet)
    draw.text((left, y + _TILE + 14), _shortened(pair.person), fill=_INK, font=_font(20))


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


@cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return DejaVu Sans where the machine has it: Pillow's own font has no letter beyond ASCII."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)
