"""Measure given images against a person's own photos: what `headshots score` prints."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from core.consent import ValidConsent
from core.errors import InvalidInput
from workers.own import Own
from workers.vision import measure
from workers.vision.check import examine
from workers.vision.color import to_linear
from workers.vision.likeness import SAME_PERSON, distance, embed
from workers.vision.skin import skin_tone


class Score(BaseModel):
    """One image's figures; `None` where no single face was found or nothing could be compared."""

    model_config = ConfigDict(frozen=True)

    image: str
    faces: int
    likeness_distance: float | None = None  # mean to the reference photos; the same person below 0.6
    likeness_to: dict[str, float] = {}  # distance to each reference photo, by file name
    likeness_baseline: float | None = (
        None  # what the reference photos have among themselves, leave-one-out mean
    )
    same_person: bool | None = None
    skin_delta_e: float | None = None  # ΔE2000 to the nearest reference photo
    skin_ita_drift_degrees: float | None = None
    eye_line_fraction: float | None = None  # of the height, from the top
    head_height_fraction: float | None = None
    roll_degrees: float | None = None
    side_light_stops: float | None = None
    sharpness_ratio: float | None = None


def score(
    references: Sequence[tuple[str, bytes]], images: Sequence[tuple[str, bytes]], consent: ValidConsent
) -> list[Score]:
    """Measure each image against the reference photos.

    Args:
        references: File name and content of the person's own photos; those with no usable face are left out.
        images: File name and content of what is to be measured.
        consent: Must cover `photo`; without `likeness` the distance is left out.

    Raises:
        InvalidInput: no reference photo shows a usable face.
    """
    own = Own()
    for name, content in references:
        seen = examine(content, consent)
        if seen.verdict.accepted and seen.pixels is not None and seen.face is not None:
            own.add(name, seen.pixels, seen.face, consent)
    if not own.tones:
        raise InvalidInput("None of the reference photos shows one usable face.")
    return [_score(name, content, own, consent) for name, content in images]


def _score(name: str, content: bytes, own: Own, consent: ValidConsent) -> Score:
    seen = examine(content, consent)
    if seen.pixels is None or seen.face is None:
        return Score(image=name, faces=0)
    face, pixels = seen.face, seen.pixels
    result = Score(image=name, faces=1 + len(seen.others))
    likeness, distances = None, {}
    if own.embeddings:
        here = embed(pixels, face, consent)
        distances = {key: distance(here, other) for key, other in own.embeddings.items()}
        likeness = float(np.mean(list(distances.values())))
    baseline = own.baseline()
    drift, turn = own.drift(skin_tone(pixels, face))
    height = pixels.shape[0]
    return result.model_copy(
        update={
            "likeness_distance": None if likeness is None else round(likeness, 4),
            "likeness_to": {key: round(value, 4) for key, value in distances.items()},
            "likeness_baseline": None if baseline is None else round(baseline, 4),
            "same_person": None if likeness is None else likeness < SAME_PERSON,
            "skin_delta_e": round(drift, 2),
            "skin_ita_drift_degrees": round(turn, 2),
            "eye_line_fraction": round(float(face.right_eye[1] + face.left_eye[1]) / 2 / height, 4),
            "head_height_fraction": round(face.head_height / height, 4),
            "roll_degrees": round(face.roll, 2),
            "side_light_stops": round(measure.side_light(to_linear(pixels), face), 3),
            "sharpness_ratio": round(measure.sharpness(pixels, face), 3),
        }
    )
