"""Does it still look like the person: numbers that stand for a face, and how far two of them are apart."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.consent import Purpose, ValidConsent
from workers.vision.dlib_encoder import DlibEncoder
from workers.vision.encoder import Limits, Numbers, encoder
from workers.vision.geometry import Face, Pixels

_DIGITS: Final = 6  # of the numbers that are kept: float32 has no more


class OtherEncoder(ValueError):
    """Numbers of two encoders were to be compared, which means nothing."""


@dataclass(frozen=True, slots=True, eq=False)
class Embedding:
    """The numbers that stand for a face. They identify a person: in memory only, or sealed.

    Attributes:
        numbers: float64, one vector.
        encoder: The id of what made them.
    """

    numbers: Numbers
    encoder: str

    @property
    def is_current(self) -> bool:
        """Whether the encoder in use made them, so that they can be compared with what it makes."""
        return self.encoder == encoder().id

    def to_bytes(self) -> bytes:
        """Return what is sealed: the built-in encoder's numbers alone, another's with its id."""
        numbers = [round(float(number), _DIGITS) for number in self.numbers]
        plain = self.encoder == DlibEncoder.id
        return json.dumps(numbers if plain else {"encoder": self.encoder, "numbers": numbers}).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Embedding:
        """Read what was sealed, by whichever encoder."""
        kept = json.loads(content)
        numbers, made_by = (
            (kept, DlibEncoder.id) if isinstance(kept, list) else (kept["numbers"], kept["encoder"])
        )
        return cls(np.asarray(numbers, np.float64), made_by)


def embed(pixels: Pixels, face: Face, consent: ValidConsent) -> Embedding:
    """Compute the numbers that stand for this face.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: Which face.
        consent: Must cover `likeness`.

    Raises:
        ConsentRequired: it does not.
        ConfigurationError: the encoder of the settings cannot be used.
    """
    consent.demand(Purpose.LIKENESS)
    used = encoder()
    return Embedding(used.numbers(pixels, face), used.id)


def limits() -> Limits:
    """Return the distances that belong to the encoder in use."""
    return encoder().limits


def distance(one: Embedding, other: Embedding) -> float:
    """Euclidean distance: 0 the same picture, below `limits().same_person` the same person.

    Raises:
        OtherEncoder: they were made by two encoders.
    """
    if one.encoder != other.encoder:
        raise OtherEncoder("numbers of two encoders cannot be compared")
    return float(np.linalg.norm(one.numbers - other.numbers))


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
