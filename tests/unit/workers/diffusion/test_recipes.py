"""What the bases are trained at is what they are sampled at."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from diffusers import FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from learning import tiny

from workers.diffusion.bases import KLEIN
from workers.diffusion.levels import flow_levels
from workers.diffusion.recipes import recipe_of

DRAWS = torch.randn(200_000, generator=torch.Generator().manual_seed(0))


def sampled_at() -> np.ndarray:
    """Noise levels of a picture, as the pipeline asks its scheduler for them."""
    tokens = (KLEIN.sample_side // KLEIN.latent_scale) ** 2
    steps = KLEIN.sample_steps
    scheduler = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    scheduler.set_timesteps(sigmas=np.linspace(1.0, 1 / steps, steps), mu=compute_empirical_mu(tokens, steps))
    return scheduler.sigmas[:-1].numpy()


@pytest.mark.parametrize("side", [512, 768, 1024])
def test_klein_learns_where_its_sampler_looks(side: int) -> None:
    asked = sampled_at()
    assert np.allclose(asked, [1.0, 0.967, 0.908, 0.767], atol=1e-3)
    shift = 0.5 + 0.65 * ((side // KLEIN.latent_scale) ** 2 - 256) / 3840
    levels = flow_levels(DRAWS, shift, KLEIN.upper_share).numpy()
    assert 0 <= levels.min() < 0.1, "light noise is learned too"
    assert np.quantile(levels, 0.98) > asked[1], "and nearly nothing but noise"
    between = [1.0, *((asked[1:] + asked[:-1]) / 2), asked[-1] - 0.1]
    for high, low in pairwise(between):
        share = ((levels <= high) & (levels > low)).mean()
        assert share > 1.1 * (high - low), f"no less than if all levels were alike, {low:.2f} to {high:.2f}"


def test_kleins_levels_are_the_shifted_bell_and_a_share_above() -> None:
    recipe = recipe_of(replace(tiny("klein"), base=KLEIN))
    nothing = torch.zeros(len(DRAWS), 0, 48, 48)  # 2,304 tokens, as at 768²
    levels = recipe.lesson(nothing, nothing, DRAWS)[1]
    below = levels[levels < 0.75]
    bell = torch.sigmoid(DRAWS + 0.5 + 0.65 * (2304 - 256) / 3840)
    assert len(below) / len(levels) == pytest.approx(0.7 * float((bell < 0.75).float().mean()), abs=0.005)
    assert float(below.median()) == pytest.approx(float(bell[bell < 0.75].median()), abs=0.005)


def test_the_bell_as_it_was_before_is_one_of_the_trials() -> None:
    assert torch.allclose(flow_levels(DRAWS[:1000], 0.0, 0.0), torch.sigmoid(DRAWS[:1000]), atol=1e-5)


def test_the_loss_is_told_by_noise_level(ada) -> None:
    from workers.diffusion.train import Trainer

    for base in ("klein", "sdxl", "z-image"):
        told = Trainer(tiny(base)).train(ada, seed=1, steps=8).levels
        assert sum(one.steps for one in told) == 8
        assert [one.above for one in told] == [0.0, 0.25, 0.5, 0.75, 0.9]
        assert all((one.early is None and one.late is None) == (one.steps == 0) for one in told)


def test_a_lesson_is_noise_and_picture_in_the_told_share() -> None:
    recipe = recipe_of(tiny("klein"))
    clean, noise = torch.full((1, 16, 4, 4), 2.0), torch.full((1, 16, 4, 4), -1.0)
    noisy, step, target = recipe.lesson(clean, noise, torch.tensor([0.3]))
    assert torch.allclose(noisy, 2.0 - 3.0 * step.view(1, 1, 1, 1).expand_as(noisy))
    assert torch.equal(target, noise - clean)


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
def test_sdxls_first_steps_have_their_noise_in_any_precision(precision) -> None:
    recipe = recipe_of(tiny("sdxl"))
    clean = torch.zeros((1, 4, 8, 8), dtype=precision)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(0))
    for wanted in (0, 1):
        noisy, step, target = recipe.lesson(
            clean, noise, torch.special.ndtri(torch.tensor([(wanted + 0.5) / 1000]))
        )
        assert int(step) == wanted
        share = (1 - recipe._noise.alphas_cumprod[wanted]).sqrt()
        assert torch.allclose(noisy.float(), share * noise, rtol=0.01), "0 in half precision"
        assert torch.equal(target, noise)


def test_saying_nothing_is_what_the_stock_pipeline_says_then() -> None:
    model = tiny("sdxl")
    recipe = recipe_of(model)
    one, nothing = recipe.texts(["a portrait", ""]), recipe.texts([""])
    _, wanted, _, pooled = model.pipeline.encode_prompt("a portrait", do_classifier_free_guidance=True)
    for texts in (one.pick(1), nothing):
        assert torch.equal(texts.tokens, wanted)
        assert torch.equal(texts.pooled, pooled)
    assert one.pick(0).tokens.any()
    model.pipeline.register_to_config(force_zeros_for_empty_prompt=False)
    assert recipe.texts([""]).tokens.any(), "a pipeline that says otherwise"


def test_sdxl_is_told_what_size_a_picture_was_made_from() -> None:
    recipe, told = recipe_of(tiny("sdxl")), []

    def denoiser(
        noisy: torch.Tensor, *_: object, added_cond_kwargs: dict[str, torch.Tensor], **__: object
    ) -> tuple[torch.Tensor]:
        told.append(added_cond_kwargs["time_ids"][0].tolist())
        return (noisy,)

    noisy = torch.zeros((1, 4, 16, 12))
    for original in (None, (611, 459)):
        recipe.predict(denoiser, noisy, torch.tensor([3]), recipe.texts(["a"]), original)
    assert told == [[128, 96, 0, 0, 128, 96], [611, 459, 0, 0, 128, 96]]
