"""What a person's made faces are held against: photos that the model never saw, the rest of them, and colleagues.

Every encoder in use has a scale of its own, with limits of its own: a face passes by all of them or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Final

import numpy as np

from core.consent import ValidConsent
from workers.vision.encoder import Encoder, encoders
from workers.vision.geometry import Face, Pixels
from workers.vision.likeness import Embedding, distance, embed
from workers.vision.resemblance import detail, resemblance
from workers.vision.shape import Shape, shape
from workers.vision.upright import Grey

# Correlation of fine detail. The same photo made smaller, mirrored, darkened, blurred, with noise, another
# light or a jaw 8 % wider has 0.96 and more, with its eyes 6 % apart 0.79 and more; different photos of one
# person have up to 0.55, of two people up to 0.61.
SAME_PICTURE: Final = 0.75
_ABOVE_OWN: Final = 0.1  # beyond what different photos of the person have
_SHARE_OF_OWN: Final = 0.5  # of how much nearer own photos are than a colleague's


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """What of a face a made one is compared by. Identifies a person: memory only."""

    embedding: Embedding
    shape: Shape
    detail: Grey


def features(pixels: Pixels, face: Face, consent: ValidConsent) -> Features:
    """Measure a face for comparison.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: The person.
        consent: Must cover `likeness`.

    Raises:
        ConsentRequired: it does not.
    """
    return Features(embed(pixels, face, consent, by_all=True), shape(face), detail(pixels, face))


@dataclass(frozen=True, eq=False)
class Scale:
    """What one encoder says of a person's own photos, and the limits that follow from it.

    Attributes:
        used: The encoder.
        held_out: Photos that the model never saw, one of each shot.
        own: All of them, one of each shot.
        colleagues: Photos of other people, a group for each, as far as this encoder has seen them.
    """

    used: Encoder
    held_out: Sequence[Embedding]
    own: Sequence[Embedding]
    colleagues: Sequence[Sequence[Embedding]] = ()

    def to(self, one: Embedding, others: Sequence[Embedding]) -> float:
        """Return the mean distance of a face to photos, of which there must be one."""
        return float(np.mean([distance(one, other, self.used.id) for other in others]))

    def to_held_out(self, one: Embedding) -> float:
        """Return the mean distance to the photos that the model never saw, but for the face itself."""
        return self.to(one, [other for other in self.held_out if other is not one])

    def to_colleagues(self, one: Embedding, but: Sequence[int] = ()) -> float | None:
        """Return the distance to the nearest colleague, by the mean of their photos, as one's own are counted.

        Args:
            one: The face.
            but: Places of colleagues who are left out.

        Returns:
            `None` where nobody is left.
        """
        return min(
            (
                self.to(one, photos)
                for place, photos in enumerate(self.colleagues)
                if photos and place not in but
            ),
            default=None,
        )

    @cached_property
    def left_out(self) -> list[tuple[Embedding, float]]:
        """Each own photo and how far it is from the rest, measured as a made face is: mean to the held-out ones."""
        return [
            (one, self.to_held_out(one))
            for one in self.own
            if any(other is not one for other in self.held_out)
        ]

    @cached_property
    def furthest(self) -> float:
        """The limit of the distance to the held-out photos, for this person.

        As far as the furthest of their own photos, each left out and measured as a made face is, and a little more,
        because a light or a look that the photos lack is no other person. Pairs of photos say something else: a
        mean to several photos spreads less than single pairs do, so a limit from pairs lets more of somebody else
        through. Never more than `Limits.furthest`, however unlike the photos are to each other, and never less than
        `Limits.strictest`, however alike, as photos of one afternoon are. One photo says nothing: the strictest.
        """
        limits = self.used.limits
        own = max((far for _, far in self.left_out), default=0.0) + limits.beyond_own
        return float(np.clip(own, limits.strictest, limits.furthest))

    def nearer(self, but: Sequence[int] = ()) -> float:
        """Return the limit of how much nearer a made face must be to its owner than to any colleague."""
        margins = [
            away - far
            for one, far in self.left_out
            for away in [self.to_colleagues(one, but)]
            if away is not None
        ]
        most = self.used.limits.nearer
        return float(np.clip(_SHARE_OF_OWN * min(margins), 0.0, most)) if margins else most

    @cached_property
    def same_face(self) -> float:
        """The distance below which a face is nearer to one photo than own photos ever are to each other."""
        pairs = [distance(one, other, self.used.id) for one, other in combinations(self.own, 2)]
        return min(pairs, default=self.used.limits.same_face)


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What a person's made faces are held against.

    Attributes:
        held_out: Key → photo that the model never saw.
        trained: Key → photo that it was trained on or shown.
        colleagues: Faces of the other people in the company whose consent to `likeness` stands, a group of photos for
            each; whose they are is not needed and not kept.
    """

    held_out: Mapping[str, Features]
    trained: Mapping[str, Features]
    colleagues: Sequence[Sequence[Embedding]] = ()

    @cached_property
    def scales(self) -> tuple[Scale, ...]:
        """One for each encoder in use."""
        apart = [one.embedding for one in _shots(self.held_out.values())]
        own = [one.embedding for one in self._own]
        return tuple(
            Scale(
                used,
                apart,
                own,
                [[one for one in group if used.id in one.numbers] for group in self.colleagues],
            )
            for used in encoders()
        )

    @cached_property
    def _own(self) -> list[Features]:
        """The person's photos, one of each shot."""
        return _shots([*self.held_out.values(), *self.trained.values()])

    @cached_property
    def look_alikes(self) -> tuple[int, ...]:
        """The places of colleagues of whom a photo could be this person's, so that the check cannot tell them apart.

        That is one as near as the most lenient limit of any person: photos of one person are that far apart as well.
        """
        if not self.held_out:
            return ()
        return tuple(
            place for place, group in enumerate(self.colleagues) if any(self._could_be(one) for one in group)
        )

    def _could_be(self, one: Embedding) -> bool:
        """Whether no encoder that has seen a face can say that it is not this person's."""
        seen = [scale for scale in self.scales if scale.used.id in one.numbers]
        return bool(seen) and all(scale.to_held_out(one) <= scale.used.limits.furthest for scale in seen)

    @cached_property
    def same_picture(self) -> float:
        """The correlation of detail above which a face is drawn like one photo, and no two own ones are."""
        alike = [resemblance(one.detail, other.detail) for one, other in combinations(self._own, 2)]
        return max(SAME_PICTURE, max(alike, default=0.0) + _ABOVE_OWN)

    @property
    def shapes(self) -> list[Shape]:
        """The proportions that the person's photos show."""
        return [one.shape for one in self._own]


def _shots(photos: Iterable[Features]) -> list[Features]:
    """Return one photo of each shot: the same one twice would make the photos seem alike."""
    shots: list[Features] = []
    for one in photos:
        if all(resemblance(one.detail, other.detail) < SAME_PICTURE for other in shots):
            shots.append(one)
    return shots
