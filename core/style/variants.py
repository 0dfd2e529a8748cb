"""What a company lets its people choose beside its own look: a closer crop, another colour behind them, small edits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from core.style.framing import LARGEST_HEAD
from core.style.spec import SolidBackdrop, StyleSpec

# Codes of a gate report's notes.
CLOSER: Final = "variant_closer"
WIDER: Final = "variant_wider"
LIGHTER: Final = "variant_lighter"
DARKER: Final = "variant_darker"
TO_LEFT: Final = "variant_left"
TO_RIGHT: Final = "variant_right"
OTHER_BACKDROP: Final = "variant_backdrop"
# What people may ask for. Heads that differ by more are seen beside each other (docs/sources.md, Gates of a team).
EDIT_SIZE: Final = 0.06  # of the head's height
EDIT_STOPS: Final = 1 / 3  # as cameras correct an exposure by
EDIT_ASIDE: Final = (
    0.04  # of the frame's width; two thirds of what a photo that ends at the side is moved by at most
)
_LIGHT: Final = 0.4  # stops from the neutral level, as far as a style goes


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a headshot may differ from the style.

    Attributes:
        closer: Fraction by which the head is larger; below 0 smaller.
        lighter: Stops; below 0 darker.
        color: Of a plain backdrop, #rrggbb; empty for the style's own.
        aside: Fraction of the frame's width by which the head is further right; below 0 further left.
    """

    closer: float = 0.0
    color: str = ""
    lighter: float = 0.0
    aside: float = 0.0

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what differs, as stable codes."""
        said = {
            CLOSER: self.closer > 0,
            WIDER: self.closer < 0,
            LIGHTER: self.lighter > 0,
            DARKER: self.lighter < 0,
            TO_LEFT: self.aside < 0,
            TO_RIGHT: self.aside > 0,
            OTHER_BACKDROP: bool(self.color),
        }
        return tuple(code for code, holds in said.items() if holds)

    def applied(self, style: StyleSpec) -> StyleSpec:
        """Return the style that a picture of this variant has to match; no style puts a head aside, which the finisher does."""
        changes: dict[str, object] = {}
        if self.closer:
            height = min(style.crop.head_height * (1 + self.closer), LARGEST_HEAD)
            changes["crop"] = style.crop.model_copy(update={"head_height": height})
        if self.lighter:
            exposure = max(-_LIGHT, min(_LIGHT, style.light.exposure + self.lighter))
            changes["light"] = style.light.model_copy(update={"exposure": exposure})
        if self.color:
            own = style.backdrop
            changes["backdrop"] = SolidBackdrop(color=self.color, contact=own.contact, grain=own.grain)
        return style.model_copy(update=changes)


def variants_of(style: StyleSpec) -> list[Variant]:
    """Return what differs in one thing first, then what differs in both; nothing where a style allows nothing."""
    allowed = style.variants
    closer = [Variant(closer=allowed.closer)] if allowed.closer else []
    colors = [Variant(color=color) for color in allowed.colors]
    both = [Variant(allowed.closer, color) for color in allowed.colors] if closer else []
    return [*closer, *colors, *both]


def is_house_look(notes: Collection[str]) -> bool:
    """Whether a gate report's notes are of a headshot in the style itself, of which an edit can be asked."""
    return {CLOSER, WIDER, LIGHTER, DARKER, TO_LEFT, TO_RIGHT, OTHER_BACKDROP}.isdisjoint(notes)
