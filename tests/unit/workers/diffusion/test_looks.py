"""The company's look: learned from its pictures, kept sealed, and added to whoever is generated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from dataclasses import replace

import cv2
from learning import example, style_picture, tiny
from skimage import data

from workers.diffusion import looks
from workers.diffusion.adapters import from_bytes, to_bytes
from workers.diffusion.bank import targeted
from workers.diffusion.lessons import prepare
from workers.diffusion.picture import buckets
from workers.diffusion.sample import STYLE_WEIGHT, Request, Sampler
from workers.diffusion.train import Trainer
from workers.vision.faces import find_faces

PICTURES = [(str(seed), style_picture(seed)) for seed in range(5)]


def lessons() -> list[Any]:
    return [looks.example(key, content, 128) for key, content in PICTURES]


@pytest.fixture(scope="module")
def trainer() -> Trainer:
    return Trainer(tiny("klein"))


@pytest.fixture(scope="module")
def look(trainer: Trainer) -> Any:
    return trainer.train(lessons(), seed=3, kind="style", photos=("a", "b")).checkpoints[-1]


@pytest.fixture(scope="module")
def person(trainer: Trainer) -> Any:
    return trainer.train([example(data.astronaut()[:300, 60:360])], seed=1, steps=20).checkpoints[-1]


def test_training_pictures_are_the_middle_in_the_nearest_shape_and_never_mirrored() -> None:
    for key, content in PICTURES:
        one = looks.example(key, content, 768)
        height, width = one.pixels.shape[:2]
        assert (width, height) in buckets(768)
        assert width > height, "the pictures are wide"
        assert one.mask.all(), "the whole picture teaches"
        assert one.caption == "portrait photo in zwx style"
        assert not one.flipped
        assert one.pixels[:, :10].mean() > one.pixels[:, -10:].mean() + 40, "light stays on its side"


def test_a_look_is_smaller_than_a_person_and_says_what_it_learned(trainer: Trainer, look: Any) -> None:
    base = trainer.model.base
    assert (look.facts.kind, look.facts.rank, look.facts.alpha) == ("style", base.style_rank, base.style_rank)
    assert look.facts.steps == base.style_steps
    assert look.facts.photos == ("a", "b")
    assert look.facts.rank < base.rank
    assert all(look.weights[f"{layer}.lora_A.weight"].shape[0] == look.facts.rank for layer in look.layers)
    from_bytes(to_bytes(look.weights, look.facts), base="klein", revision="tiny-1")


def test_learning_a_look_lowers_the_loss_on_its_pictures(trainer: Trainer) -> None:
    before = trainer.loss(lessons())
    learned = trainer.train(lessons(), seed=3, kind="style", steps=60).checkpoints[-1]
    assert trainer.loss(lessons(), learned) < before - 0.01


def test_whoever_a_picture_shows_is_no_part_of_the_look(trainer: Trainer) -> None:
    portrait = np.ascontiguousarray(data.astronaut()[:, :400])
    done, encoded = cv2.imencode(".png", cv2.cvtColor(portrait, cv2.COLOR_RGB2BGR))
    assert done
    one = looks.example("a", encoded.tobytes(), 256)
    (face,) = find_faces(one.pixels)
    seen = np.zeros(one.mask.shape, np.float32)
    cv2.fillConvexPoly(seen, cv2.convexHull(face.landmarks[:, :2].round().astype(np.int32)), 1)
    assert not one.mask[seen > 0].any()
    assert one.mask.mean() > 0.6, "all else teaches"
    learned = prepare(trainer._recipe, [one])
    said = torch.zeros_like(learned.clean[0], requires_grad=True)
    ((said - 1) ** 2 * learned.masks[0]).mean().backward()
    assert said.grad is not None
    inside = cv2.resize(seen, said.shape[:-3:-1], interpolation=cv2.INTER_AREA) == 1
    assert inside.sum() > 3
    assert not said.grad[0, :, torch.from_numpy(inside)].any(), "no gradient from a face"
    assert said.grad.any()


@pytest.mark.slow
def test_without_its_word_a_look_hardly_changes_the_base() -> None:
    def strayed(*, held: bool) -> float:
        """How far the answers to captions without the word went, over how far those with it did."""
        trainer = Trainer(tiny("sdxl"))
        if not held:
            trainer._ask_base = lambda *_: None  # type: ignore[method-assign]
        found = trainer.train(lessons()[:2], seed=3, kind="style", steps=36).checkpoints[-1]
        made = prepare(trainer._recipe, lessons()[:1])
        moved: dict[str, list[float]] = {}
        for name, texts in (("with", made.texts), ("without", made.plain)):
            for index in range(len(texts.tokens)):
                noisy, step, _ = trainer._noised(made.clean[0], trainer._chance(99, index))
                with torch.no_grad():
                    trainer.forget()
                    before = trainer._said(noisy, step, texts.pick(index))
                    trainer._load(found.weights)
                    after = trainer._said(noisy, step, texts.pick(index))
                moved.setdefault(name, []).append(float((after - before).square().mean()))
        return float(np.mean(moved["without"]) / np.mean(moved["with"]))

    assert strayed(held=True) < strayed(held=False) / 2


@pytest.mark.parametrize("base", ["klein", "sdxl", "z-image"])
def test_a_look_in_a_persons_place_is_what_a_trainer_of_its_own_rank_learns(base: str) -> None:
    small = tiny(base)
    shared = Trainer(small)
    shared.train(lessons(), seed=9, steps=4)  # somebody before
    mine = shared.train(lessons(), seed=2, kind="style", steps=6).checkpoints[-1]
    alone = tiny(base)
    rank = alone.base.style_rank
    own = Trainer(replace(alone, base=replace(alone.base, rank=rank)))
    other = own.train(lessons(), seed=2, kind="style", steps=6).checkpoints[-1]
    assert mine.facts.rank == other.facts.rank == rank
    for name, array in mine.weights.items():
        assert np.allclose(array, other.weights[name], atol=1e-5), name


def test_learning_a_look_that_goes_on_after_a_kill_ends_the_same() -> None:
    trainer, states = Trainer(tiny("klein")), []
    whole = trainer.train(lessons(), seed=4, kind="style", keep=states.append).checkpoints[-1]
    steps: list[int] = []
    again = trainer.train(
        lessons(), seed=4, kind="style", resume=states[-1], on_step=lambda step: steps.append(step.done)
    ).checkpoints[-1]
    assert steps[0] > 1
    assert to_bytes(again.weights, again.facts) == to_bytes(whole.weights, whole.facts)


@pytest.fixture
def sampler() -> Sampler:
    small = tiny("klein", "sample")
    return Sampler(replace(small, base=replace(small.base, sample_side=64)))


def test_a_slot_holds_exactly_the_sum_of_a_person_and_the_look(
    sampler: Sampler, person: Any, look: Any
) -> None:
    reference = tiny("klein").denoiser
    with torch.no_grad():
        for name, layer in targeted(reference, sampler.model.base.targets).items():
            for adapter, weight in ((person, 1.0), (look, STYLE_WEIGHT)):
                down, up = (
                    torch.from_numpy(adapter.weights[f"{name}.lora_{part}.weight"]) for part in ("A", "B")
                )
                layer.weight += weight * adapter.facts.alpha / adapter.facts.rank * (up @ down)
    sampler.load(1, person, look)
    sampler.bank.route([1])
    chance = torch.Generator().manual_seed(0)
    inputs = {
        "hidden_states": torch.randn(1, 16, 16, generator=chance),
        "encoder_hidden_states": torch.randn(1, 5, 96, generator=chance),
        "timestep": torch.full((1,), 0.5),
        "img_ids": torch.cartesian_prod(*(torch.arange(n) for n in (1, 4, 4, 1)))[None],
        "txt_ids": torch.cartesian_prod(*(torch.arange(n) for n in (1, 1, 1, 5)))[None],
        "return_dict": False,
    }
    with torch.no_grad():
        both, wanted = sampler.model.denoiser(**inputs)[0], reference(**inputs)[0]
        sampler.load(1, person)
        without = sampler.model.denoiser(**inputs)[0]
    assert torch.allclose(both, wanted, atol=1e-5)
    assert not torch.allclose(without, wanted, atol=1e-4), "the look matters"


def test_a_look_changes_what_is_made_shown_and_repainted_at_the_same_seed(
    sampler: Sampler, person: Any, look: Any
) -> None:
    portrait = data.astronaut()[:128, :128]
    request = [Request("a portrait in zwx style", 5, 1)]

    def made() -> list[np.ndarray]:
        ways = (
            sampler.sample(request),
            sampler.sample(request, [portrait]),
            sampler.repaint(portrait, np.ones((128, 128), np.float32), request),
        )
        return [next(way) for way in ways]

    sampler.load(1, None, look)
    with_look, again = made(), made()
    sampler.load(1, None)
    without = made()
    for one, same, other in zip(with_look, again, without, strict=True):
        assert np.array_equal(one, same)
        assert not np.array_equal(one, other)
    sampler.load(1, person)
    alone = next(sampler.sample(request))
    sampler.load(1, person, look)
    assert not np.array_equal(next(sampler.sample(request)), alone)
