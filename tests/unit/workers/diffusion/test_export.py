"""An adapter that diffusers itself loads."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs torch, diffusers and peft: make setup-gpu")

from dataclasses import replace

from learning import tiny

from workers.diffusion import random_weights
from workers.diffusion.adapters import DOWN, UP, Adapter, Facts
from workers.diffusion.bank import targeted
from workers.diffusion.export import diffusers_names
from workers.diffusion.sample import Request, Sampler


@pytest.mark.parametrize("name", ["klein", "sdxl", "z-image"])
def test_diffusers_paints_the_same_person_with_an_exported_adapter(name: str) -> None:
    model = tiny(name)
    base = replace(model.base, sample_side=64, sample_steps=2)
    rng, weights = np.random.default_rng(0), {}
    for layer, module in targeted(model.denoiser, base.targets).items():
        weights[layer + DOWN] = rng.normal(0, 0.3, (base.rank, module.in_features)).astype(np.float32)
        weights[layer + UP] = rng.normal(0, 0.3, (module.out_features, base.rank)).astype(np.float32)
    facts = Facts(
        kind="person",
        base=name,
        revision=model.revision,
        rank=base.rank,
        alpha=2 * base.rank,
        steps=1,
        seed=0,
    )
    person = Adapter(weights, facts)

    outside = random_weights.pipeline(name)
    outside.set_progress_bar_config(disable=True)
    bare = _painted(outside, base)
    outside.load_lora_weights(
        {key: torch.from_numpy(array) for key, array in diffusers_names(person, base.denoiser).items()}
    )
    painted = _painted(outside, base)
    sampler = Sampler(replace(tiny(name), base=base))
    sampler.load(1, person)
    ours = next(sampler.sample([Request("a portrait", 5, 1)]))
    assert np.abs(painted.astype(int) - ours.astype(int)).max() <= 1
    assert np.abs(painted.astype(int) - bare.astype(int)).max() > 20


def _painted(pipeline, base) -> np.ndarray:
    made = pipeline(
        prompt="a portrait",
        height=64,
        width=64,
        num_inference_steps=2,
        guidance_scale=base.guidance,
        generator=torch.Generator().manual_seed(5),
        output_type="np",
        **({} if base.name == "sdxl" else {"max_sequence_length": base.text_tokens}),
        **({"cfg_normalization": True} if base.name == "z-image" else {}),
    ).images[0]
    return np.rint(made * 255).astype(np.uint8)
