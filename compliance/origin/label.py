"""The visible label: what a picture that an image model made says of itself to people (AI Act, Art. 50(4)).

A company switches it on; nobody else's pictures have it, and what the studio edits never has.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# By language, what an image model did to the picture; the first of each is drawn where there is room for it.
_WORDS: Final = {
    "en": {"diffusion": ("AI-generated", "AI"), "wardrobe": ("AI-edited", "AI")},
    "de": {"diffusion": ("KI-generiert", "KI"), "wardrobe": ("KI-bearbeitet", "KI")},
}


@dataclass(frozen=True, slots=True)
class Label:
    """What may be written into a picture: each says enough, the first is the longest."""

    words: tuple[str, ...]


def label_of(engine: str, language: str) -> Label | None:
    """Return the label of what `engine` makes; `None` for pictures that no image model made.

    Args:
        engine: As for `Making.of_headshot`.
        language: The company's; another than those there are is English.
    """
    words = _WORDS.get(language, _WORDS["en"]).get(engine)
    return None if words is None else Label(words)
