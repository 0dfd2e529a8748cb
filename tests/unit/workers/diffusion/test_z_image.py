"""Z-Image as its own pipeline and trainer have it, with captions of one length."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from diffusers import FlowMatchEulerDiscreteScheduler
from learning import tiny

from workers.diffusion import random_weights
from workers.diffusion.recipes import recipe_of
from workers.diffusion.sample import Request, Sampler
from workers.diffusion.train import Trainer
from workers.diffusion.z_image import padded

# Of one, two and three times 32 tokens, which is what the network fills captions up to.
PROMPTS = ("a portrait", "a photo of ohwx person, facing the camera", "a photo of ohwx person, " * 3)


def chance(seed: int = 0) -> Any:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "size", [(8, 8), (12, 20), (4, 4)]
)  # 16, 60 and 4 tokens: the last two are filled up
@pytest.mark.parametrize("lengths", [(5, 40, 64), (33, 34, 35), (96, 1, 32)])
def test_captions_of_one_length_say_what_diffusers_own_say(size, lengths) -> None:
    ours, stock = tiny("z-image").denoiser, random_weights.pipeline("z-image").transformer
    pictures = [torch.randn(4, 1, *size, generator=chance(seed)) for seed in range(3)]
    captions = [torch.randn(length, 32, generator=chance(length)) for length in lengths]
    step = torch.tensor([0.1, 0.5, 1.0])
    with torch.no_grad():
        wanted = stock(pictures, step, captions, return_dict=False)[0]
        lists = ours(pictures, step, captions)[0]
        tensors = ours(torch.stack(pictures), step, *padded(captions, 96))[0]
    assert torch.allclose(lists, torch.stack(wanted), atol=1e-6)
    assert torch.equal(lists, tensors)
    assert ours.caption_tokens == 96


def test_a_lesson_is_the_example_trainers_to_the_bit() -> None:
    """As `train_dreambooth_lora_z_image.py` of diffusers has it, with its defaults."""
    model = tiny("z-image")
    recipe, stock = recipe_of(model), random_weights.pipeline("z-image")
    scheduler = FlowMatchEulerDiscreteScheduler.from_config(stock.scheduler.config)
    picture = torch.rand(1, 3, 64, 96, generator=chance()) * 2 - 1
    vae = stock.vae.config
    with torch.no_grad():
        clean = (stock.vae.encode(picture).latent_dist.mode() - vae.shift_factor) * vae.scaling_factor
    assert torch.equal(recipe.latents(picture), clean)
    for share in (0.0004, 0.3, 0.9996):
        noise = torch.randn(clean.shape, generator=chance(1))
        times = scheduler.timesteps[(torch.tensor([share]) * 1000).long()]
        sigma = scheduler.sigmas[scheduler.timesteps == times].view(1, 1, 1, 1)
        noisy, step, target = recipe.lesson(clean, noise, -torch.special.ndtri(torch.tensor([share])))
        assert torch.equal(noisy, (1 - sigma) * clean + sigma * noise)
        assert torch.equal(step, (1000 - times) / 1000)
        assert torch.equal(target, noise - clean)
        assert float(recipe.level(step)) == pytest.approx(float(sigma), abs=1e-6)
        with torch.no_grad():
            words = stock.encode_prompt([PROMPTS[1]], max_sequence_length=77)[0]
            said = stock.transformer(list(noisy[:, :, None]), step, words, return_dict=False)[0]
            ours = recipe.predict(model.denoiser, noisy, step, recipe.texts([PROMPTS[1]]))
        assert torch.allclose(ours, -torch.stack(said)[:, :, 0], atol=1e-6), "the sign too"


def test_it_learns_where_its_sampler_looks_unless_told_a_bell() -> None:
    model = tiny("z-image")
    draws = torch.randn(20_000, generator=chance())
    nothing = torch.zeros(len(draws), 0, 1, 1)
    asked = FlowMatchEulerDiscreteScheduler(shift=6.0)
    asked.set_timesteps(sigmas=np.linspace(1.0, 1 / 28, 28))
    levels = 1 - recipe_of(model).lesson(nothing, nothing, draws)[1]
    shares = np.arange(28, 0, -1) / 28
    assert np.allclose(np.quantile(levels.numpy(), shares), asked.sigmas[:-1].numpy(), atol=0.02)
    bell = recipe_of(replace(model, base=replace(model.base, shift=0.0)))
    assert torch.allclose(1 - bell.lesson(nothing, nothing, draws)[1], torch.sigmoid(draws), atol=1e-4)


@pytest.fixture
def base():
    return replace(tiny("z-image").base, sample_side=64, sample_steps=2)


def test_it_paints_what_its_stock_pipeline_paints(base) -> None:
    stock = random_weights.pipeline("z-image")
    stock.set_progress_bar_config(disable=True)
    sampler = Sampler(replace(tiny("z-image", "sample"), base=base))
    made = [next(sampler.sample([Request(prompt, 5)])) for prompt in PROMPTS]
    for prompt, picture in zip(PROMPTS, made, strict=True):
        wanted = stock(
            prompt,
            height=64,
            width=64,
            num_inference_steps=2,
            guidance_scale=base.guidance,
            cfg_normalization=True,
            max_sequence_length=base.text_tokens,
            generator=chance(5),
            output_type="np",
        ).images[0]
        assert np.array_equal(picture, np.rint(wanted * 255).astype(np.uint8))
    together = sampler.sample([Request(prompt, 5) for prompt in PROMPTS])
    for one, other in zip(together, made, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1, "long beside short ones"


def test_a_batch_is_halved_with_its_captions(base, monkeypatch) -> None:
    sampler = Sampler(replace(tiny("z-image", "sample"), base=base))
    requests = [Request(PROMPTS[seed % 3], seed) for seed in range(4)]
    wanted = list(sampler.sample(requests))
    whole, sizes = sampler.model.pipeline, []

    class Short:
        """A pipeline on a GPU in which two pictures at a time do not fit."""

        transformer = whole.transformer

        def __call__(self, **arguments: Any) -> Any:
            sizes.append([len(arguments[name]) for name in ("prompt_embeds", "negative_prompt_embeds")])
            if sizes[-1][0] > 1:
                raise torch.cuda.OutOfMemoryError("CUDA out of memory")
            return whole(**arguments)

    sampler.model = replace(sampler.model, pipeline=Short())
    made = list(sampler.sample(requests))
    assert sizes == [[4, 4], [2, 2], [1, 1], [1, 1], [2, 2], [1, 1], [1, 1]]
    for one, other in zip(made, wanted, strict=True):
        assert np.abs(one.astype(int) - other.astype(int)).max() <= 1


@pytest.fixture
def eager(monkeypatch):
    """Compile as on a GPU, without a compiler."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))
    torch._dynamo.reset()
    yield
    torch._dynamo.reset()


