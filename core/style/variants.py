"""What a company lets its people choose beside its own look: a closer crop, another colour behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from core.style.framing import LARGEST_HEAD
from core.style.spec import SolidBackdrop, StyleSpec

# Codes of a gate report's notes.
CLOSER: Final = "variant_closer"
OTHER_BACKDROP: Final = "variant_backdrop"


@dataclass(frozen=True, slots=True)
class Variant:
    """One way in which a headshot may differ from the style.

    Attributes:
        closer: Fraction by which the head is larger.
        color: Of a plain backdrop, #rrggbb; empty for the style's own.
    """

    closer: float = 0.0
    color: str = ""

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what differs, as stable codes."""
        return (*((CLOSER,) if self.closer else ()), *((OTHER_BACKDROP,) if self.color else ()))

    def applied(self, style: StyleSpec) -> StyleSpec:
        """Return the style that a picture of this variant has to match."""
        changes: dict[str, object] = {}
        if self.closer:
            height = min(style.crop.head_height * (1 + self.closer), LARGEST_HEAD)
            changes["crop"] = style.crop.model_copy(update={"head_height": height})
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
