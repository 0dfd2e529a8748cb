"""The best of many pictures and the earliest of equal checkpoints."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from repainting import Planted

from core.consent import Purpose, ValidConsent
from core.style.spec import StyleSpec
from deploy.bench.morphs import morphed
from workers.diffusion.adapters import CurvePoint
from workers.diffusion.best import Judged, best_first, earliest, point
from workers.diffusion.engine import DiffusionEngine, Order
from workers.diffusion.examples import TooFewPhotos
from workers.engines import Source
from workers.vision.check import examine

AGREED = ValidConsent(None, frozenset(Purpose))


@pytest.mark.photos
def test_the_likest_pictures_come_first_and_one_without_a_face_last(photo, examined):
    names = ("eileen/portrait.png", "joe/portrait.jpg")
    one, other = (examined(name) for name in names)
    shares = [0.4, 0.0, 0.3, 0.1]
    planted = [morphed(one, other, share) for share in shares]
    planted.insert(1, np.full((512, 512, 3), 128, np.uint8))
    order = Order(seed=0, trained=True, prompts=("a portrait",))
    source = Source("kept", photo(names[0]), examine(photo(names[0]), AGREED).verdict)
    engine = DiffusionEngine(Planted(order, planted), order, ("kept",))
    made = list(engine.portraits([source], StyleSpec(), AGREED))
    assert [one.made.seed for one in made if one.made] == [2, 4, 3, 0, 1], (
        "by share of somebody else; the first came third"
    )
    scores = [one.made.score for one in made[:-1] if one.made]
    assert scores == sorted(scores, reverse=True)
    assert made[-1].face is None


def test_where_nothing_could_be_compared_nothing_is_made():
    order = Order(seed=0, trained=True, prompts=("a portrait",))
    pool = Planted(order, [np.zeros((64, 64, 3), np.uint8)] * 24)
    source = Source("only", b"", examine(b"", AGREED).verdict)
    for held_out in ((), ("removed since",)):
        with pytest.raises(TooFewPhotos, match="Add photos from other days"):
            list(DiffusionEngine(pool, order, held_out).portraits([source], StyleSpec(), AGREED))
    shown = Order(seed=0, prompts=("a portrait",), shown=True)
    with pytest.raises(TooFewPhotos):
        list(DiffusionEngine(Planted(shown, []), shown).portraits([source], StyleSpec(), AGREED))
    assert pool.given == 0


@pytest.mark.photos
def test_who_is_shown_is_checked_with_three_shots_and_never_with_the_twin_of_one_that_is_shown(photo):
    names = ("portrait", "letterboxed", "podium", "speech", "blue-room")
    sources = [
        Source(name, content, examine(content, AGREED).verdict)
        for name in names
        for content in [photo(f"barack/{name}.jpg")]
    ]
    order = Order(seed=0, shown=True)
    pool = Planted(order, [np.full((64, 64, 3), 128, np.uint8)])
    portraits = DiffusionEngine(pool, order).portraits(sources, StyleSpec(), AGREED)
    made = next(portraits)
    assert made.made is not None
    held_out = set(made.made.held_out)
    assert len(held_out - {"letterboxed"}) == 3, "of four shots, two of which are one"
    assert len({"portrait", "letterboxed"} & held_out) in (0, 2)
    assert len(order.references) == len(sources) - len(held_out)


def judged(seed: int, score: float | None, asked: str = "a suit") -> Judged:
    return Judged(seed, np.zeros((1, 1, 3), np.uint8), (), score, asked)


def test_of_nearly_as_good_pictures_others_come_before_more_of_the_same():
    pictures = [
        judged(0, 0.80),
        judged(1, 0.79),
        judged(2, 0.77, "a jumper"),
        judged(3, None),
        judged(4, 0.5, "a coat"),
    ]
    assert [one.seed for one in best_first(pictures)] == [0, 2, 1, 4, 3]


def test_the_earliest_checkpoint_within_a_standard_error_wins():
    curve = [
        point(400, [0.52, 0.55, 0.50, 0.53, 0.56, 0.54]),
        point(536, [0.42, 0.47, 0.40, 0.43, 0.45, 0.44]),
        point(664, [0.41, 0.46, 0.40, 0.44, 0.44, 0.43]),
        point(800, [0.41, 0.47, 0.39, 0.44, 0.44, 0.43]),
    ]
    assert min(range(4), key=lambda index: curve[index].distance or 9.0) == 2
    assert earliest(curve) == 1
    assert earliest([CurvePoint(step=1), CurvePoint(step=2)]) == 1, "no face at all: the last"


def test_a_checkpoint_that_seldom_makes_a_face_is_not_the_nearest():
    lucky = point(1, [0.30, None, None, None, None, None])
    steady = point(2, [0.42, 0.44, 0.43, 0.41, 0.45, 0.43])
    assert earliest([lucky, steady]) == 1
