"""`headshots bench diffusion`: the figures of `bench`, and one person from photos to headshots."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from typing import Final

import torch

from core.consent import Purpose, ValidConsent
from core.style.spec import StyleSpec
from workers.diffusion.bases import FULL, KLEIN, TINY, Base
from workers.diffusion.bench import Report, bench
from workers.diffusion.engine import BUDGET, DiffusionEngine, Order, Pool, wanted
from workers.diffusion.examples import TooFewPhotos
from workers.diffusion.learn import learn
from workers.diffusion.resident import Resident
from workers.pipeline.render import render

_PEOPLE: Final = 3  # one after the other, photos in to headshots out
_WHOLE_REACH: Final = 180.0  # seconds, median of them

People = Mapping[str, Sequence[tuple[str, bytes]]]


def bench_diffusion(report: Report, people: People) -> None:
    """Time the model, see `bench`, and a whole person; at full size where there is a GPU.

    Args:
        report: Told each figure.
        people: Name and files of each person.
    """
    bench(report)
    _whole(report, KLEIN, FULL if torch.cuda.is_available() else TINY, people)


def _whole(report: Report, base: Base, source: str, people: People) -> None:
    """Time photos in to headshots out of a warm worker: training, choosing, sampling, finishing, gates.

    Random weights make noise, so every person takes the whole budget of pictures, as the slowest do, and nothing of it
    has a face to paint anew, to finish and to measure; nobody is shown to the base either.
    """
    what = f"photos in to headshots out, {base.title}" + (", small random model" if source == TINY else "")
    resident = Resident(base, source, source)
    resident.warm()
    style, agreed = StyleSpec(), ValidConsent(None, frozenset(Purpose))
    took: list[float] = []
    for number, photos in enumerate(list(people.values())[:_PEOPLE]):
        began = time.perf_counter()
        try:
            found = learn(
                resident,
                photos,
                {},
                style,
                agreed,
                number,
                on_step=lambda _step: None,
                stop=lambda: False,
                keep=lambda _state: None,
            )
        except TooFewPhotos:
            continue
        resident.sampler.load(1, found.adapter)
        order = Order(seed=number, slot=1, trained=True, prompts=wanted(style, trained=True))
        pool = Pool(resident.sampler, [order])
        render(photos, style, agreed, engine=DiffusionEngine(pool, order, found.adapter.facts.held_out))
        took.append(time.perf_counter() - began)
    if not took:
        why = "nobody has two shots; give more with --photos"
        report({"figure": what, "skipped": why}, f"{what}: skipped, {why}")
        return
    median = statistics.median(took)
    report(
        {"figure": what, "seconds": round(median, 1), "people": len(took), "reach_seconds": _WHOLE_REACH},
        f"{what}: {median:.0f} s, median of {len(took)}, {BUDGET} pictures each (to reach ≤ {_WHOLE_REACH:g} s on a GPU)",
    )
