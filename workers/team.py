"""The whole team at once: how alike the portraits are, and one sheet that shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from pydantic import BaseModel, ConfigDict

from workers.gates import GateReport
from workers.vision.geometry import Pixels

_TILE: Final = 420  # px, a portrait on the sheet
_SMALL: Final = 150  # px, the photo it came from
_GAP: Final = 28
_MARGIN: Final = 56
_CAPTION: Final = 58
_PAPER: Final = (250, 250, 249)
_INK: Final = (28, 30, 34)
_FAINT: Final = (112, 117, 125)


class TeamFigures(BaseModel):
    """How far a team's portraits lie apart; facts/ml.md §5 names what a studio should reach."""

    model_config = ConfigDict(frozen=True)

    people: int
    eye_line_sd_percent: float  # of frame height; 0.7 or less is wanted
    head_height_sd_percent: float  # of frame height; 1.5 or less is wanted
    roll_max_degrees: float  # 1 or less is wanted
    backdrop_delta_e_max: float  # median of each portrait's corners, worst portrait; 1 or less is wanted
    side_light_sd_stops: float  # 0.15 × log2(e)… in stops; lower is more even


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One person on the sheet."""

    person: str
    before: Pixels
    after: Pixels


def team_figures(reports: Sequence[GateReport]) -> TeamFigures:
    """Compute the spread over the portraits that were delivered."""

    def values(name: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.array([report.figures[name] for report in reports if name in report.figures] or [0.0])

    return TeamFigures(
        people=len(reports),
        eye_line_sd_percent=round(100 * float(values("eye_line_fraction").std()), 3),
        head_height_sd_percent=round(100 * float(values("head_height_fraction").std()), 3),
        roll_max_degrees=round(float(np.abs(values("roll_degrees")).max()), 2),
        backdrop_delta_e_max=round(float(values("backdrop_delta_e").max()), 3),
        side_light_sd_stops=round(float(values("side_light_stops").std()), 3),
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
