"""The sign of a shot, by which it is known again however it was cropped or saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

PLACES: Final = 13  # beside and below the head
UNKNOWN: Final = None  # a place beyond the frame
FEWEST: Final = (
    2  # shots of a person whose face a model makes: one to work from, one to check the result with
)

# Bits of 64. The same shot, cropped, brightened, made smaller and compressed again, differs by up to 6, two
# frames of a film a second apart by 4, another moment of the same person in the same light by 8 and more.
_SAME_FACE: Final = 7
# Mean ΔE76 of the places that both show. Copies have up to 1.3, a quarter brighter or darker up to 12; two occasions
# have 28 and more.
_SAME_PLACE: Final = 18.0
_ENOUGH: Final = 4  # places; fewer decide nothing

Lab = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shot:
    """What is compared.

    Attributes:
        face: 64 bits of the face's details.
        around: CIE L*a*b* of each place as it differs from the face's own; `UNKNOWN` beyond the frame; empty where it
            was never measured.
    """

    face: int
    around: tuple[Lab | None, ...] = ()

    def __str__(self) -> str:
        """Return it as hex digits: 16 of the face, then six a place."""
        places = "".join(
            "ffffff" if one is None else "".join(f"{part + 127:02x}" for part in one) for one in self.around
        )
        return f"{self.face:016x}{places}"

    @classmethod
    def read(cls, sign: str) -> Shot:
        """Return it from its hex digits."""
        face, rest = int(sign[:16], 16), bytes.fromhex(sign[16:])
        triples = (rest[at : at + 3] for at in range(0, len(rest), 3))
        around = tuple(
            None if one == b"\xff\xff\xff" else (one[0] - 127, one[1] - 127, one[2] - 127) for one in triples
        )
        return cls(face, around)

    def apart(self, other: Shot) -> float | None:
        """Return how far the surroundings are from each other's, ΔE76; `None` where too little is seen of both."""
        both = [
            (one, two)
            for one, two in zip(self.around, other.around, strict=False)
            if one is not None and two is not None
        ]
        if len(both) < _ENOUGH:
            return None
        return sum(math.dist(one, two) for one, two in both) / len(both)


def same_shot(one: str, other: str) -> bool:
    """Say whether two signs stand for the same shot: the face lies alike, and so does what is around it."""
    first, second = Shot.read(one), Shot.read(other)
    if (first.face ^ second.face).bit_count() > _SAME_FACE:
        return False
    apart = first.apart(second)
    return apart is None or apart <= _SAME_PLACE


def by_shot(signs: Sequence[str | None]) -> list[list[int]]:
    """Return places of photos, those of one shot together, in the order given; a photo without a sign is one of its own."""
    shots: list[list[int]] = []
    for place, sign in enumerate(signs):
        alike = (shot for shot in shots if any(_alike(sign, signs[one]) for one in shot))
        shot = next(alike, None)
        if shot is None:
            shots.append([place])
        else:
            shot.append(place)
    return shots


def _alike(one: str | None, other: str | None) -> bool:
    return one is not None and other is not None and same_shot(one, other)
