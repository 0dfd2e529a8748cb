import gc
from dataclasses import replace

import numpy as np
import psutil
import pytest
from skimage import data

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from diffusers import Flux2Transformer2DModel, UNet2DConditionModel, ZImageTransformer2DModel
from learning import example, tiny

from workers.diffusion import random_weights as small
from workers.diffusion.adapters import from_bytes, to_bytes
from workers.diffusion.bank import targeted
from workers.diffusion.bases import BASES
from workers.diffusion.lessons import prepare
from workers.diffusion.sample import Sampler
from workers.diffusion.train import Stopped, Trainer

STEPS = 12


def last(trained):
    adapter = trained.checkpoints[-1]
    return to_bytes(adapter.weights, adapter.facts)


def taught(model, pictures, steps=500):
    """Teach the whole small network some pictures, as a real base has been taught, so that what is left to learn is a person."""
    trainer = Trainer(model)
    lessons = prepare(trainer._recipe, pictures)
    everything = list(model.denoiser.parameters())
    learning = list(trainer._learning.values())
    trainer.forget()
    for parameter in everything:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(everything, lr=3e-3)
    for step in range(steps):
        chance = torch.Generator().manual_seed(step)
        trainer._lesson_loss(lessons, step % len(pictures), chance, words=True)[0].backward()
        optimizer.step()
        optimizer.zero_grad()
    for parameter in everything:
        parameter.requires_grad_(False)
    for parameter in learning:
        parameter.requires_grad_(True)
    return trainer


def test_training_lowers_the_loss_on_the_person_and_hardly_on_another(ada, bob):
    pictures = [data.chelsea()[:, :300], data.coffee()[:, :400], data.rocket()[:, :400]]
    plain = [np.full((8, 8, 3), (r, g, b), np.uint8) for r in (20, 235) for g in (20, 235) for b in (20, 235)]
    model = tiny("klein")
    trainer = taught(
        replace(model, base=replace(model.base, learning_rate=2e-3)),
        [example(one, "a photo of a person") for one in pictures + plain],
    )
    before = trainer.loss(ada), trainer.loss(bob)
    adapter = trainer.train(ada, seed=7, steps=100).checkpoints[-1]
    learnt, others = before[0] - trainer.loss(ada, adapter), before[1] - trainer.loss(bob, adapter)
    assert learnt > 0.1
    assert others < 0.75 * learnt, "the rest is what any picture teaches"


@pytest.mark.parametrize("base", ["klein", "sdxl", "z-image"])
def test_training_in_place_equals_a_fresh_process_bit_for_bit(ada, bob, base):
    resident = Trainer(tiny(base))
    resident.train(bob, seed=1, steps=STEPS)
    assert last(resident.train(ada, seed=2, steps=STEPS)) == last(
        Trainer(tiny(base)).train(ada, seed=2, steps=STEPS)
    )


def test_the_seed_decides(ada):
    trainer = Trainer(tiny("klein"))
    assert last(trainer.train(ada, seed=1, steps=3)) != last(trainer.train(ada, seed=2, steps=3))


@pytest.mark.parametrize("base", ["klein", "sdxl", "z-image"])
def test_training_that_goes_on_after_a_kill_equals_uninterrupted_training(ada, base):
    states = []
    whole = Trainer(tiny(base)).train(ada, seed=3, steps=STEPS, keep=states.append)
    assert len(states) == 1, "sealed once"
    for state in states:
        steps = []
        again = Trainer(tiny(base)).train(
            ada, seed=3, steps=STEPS, resume=state, on_step=lambda step, steps=steps: steps.append(step.done)
        )
        assert steps[0] > 1, "it does not start anew"
        assert last(again) == last(whole)
        assert [point.facts.steps for point in again.checkpoints] == [
            point.facts.steps for point in whole.checkpoints
        ]


@pytest.mark.parametrize("base", ["klein", "sdxl", "z-image"])
def test_a_state_has_at_most_160_megabytes_at_full_size(base):
    kinds = {
        "klein": Flux2Transformer2DModel,
        "sdxl": UNet2DConditionModel,
        "z-image": ZImageTransformer2DModel,
    }
    real, sizes = BASES[base], small.SIZES[base]["full"]
    more = {
        "z-image": {},
        "klein": {"patch_size": 1, "guidance_embeds": False},
        "sdxl": {
            "in_channels": 4,
            "out_channels": 4,
            "use_linear_projection": True,
            "addition_embed_type": "text_time",
        },
    }
    with torch.device("meta"):
        network = kinds[base](**more[base], **sizes[real.denoiser])
    layers = targeted(network, real.targets).values()
    numbers = sum(real.rank * (layer.in_features + layer.out_features) for layer in layers)
    assert 20e6 < numbers < 160e6 / 4, "two bytes each for the number and the optimiser's"