def test_prompts_of_any_length_and_swapped_people_compile_nothing_anew(base, eager, ada) -> None:
    people = [Trainer(tiny("z-image")).train(ada, seed=seed, steps=2).checkpoints[-1] for seed in (1, 2)]
    sampler = Sampler(replace(tiny("z-image", "sample"), base=base), slots=2, batch=2, compiled=True)
    list(sampler.sample([Request(PROMPTS[0], seed) for seed in (1, 2)]))
    with torch._dynamo.config.patch(error_on_recompile=True):
        for turn in range(3):
            sampler.load(1 + turn % 2, people[turn % 2])
            asked = [Request(PROMPTS[turn], 5, 1 + turn % 2), Request(PROMPTS[(turn + 1) % 3], 6, 0)]
            assert len(list(sampler.sample(asked))) == 2


def test_captions_of_any_length_are_learned_in_one_graph(eager, ada) -> None:
    trainer = Trainer(tiny("z-image"), compiled=True)
    said = [replace(ada[0], caption=caption) for caption in PROMPTS]
    for kind in ("person", "style"):
        trainer.train(said[:1], seed=1, steps=2, kind=kind)
    with torch._dynamo.config.patch(error_on_recompile=True):
        for kind in ("person", "style"):
            trainer.train(said, seed=2, steps=4, kind=kind)


def test_recomputing_what_was_not_kept_learns_the_same(ada) -> None:
    def learned(*, short: bool) -> Any:
        trainer = Trainer(tiny("z-image"))
        if short:  # as after an error of a GPU's memory
            trainer._denoiser.enable_gradient_checkpointing()
        return trainer.train(ada, seed=1, steps=3).checkpoints[-1].weights

    whole, again = learned(short=False), learned(short=True)
    assert all(np.allclose(whole[name], again[name], atol=1e-6) for name in whole)
