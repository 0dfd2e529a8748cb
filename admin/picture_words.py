"""What was measured on a picture, in plain words for whoever looks after a company's headshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask_babel import format_decimal
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.checks.sureness import Sureness, mixed_of_ten
from core.portraits.reviews import Sort
from core.words import fill

# Label, factor from the gate's unit to the page's, unit of the page.
FIGURES: Final[dict[str, tuple[Any, float, Any]]] = {
    "edge": (_l("Rim of the old background"), 1, ""),
    "cut": (_l("Where the outline is unsure, of the head’s size"), 1, "%"),
    "sharpness": (_l("Sharpness"), 1, ""),
    "resolution": (_l("Pixels of the photo for each of the picture"), 1, ""),
    "eye_line": (_l("Height of the eyes, off the style"), 100, "%"),
    "head_height": (_l("Size of the head, off the style"), 100, "%"),
    "roll": (_l("Tilt of the head"), 1, "°"),
    "backdrop": (_l("Background, difference in colour"), 1, "ΔE"),
    "light": (_l("Light on the left and right, off the style"), 1, _l("stops")),
    "skin_delta_e": (_l("Skin tone against the photos, difference in colour"), 1, "ΔE"),
    "skin_ita": (_l("Skin tone against the photos, difference in shade"), 1, "°"),
}
QUESTIONS: Final[tuple[tuple[Any, tuple[str, ...]], ...]] = (
    (_l("Cleanly cut out, down to the hair"), ("edge", "cut")),
    (_l("Sharp"), ("sharpness",)),
    (_l("Head placed as on the team’s pictures"), ("eye_line", "head_height", "roll")),
    (_l("Light and background of the style"), ("backdrop", "light")),
    (_l("Skin tone as in the photos"), ("skin_delta_e", "skin_ita")),
    (_l("None of the faults that image models make"), ("mesh", "eyes", "noise", "lettering")),
)
SORTS: Final[dict[Sort, Any]] = {
    Sort.WORST: _l("Nearest to any limit"),
    Sort.EDGE: _l("Outline and rim"),
    Sort.STYLE: _l("Off the style"),
    Sort.SHARPNESS: _l("Sharpness"),
    Sort.WAITING: _l("Waiting longest"),
}


def sure(said: Sureness | None) -> str:
    """Return how sure the check of a made face is; empty where nothing has to be said."""
    known: dict[Sureness | None, str] = {
        Sureness.TOLD_BY_ONE: _(
            "An image model made this face. Of 10 faces that are one third somebody else, the check that it is this "
            "person’s lets about %(number)s through, and more where the two are alike, so their own yes is what counts.",
            number=mixed_of_ten(),
        ),
        Sureness.UNKNOWN: _(
            "An image model made this face. The check that it is this person’s tells strangers apart, and often not "
            "people who look alike, so their own yes is what counts."
        ),
    }
    return known.get(said, "")


@dataclass(frozen=True)
class Finding:
    """What was asked of a picture, and whether it is so; `None` where it was not measured."""

    label: Any
    good: bool | None


@dataclass(frozen=True)
class Figure:
    """One figure with the limit that it was held against."""

    label: Any
    value: str
    limit: str
    share: float  # of the limit; 1 is at it


Measured = Mapping[str, Mapping[str, Any]]


def findings(measured: Measured) -> list[Finding]:
    """Return what was asked of a picture; what does not apply to it is left out."""
    found = []
    for label, names in QUESTIONS:
        answers = [measured[name].get("passed") for name in names if name in measured]
        if answers:
            found.append(Finding(label, None if None in answers else all(answers)))
    return found


def figures(measured: Measured) -> list[Figure]:
    """Return the figures behind the findings."""
    found = []
    for name, (label, factor, unit) in FIGURES.items():
        gate = measured.get(name, {})
        value, limit = gate.get("value"), gate.get("limit")
        if value is None or not limit:
            continue
        least = bool(gate.get("at_least"))
        share = limit / max(value, 1e-9) if least else abs(value) / limit
        sentence = _("%(value)s at least") if least else _("%(value)s at most")
        said = fill(sentence, {"value": _figure(limit * factor, unit)})
        found.append(Figure(label, _figure(value * factor, unit), said, share))
    return found


def nearest(measured: Measured) -> Figure | None:
    """Return the figure that is nearest to its limit."""
    return max(figures(measured), key=lambda one: one.share, default=None)


def _figure(value: float, unit: Any) -> str:
    gap = "\u00a0" if unit and unit != "°" else ""
    return f"{format_decimal(value, format='0.0#')}{gap}{unit}"
