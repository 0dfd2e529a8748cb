"""What a training step reads, encoded once: latents, masks and captions; and what must stay as the base has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from workers.diffusion.examples import Example
from workers.diffusion.recipes import Recipe, Texts

# What is asked without a company's word must stay as it was; so must the empty caption, which guidance starts from.
_PLAIN: Final = ("", "portrait photo", "a photo of a person", "a photo of ohwx person, head and shoulders")


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """An answer of the base, before anything was learned."""

    noisy: torch.Tensor
    step: torch.Tensor
    texts: Texts
    said: torch.Tensor


@dataclass(slots=True, eq=False)
class Lessons:
    """The examples as the denoiser reads them.

    Attributes:
        clean: Each 1 × channels × height × width.
        masks: Each 1 × 1 × height × width, mean 1; 0 teaches nothing.
        texts: A caption for each.
        nothing: The empty caption.
        plain: Captions without any learned word.
        kept: The base's answers to those; empty for a person.
    """

    clean: list[torch.Tensor]
    masks: list[torch.Tensor]
    texts: Texts
    nothing: Texts
    plain: Texts
    kept: list[Kept] = field(default_factory=list)


def prepare(recipe: Recipe, examples: Sequence[Example]) -> Lessons:
    """Encode training pictures."""
    clean, masks = [], []
    for example in examples:
        pixels = torch.from_numpy(example.pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        latent = recipe.latents(pixels)
        mask = torch.from_numpy(np.asarray(example.mask, np.float32))[None, None]
        small = functional.interpolate(mask, latent.shape[-2:], mode="area").to(latent.device)
        clean.append(latent)
        masks.append(small / small.mean().clamp_min(0.05))  # a person in a corner must not shout
    texts = recipe.texts([example.caption for example in examples])
    return Lessons(clean, masks, texts, recipe.texts([""]), recipe.texts(_PLAIN))
