"""What a training step reads, encoded once: latents, masks and captions; and what must stay as the base has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import torch
from torch.nn import functional

from workers.diffusion.picture import Example
from workers.diffusion.recipes import Recipe, Texts

# What is asked without a company's word must stay as it was; so must the empty caption, which guidance starts from.
_PLAIN: Final = ("", "portrait photo", "a photo of a person", "a photo of ohwx person, head and shoulders")

STRIDE: Final = 1_000_003  # a prime, so that seeds of two people never give the same steps
_ROUND: Final = 5  # steps
_CLOSE: Final = (1, 3)  # of them: 40 % look at face and hair alone, which a headshot is recognised by


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
        originals: Height and width, pixels, of what each was cut out of.
        wide: Which show head and shoulders, or a whole picture.
        close: Which show face and hair alone.
        kept: The base's answers to those; empty for a person.
    """

    clean: list[torch.Tensor]
    masks: list[torch.Tensor]
    texts: Texts
    nothing: Texts
    plain: Texts
    originals: list[tuple[int, int]]
    wide: list[int]
    close: list[int]
    kept: list[Kept] = field(default_factory=list)

    def turn(self, seed: int, step: int) -> int:
        """Return whose turn a step is: in two of five steps a close one's, each kind in an order by chance."""
        group, nth = [*self.wide, *self.close], step
        if self.wide and self.close:
            round_of_five, place = divmod(step, _ROUND)
            close = place in _CLOSE
            group = self.close if close else self.wide
            before = sum((one in _CLOSE) is close for one in range(place))
            nth = round_of_five * (len(_CLOSE) if close else _ROUND - len(_CLOSE)) + before
        epoch, at = divmod(nth, len(group))
        order = torch.randperm(len(group), generator=torch.Generator().manual_seed(seed * STRIDE + epoch))
        return group[int(order[at])]


def prepare(recipe: Recipe, examples: Sequence[Example]) -> Lessons:
    """Encode training pictures."""
    clean, masks, originals = [], [], []
    for example in examples:
        pixels = torch.from_numpy(example.pixels.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        latent = recipe.latents(pixels)
        mask = torch.from_numpy(np.asarray(example.mask, np.float32))[None, None]
        small = functional.interpolate(mask, latent.shape[-2:], mode="area").to(latent.device)
        clean.append(latent)
        originals.append(example.original or (example.pixels.shape[0], example.pixels.shape[1]))
        masks.append(small / small.mean().clamp_min(0.05))  # a person in a corner must not shout
    texts = recipe.texts([example.caption for example in examples])
    close = [index for index, example in enumerate(examples) if example.close]
    return Lessons(
        clean,
        masks,
        texts,
        nothing=recipe.texts([""]),
        plain=recipe.texts(_PLAIN),
        originals=originals,
        wide=[index for index in range(len(examples)) if index not in close],
        close=close,
    )
