"""What turns a face into numbers that identify it, and the limits that belong to them.

Built in is dlib's ResNet v1; `HEADSHOTS_LIKENESS_MODEL` names a second one, which is asked beside it and never instead: a
face that a model made has to pass by both, and what fools one seldom fools the other. A person's photos are told from
other people's by the built-in one alone: there it is strangers that matter, who are far apart, its limits were measured
on photos, and an answer that somebody gave about a photo must not depend on what an operator put beside it.

A distance means something between numbers of one encoder only, so each keeps its own limits and its id stays with the
numbers.
"""

from __future__ import annotations

from functools import cache
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from core.settings import vision_settings
from workers.vision.geometry import Face, Pixels

Numbers = NDArray[np.float64]


class Limits(BaseModel):
    """Distances of one encoder. What a side file leaves out lies at the same share of `same_person` as dlib's.

    Attributes:
        same_person: Two photos below it show one person.
        most_pairs: 95 % of the pairs of one person's photos are below; no limit for a retouched photo is stricter.
        margin: Beyond the person's own photos, of a photo that was retouched.
        furthest: From the person's held-out photos, of a face that a model made, at most.
        strictest: The same limit at least, however alike a person's photos are.
        beyond_own: Beyond the person's own photos, each left out and measured alike, of the same.
        nearer: By which such a face must be nearer to its person than to a colleague, at most.
        same_face: Below it two pictures of a face are copies of one.
        source: Where the first two come from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    same_person: float = Field(gt=0, le=2)
    most_pairs: float = Field(gt=0, le=2)
    margin: float = Field(0, ge=0)
    furthest: float = Field(0, ge=0)
    strictest: float = Field(0, ge=0)
    beyond_own: float = Field(0, ge=0)
    nearer: float = Field(0, ge=0)
    same_face: float = Field(0, ge=0)
    source: str = Field("", max_length=200)

    @model_validator(mode="after")
    def _whole(self) -> Limits:
        if self.most_pairs > self.same_person:
            raise ValueError("most_pairs has to be at most same_person")
        missing = {
            name: share * self.same_person for name, share in _SHARES.items() if not getattr(self, name)
        }
        return self.model_copy(update=missing) if missing else self


# Of `same_person`: where dlib's limits lie, which were measured (`workers.vision.dlib_encoder`). Judgement for others.
_SHARES: Final = {
    "margin": 1 / 6,
    "furthest": 5 / 6,
    "strictest": 3 / 5,
    "beyond_own": 1 / 12,
    "nearer": 1 / 3,
    "same_face": 5 / 12,
}


class Encoder(Protocol):
    """Turns faces into numbers."""

    @property
    def id(self) -> str:
        """Stands for everything that the numbers depend on; others are not compared with these."""

    @property
    def title(self) -> str:
        """Which it is, for the operator."""

    @property
    def unit(self) -> str:
        """What its distances are called in a report."""

    @property
    def limits(self) -> Limits:
        """Its distances."""

    def numbers(self, pixels: Pixels, face: Face) -> Numbers:
        """Return the numbers of one face of a picture: uint8, height × width × 3, sRGB."""


def encoders() -> tuple[Encoder, ...]:
    """Return the encoders in use: the built-in one, and the operator's where there is one.

    Raises:
        ConfigurationError: the one in the settings cannot be used.
    """
    path = vision_settings().likeness_model
    if path is None:
        return (built_in(),)
    from workers.vision.identity_model import identity_model

    return built_in(), identity_model(path)


def titles() -> str:
    """Say which they are, for the operator.

    Raises:
        ConfigurationError: the one in the settings cannot be used.
    """
    return " and ".join(one.title for one in encoders())


@cache
def built_in() -> Encoder:
    """Return the encoder that is always there."""
    from workers.vision.dlib_encoder import DlibEncoder

    return DlibEncoder()
