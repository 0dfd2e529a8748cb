"""Which of many pictures, and which checkpoint, is most like the person: measured, and no nearer than chance allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from core.consent import ValidConsent
from workers.diffusion.adapters import CurvePoint
from workers.engines import Source
from workers.vision.detail import sharpness
from workers.vision.faces import find_faces
from workers.vision.geometry import Face, Pixels
from workers.vision.likeness import Embedding, embed, share

# Of a picture's score. Judgement: a blurred face costs as much as a fifth of the way to the limit, a second picture
# in the same clothes a twentieth.
_BLURRED: Final = 0.2
_SAME_AGAIN: Final = 0.05
_FACELESS: Final = 2.0  # times the limit: what a checkpoint's picture without a face counts


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """A made picture.

    Attributes:
        seed: The chance it came from.
        pixels: uint8, height × width × 3, sRGB.
        faces: The person first.
        score: 1 like a photo of the person and sharp, 0 and less beyond any limit; `None` without a face.
        asked: What it was asked for, so that not all show the same.
    """

    seed: int
    pixels: Pixels
    faces: tuple[Face, ...]
    score: float | None
    asked: str


def own_faces(sources: Sequence[Source], consent: ValidConsent) -> list[Embedding]:
    """Return the faces of photos to compare with.

    Raises:
        ConsentRequired: `consent` does not cover `likeness`.
    """
    return [
        embed(seen.pixels, seen.face, consent, by_all=True)
        for source in sources
        for seen in [source.examined(consent)]
        if seen.pixels is not None and seen.face is not None
    ]


def away(
    pixels: Pixels, faces: Sequence[Face], own: Sequence[Embedding], consent: ValidConsent
) -> float | None:
    """Return how far a picture's face is from the person's own, by the less content encoder; `None` without a face.

    See `workers.vision.likeness.share`: 1 is the most lenient limit.
    """
    if not faces or not own:
        return None
    return share(embed(pixels, faces[0], consent, by_all=True), own)


def judge(seed: int, asked: str, pixels: Pixels, own: Sequence[Embedding], consent: ValidConsent) -> Judged:
    """Measure how like the person, and how sharp, a picture is."""
    faces = tuple(find_faces(pixels))
    if not faces:
        return Judged(seed, pixels, faces, None, asked)
    far = away(pixels, faces, own, consent)
    like = 0.0 if far is None else 1 - far
    found = sharpness(pixels, faces[0])
    blurred = float(np.clip(1 - found.value / found.enough, 0, 1))
    # From 0 to 1 for whatever can pass, as a photo's: the renderer takes shares of it.
    score = (like + _BLURRED * (1 - blurred)) / (1 + _BLURRED)
    return Judged(seed, pixels, faces, round(score, 4), asked)


def best_first(pictures: Sequence[Judged]) -> list[Judged]:
    """Sort: the best first, and of nearly as good ones what differs from those before; faceless ones last."""
    left = [one for one in pictures if one.score is not None]
    seen: Counter[str] = Counter()
    chosen: list[Judged] = []
    while left:
        best = max(left, key=lambda one: (one.score or 0.0) - _SAME_AGAIN * seen[one.asked])
        left.remove(best)
        seen[best.asked] += 1
        chosen.append(best)
    return chosen + [one for one in pictures if one.score is None]


def point(step: int, distances: Sequence[float | None]) -> CurvePoint:
    """Return a checkpoint's mean of `away` and its standard error; a picture without a face counts as nobody's."""
    if all(one is None for one in distances):
        return CurvePoint(step=step)
    counted = [_FACELESS if one is None else one for one in distances]
    spread = float(np.std(counted, ddof=1)) if len(counted) > 1 else 0.0
    return CurvePoint(
        step=step, distance=round(float(np.mean(counted)), 4), error=round(spread / len(counted) ** 0.5, 4)
    )


def earliest(curve: Sequence[CurvePoint]) -> int:
    """Return the first checkpoint that is as near as the nearest, within its standard error; the last where none has a face.

    What is learned longer without being nearer has learned the photos.
    """
    known = [one for one in curve if one.distance is not None]
    if not known:
        return len(curve) - 1
    nearest = min(known, key=lambda one: one.distance or 0.0)
    reach = (nearest.distance or 0.0) + (nearest.error or 0.0)
    return next(
        index for index, one in enumerate(curve) if one.distance is not None and one.distance <= reach
    )
