"""Learn one person: split the photos, train, and let the held-out ones say which checkpoint is the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import numpy as np

from core.consent import Purpose, ValidConsent
from core.logs import logger
from core.style.spec import StyleSpec
from workers.diffusion.adapters import Adapter, CurvePoint, to_bytes
from workers.diffusion.captions import PERSON
from workers.diffusion.examples import examples, split
from workers.diffusion.meter import Meter
from workers.diffusion.prompts import prompts
from workers.diffusion.resident import Resident
from workers.diffusion.sample import Request
from workers.diffusion.train import Step, Trained
from workers.engines import Source
from workers.vision.check import examine
from workers.vision.faces import find_faces
from workers.vision.geometry import Pixels
from workers.vision.likeness import Embedding, distance, embed

_JUDGED_BY: Final = 2  # pictures of each checkpoint; more would cost as much as training
_SLOT: Final = 1


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """An adapter that was chosen, and what it took.

    Attributes:
        adapter: With the curve of all checkpoints in its facts.
        content: The same as bytes, for the vault.
        meter: Training and choosing.
    """

    adapter: Adapter
    content: bytes
    meter: Meter


def learn(
    resident: Resident,
    photos: Sequence[tuple[str, bytes]],
    subjects: Mapping[str, tuple[float, float]],
    style: StyleSpec,
    consent: ValidConsent,
    seed: int,
    *,
    on_step: Callable[[Step], None],
    stop: Callable[[], bool],
    keep: Callable[[bytes], None],
    resume: bytes | None = None,
) -> Learned:
    """Train a person's adapter.

    Args:
        resident: The loaded base.
        photos: Key and content of each accepted photo.
        subjects: Where the person is in photos of several people, by key.
        style: What the pictures that judge are asked for.
        consent: Must cover `adapter`; with `likeness` the checkpoints are compared.
        seed: The person's.
        on_step: Told after each step.
        stop: Asked before each step; may raise as well.
        keep: Given the state at each checkpoint.
        resume: A state to go on from.

    Raises:
        ConsentRequired: `consent` does not cover it.
        TooFewPhotos: nothing would be left to judge by.
        Stopped: `stop` said so.
    """
    consent.demand(Purpose.ADAPTER)
    sources = _sources(photos, subjects, consent)
    parts = split(sources, apart=not resident.is_tiny)
    teaching = [source for source in sources if source.key in parts.train]
    judging = [source for source in sources if source.key in parts.held_out]
    with Meter() as meter:
        lessons = examples(teaching, consent, resident.base.side, PERSON)
        trained = resident.trainer.train(
            lessons,
            seed,
            photos=parts.train,
            held_out=parts.held_out,
            on_step=on_step,
            stop=stop,
            keep=keep,
            resume=resume,
        )
        tell_levels(trained, kind="person")
        best = _best(resident, trained.checkpoints, judging, style, consent, seed)
    return Learned(best, to_bytes(best.weights, best.facts), meter)


def tell_levels(trained: Trained, *, kind: str) -> None:
    """Log how the loss went at each range of noise: where it did not fall, nothing was learned there."""
    logger().info("adapter_trained", kind=kind, loss_by_level=[asdict(one) for one in trained.levels])


def _sources(
    photos: Sequence[tuple[str, bytes]], subjects: Mapping[str, tuple[float, float]], consent: ValidConsent
) -> list[Source]:
    found = []
    for key, content in photos:
        subject = subjects.get(key)
        verdict = examine(content, consent, subject=subject).verdict
        if verdict.accepted:
            found.append(Source(key, content, verdict, subject))
    return found


def _best(
    resident: Resident,
    checkpoints: Sequence[Adapter],
    judging: Sequence[Source],
    style: StyleSpec,
    consent: ValidConsent,
    seed: int,
) -> Adapter:
    """Return the checkpoint whose pictures are nearest to photos that it never saw; the last where none is."""
    if not consent.covers(Purpose.LIKENESS):
        return checkpoints[-1]
    own = [
        embed(seen.pixels, seen.face, consent)
        for source in judging
        for seen in [source.examined(consent)]
        if seen.pixels is not None and seen.face is not None
    ]
    line = prompts(style, PERSON, 1)[0]
    asked = [Request(line, seed + number, _SLOT) for number in range(_JUDGED_BY)]
    curve: list[CurvePoint] = []
    try:
        for point in checkpoints:
            resident.sampler.load(_SLOT, point)
            away = [_away(pixels, own, consent) for pixels in resident.sampler.sample(asked)]
            seen_faces = [one for one in away if one is not None]
            curve.append(
                CurvePoint(
                    step=point.facts.steps,
                    distance=round(float(np.mean(seen_faces)), 4) if seen_faces else None,
                )
            )
    finally:
        resident.sampler.forget()
    ranked = [(one.distance, index) for index, one in enumerate(curve) if one.distance is not None]
    best = checkpoints[min(ranked)[1] if ranked else -1]
    return Adapter(best.weights, best.facts.model_copy(update={"curve": tuple(curve)}))


def _away(pixels: Pixels, own: Sequence[Embedding], consent: ValidConsent) -> float | None:
    """Return the mean distance of a picture's face to the person's own; `None` without a face."""
    faces = find_faces(pixels)
    if not faces or not own:
        return None
    made = embed(pixels, faces[0], consent)
    return float(np.mean([distance(made, one) for one in own]))
