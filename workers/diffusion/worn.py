"""What somebody wears: said in captions, so that it does not become the person, and asked for in prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from pydantic import BaseModel, ConfigDict


class Worn(BaseModel):
    """What somebody wears in a picture, or in most of several."""

    model_config = ConfigDict(frozen=True)

    glasses: bool = False
    clothes: str = ""  # in words; empty where too little of them is seen

    @classmethod
    def mostly(cls, pictures: Sequence[Worn]) -> Worn:
        """Return what most pictures show."""
        clothes = Counter(one.clothes for one in pictures if one.clothes).most_common(1)
        return cls(
            glasses=2 * sum(one.glasses for one in pictures) > len(pictures),
            clothes=clothes[0][0] if clothes else "",
        )


NOTHING_SEEN: Final = Worn()