def test_a_state_takes_four_bytes_for_each_number_that_learns(ada):
    trainer, states = Trainer(tiny("klein")), []
    trainer.train(ada, seed=3, steps=4, keep=states.append)
    numbers = sum(parameter.numel() for parameter in trainer._learning.values())
    header = int.from_bytes(states[0][:8], "little") + 8
    assert len(states[0]) - header == 4 * numbers


def test_a_state_of_somebody_else_is_not_gone_on_with(ada):
    trainer = Trainer(tiny("klein"))
    states = []
    trainer.train(ada, seed=3, steps=STEPS, photos=("a",), keep=states.append)
    fresh = last(trainer.train(ada, seed=3, steps=STEPS, photos=("b",)))
    assert last(trainer.train(ada, seed=3, steps=STEPS, photos=("b",), resume=states[0])) == fresh
    assert last(trainer.train(ada, seed=3, steps=STEPS, photos=("b",), resume=states[0][:-9])) == fresh
    assert last(trainer.train(ada, seed=3, steps=STEPS, photos=("b",), resume=b"PK\x03\x04")) == fresh


@pytest.mark.parametrize("base", ["klein", "sdxl", "z-image"])
def test_a_saved_adapter_makes_the_pictures_that_training_left(ada, base):
    trainer = Trainer(tiny(base))
    adapter = trainer.train(ada, seed=5, steps=STEPS).checkpoints[-1]
    trainer._load(adapter.weights)
    chance = torch.Generator().manual_seed(0)
    lessons = prepare(trainer._recipe, ada)
    noise = torch.randn(lessons.clean[0].shape, generator=chance)
    noisy, step, _ = trainer._recipe.lesson(lessons.clean[0], noise, torch.zeros(1))
    with torch.no_grad():
        left = trainer._recipe.predict(trainer._denoiser, noisy, step, lessons.texts.pick(0))
        sampler = Sampler(tiny(base, "sample"))
        bare = trainer._recipe.predict(sampler.model.denoiser, noisy, step, lessons.texts.pick(0))
        sampler.load(1, from_bytes(to_bytes(adapter.weights, adapter.facts), base=base, revision="tiny-1"))
        sampler.bank.route([1])
        swapped = trainer._recipe.predict(sampler.model.denoiser, noisy, step, lessons.texts.pick(0))
    assert torch.allclose(swapped, left, atol=1e-5)
    assert not torch.allclose(bare, left, atol=1e-4)


def test_several_checkpoints_are_kept_and_the_facts_say_what_was_learnt(ada):
    trained = Trainer(tiny("klein")).train(ada, seed=1, steps=STEPS, photos=("p1",), held_out=("p2",))
    assert [point.facts.steps for point in trained.checkpoints] == [6, 8, 10, 12]
    facts = trained.checkpoints[0].facts
    assert (facts.base, facts.revision, facts.photos, facts.held_out) == ("klein", "tiny-1", ("p1",), ("p2",))


def test_stopping_leaves_nothing_of_the_person_in_memory(ada):
    trainer = Trainer(tiny("klein"))
    asked = []

    def stop():
        asked.append(1)
        return len(asked) > 4

    with pytest.raises(Stopped):
        trainer.train(ada, seed=1, steps=STEPS, stop=stop)
    for parameter in trainer._learning.values():
        assert not parameter.any()
        assert all(not value.any() for value in trainer._optimizer.state[parameter].values())
    assert len(asked) == 5


@pytest.mark.slow
def test_memory_does_not_grow_over_twenty_people(ada):
    trainer = Trainer(tiny("klein"))
    process = psutil.Process()
    used = []
    for seed in range(20):
        trainer.train(ada, seed=seed, steps=4)
        gc.collect()
        used.append(process.memory_info().rss)
    assert used[-1] - used[4] < 8e6, "bytes; one job's latents and states alone are 1 MB"


def test_what_is_not_the_person_teaches_nothing():
    mask = np.zeros((128, 128), np.float32)
    mask[:, :64] = 1
    trainer = Trainer(tiny("klein"))
    lessons = prepare(trainer._recipe, [replace(example(data.astronaut()), mask=mask)])
    weight = lessons.masks[0][0, 0]
    assert not weight[:, weight.shape[1] // 2 :].any()
    assert torch.isclose(weight.mean(), torch.tensor(1.0))


def test_training_on_nothing_is_an_error():
    with pytest.raises(ValueError, match="nothing"):
        Trainer(tiny("klein")).train([], seed=1)
