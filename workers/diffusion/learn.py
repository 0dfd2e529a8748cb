"""Learn one person: split the photos, train, and let the held-out ones say which checkpoint is the best."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from core.consent import Purpose, ValidConsent
from core.logs import logger
from core.style.spec import StyleSpec
from workers.diffusion.adapters import Adapter, CurvePoint, to_bytes
from workers.diffusion.best import away, earliest, own_faces, point
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

_JUDGED_BY: Final = 6  # pictures of each checkpoint: by two, chance decided
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
    sources = sources_of(photos, subjects, consent)
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


def sources_of(
    photos: Sequence[tuple[str, bytes]], subjects: Mapping[str, tuple[float, float]], consent: ValidConsent
) -> list[Source]:
    """Return the photos that the check accepts."""
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
    """Return the earliest checkpoint of those whose pictures are nearest to photos that it never saw."""
    if not consent.covers(Purpose.LIKENESS):
        return checkpoints[-1]
    own = own_faces(judging, consent)
    lines = prompts(style, PERSON, _JUDGED_BY, worn=checkpoints[-1].facts.worn)
    asked = [Request(line, seed + number, _SLOT) for number, line in enumerate(lines)]
    curve: list[CurvePoint] = []
    try:
        for checkpoint in checkpoints:
            resident.sampler.load(_SLOT, checkpoint)
            made = resident.sampler.sample(asked)
            distances = [away(pixels, find_faces(pixels), own, consent) for pixels in made]
            curve.append(point(checkpoint.facts.steps, distances))
    finally:
        resident.sampler.forget()
    best = checkpoints[earliest(curve)]
    return Adapter(best.weights, best.facts.model_copy(update={"curve": tuple(curve)}))
