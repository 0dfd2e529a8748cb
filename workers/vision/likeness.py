"""Does it still look like the person: numbers that stand for a face, and how far two of them are apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.consent import Purpose, ValidConsent
from workers.vision.dlib_encoder import DlibEncoder
from workers.vision.encoder import Limits, Numbers, built_in, encoders
from workers.vision.geometry import Face, Pixels

_DIGITS: Final = 6  # of the numbers that are kept: float32 has no more


class OtherEncoder(ValueError):
    """Faces were to be compared by an encoder that has not seen both."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """The numbers that stand for a face. They identify a person: in memory only, or sealed.

    Attributes:
        numbers: Of each encoder that saw the face, by its id: float64, one vector.
    """

    numbers: Mapping[str, Numbers]

    @property
    def is_current(self) -> bool:
        """Whether every encoder in use has seen the face, so that it can be compared with what they see now."""
        return all(one.id in self.numbers for one in encoders())

    def to_bytes(self) -> bytes:
        """Return what is sealed: the built-in encoder's numbers alone as a list, several encoders' by their ids."""
        rounded = {
            key: [round(float(number), _DIGITS) for number in numbers]
            for key, numbers in self.numbers.items()
        }
        plain = list(rounded) == [DlibEncoder.id]
        return json.dumps(rounded[DlibEncoder.id] if plain else {"by": rounded}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Embedding:
        """Read what was sealed, also by releases that knew one encoder only."""
        kept = json.loads(content)
        if isinstance(kept, list):
            kept = {"by": {DlibEncoder.id: kept}}
        elif "by" not in kept:
            kept = {"by": {kept["encoder"]: kept["numbers"]}}
        return cls({key: np.asarray(numbers, np.float64) for key, numbers in kept["by"].items()})


def embed(pixels: Pixels, face: Face, consent: ValidConsent, *, by_all: bool = False) -> Embedding:
    """Compute the numbers that stand for this face.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: Which face.
        consent: Must cover `likeness`.
        by_all: By every encoder in use, as a made face and what it is held against need it; otherwise by the built-in
            one, which is all that photos are told apart by.

    Raises:
        ConsentRequired: it does not.
        ConfigurationError: the encoder of the settings cannot be used.
    """
    consent.demand(Purpose.LIKENESS)
    used = encoders() if by_all else (built_in(),)
    return Embedding({one.id: one.numbers(pixels, face) for one in used})


def limits() -> Limits:
    """Return the distances that photos are held against: the built-in encoder's."""
    return built_in().limits


def distance(one: Embedding, other: Embedding, by: str = DlibEncoder.id) -> float:
    """Euclidean distance: 0 the same picture, below `limits().same_person` the same person.

    Args:
        one: A face.
        other: Another.
        by: The id of the encoder whose numbers are compared; the built-in one's by default.

    Raises:
        OtherEncoder: it has not seen both.
    """
    if by not in one.numbers or by not in other.numbers:
        raise OtherEncoder("a face was not seen by this encoder, so it cannot be compared")
    return float(np.linalg.norm(one.numbers[by] - other.numbers[by]))


def share(made: Embedding, own: Sequence[Embedding]) -> float:
    """Return how near a made face is to its limit: 0 the same picture, 1 as far as the most lenient limit of any person.

    That is the mean distance to the person's photos as a share of `Limits.furthest`, by whichever encoder in use is
    less content.

    Args:
        made: The face.
        own: Photos of the person, at least one.

    Raises:
        OtherEncoder: an encoder in use has not seen one of them.
    """
    return max(
        float(np.mean([distance(made, one, used.id) for one in own])) / used.limits.furthest
        for used in encoders()
    )


def strangers(embeddings: Mapping[str, Embedding]) -> set[str]:
    """Return the photos that may show somebody else than the rest does.

    A photo counts when its mean distance to the others is above `Limits.same_person` while more of the others agree among
    themselves than of those that stand apart: of two people with as many photos each, none says who is the stranger,
    while two different strangers beside two photos of one person do not outweigh these.

    Args:
        embeddings: Photo → `embed`, of one person's photos.
    """
    own = _agreeing(embeddings)
    odd = {key: one for key, one in embeddings.items() if key not in own}
    return set(odd) if len(own) > max(1, len(_agreeing(odd))) else set()


def _agreeing(embeddings: Mapping[str, Embedding]) -> set[str]:
    """Return the photos that are left and agree once whichever is furthest from the rest has gone, again and again."""
    rest = dict(embeddings)
    while len(rest) > 1:
        means = _means(rest)
        furthest = max(means, key=lambda key: means[key])
        if means[furthest] <= limits().same_person:
            return set(rest)
        del rest[furthest]
    return set()


def _means(embeddings: Mapping[str, Embedding]) -> dict[str, float]:
    """Return each photo's mean distance to the others."""
    return {
        key: float(np.mean([distance(one, other) for name, other in embeddings.items() if name != key]))
        for key, one in embeddings.items()
    }
