"""Photos that the base sees beside a person's model: whose, how many, with which consent, and never those compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from learning import tiny

from core.checks.report import GateName
from core.consent import ConsentRequired, Purpose, ValidConsent
from core.style.spec import StyleSpec
from workers.diffusion.bases import KLEIN
from workers.diffusion.engine import DiffusionEngine, Order, Pool, references
from workers.diffusion.examples import Split, split
from workers.diffusion.learn import sources_of
from workers.diffusion.sample import Request, Sampler
from workers.engines import Source
from workers.pipeline.render import render
from workers.vision.geometry import Pixels

AGREED = ValidConsent(None, frozenset(Purpose))
NOT_SHOWN = ValidConsent(None, frozenset(Purpose) - {Purpose.PAINT})
SHOTS = [f"barack/{name}.jpg" for name in ("blue-room", "podium", "portrait", "speech")]


class Listening(Sampler):
    """A sampler that notes who was in each batch, and what the base saw."""

    def __init__(self) -> None:
        small = tiny("klein", "sample")
        super().__init__(replace(small, base=replace(small.base, sample_side=96)))
        self.passes: list[tuple[list[Request], list[Pixels]]] = []

    def sample(self, requests: Sequence[Request], references: Sequence[Pixels] = ()) -> Iterator[Pixels]:
        self.passes.append((list(requests), list(references)))
        return super().sample(requests, references)


class Planted(Pool):
    """Makes the pictures that it was given."""

    def __init__(self, order: Order, pictures: list[Pixels]) -> None:
        super().__init__(Listening(), [order])
        self._ready = pictures

    def pictures(self, order: Order) -> Iterator[tuple[int, str, Pixels]]:
        for seed, picture in enumerate(self._ready):
            yield seed, order.prompts[0], picture


@pytest.fixture(scope="module")
def sources(photo: Callable[[str], bytes]) -> list[Source]:
    found = sources_of([(name, photo(name)) for name in SHOTS], {}, AGREED)
    return sorted(found, key=lambda one: -one.verdict.score)


@pytest.mark.photos
@pytest.mark.parametrize("trained", [True, False])
def test_only_photos_that_are_not_compared_with_are_shown(sources: list[Source], trained: bool) -> None:
    parts = Split(tuple(one.key for one in sources[:3]), (sources[3].key,)) if trained else split(sources)
    sampler = Listening()
    order = Order(seed=7, slot=1, trained=trained, shown=True)
    pool = Pool(sampler, [order], budget=4)
    taught = (parts.held_out, parts.train) if trained else ()
    engine = DiffusionEngine(pool, order, *taught)
    pictures = list(engine.portraits(sources, StyleSpec(), AGREED))
    assert len(pictures) == 4
    assert {one.made.held_out for one in pictures if one.made} == {parts.held_out}
    teaching = [one for one in sources if one.key in parts.train]
    wanted = references(teaching, AGREED, sampler.model.base.reference_side)
    assert len(wanted) == len(parts.train)
    named = "the person from image 1, image 2 and image 3" if trained else "the person from image 1,"
    for requests, shown in sampler.passes:
        assert all(np.array_equal(one, other) for one, other in zip(shown, wanted, strict=True))
        assert all(one.slot == 1 for one in requests), "and the adapter, where there is one"
        assert all(named in one.prompt for one in requests)
        assert all(("ohwx" in one.prompt) is trained for one in requests)
    assert order.references == (), "nothing is kept of them afterwards"


@pytest.mark.photos
def test_a_model_of_somebody_is_no_consent_to_being_shown(sources: list[Source]) -> None:
    parts = split(sources)
    sampler = Listening()
    shown = Order(seed=7, slot=1, trained=True, shown=True)
    with pytest.raises(ConsentRequired):
        list(
            DiffusionEngine(Pool(sampler, [shown], 2), shown, parts.held_out, parts.train).portraits(
                sources, StyleSpec(), NOT_SHOWN
            )
        )
    assert sampler.passes == []
    alone = Order(seed=7, slot=1, trained=True, prompts=("a photo of ohwx person",))
    engine = DiffusionEngine(Pool(sampler, [alone], 2), alone, parts.held_out, parts.train)
    assert len(list(engine.portraits(sources, StyleSpec(), NOT_SHOWN))) == 2
    assert [shown for _, shown in sampler.passes] == [[]]


@pytest.mark.photos
@pytest.mark.slow
def test_a_copy_of_a_photo_that_was_shown_is_withheld(
    sources: list[Source], photo: Callable[[str], bytes]
) -> None:
    parts = split(sources)
    copied = next(one for one in sources if one.key in parts.train)
    pixels = copied.examined(AGREED).pixels
    assert pixels is not None
    order = Order(seed=7, slot=1, trained=True, shown=True)
    engine = DiffusionEngine(Planted(order, [pixels]), order, parts.held_out, parts.train)
    made = render([(name, photo(name)) for name in SHOTS], StyleSpec(), AGREED, engine=engine)
    assert made.headshots == ()
    (withheld,) = made.withheld
    assert withheld.report is not None
    assert withheld.report.gates[GateName.COPY_PASTE].passed is False
    assert withheld.report.gates[GateName.HELD_OUT].passed, "it is the person, and still a copy"


def test_who_is_shown_shares_no_batch_and_the_others_still_do() -> None:
    sampler = Listening()
    noise = np.random.default_rng(0).integers(0, 255, (72, 72, 3), np.uint8)
    one, two, alone = (
        Order(seed=100 * slot, slot=slot, trained=True, prompts=("a portrait",)) for slot in (1, 2, 3)
    )
    alone.references, alone.shown = (noise, noise), True
    pool = Pool(sampler, [one, two, alone], budget=8)
    made = [len(list(pool.pictures(order))) for order in (alone, one, two)]
    assert made == [8, 8, 8]
    assert len(alone.references) == 2, "the last pictures' faces are still to be painted anew beside them"
    slots = [sorted(request.slot for request in requests) for requests, _ in sampler.passes]
    assert slots == [[3] * 6, [3] * 2, [1] * 4 + [2] * 4, [1] * 4 + [2] * 4]
    assert [len(shown) for _, shown in sampler.passes] == [2, 2, 0, 0]


def test_a_batch_beside_references_has_no_more_tokens_than_one_without() -> None:
    sampler = Sampler(tiny("klein", "sample"))
    assert [sampler.fits(beside) for beside in range(4)] == [8, 5, 4, 3]
    assert KLEIN.reference_side == 768
    assert KLEIN.tokens(3) == 512 + 64**2 + 3 * 48**2
