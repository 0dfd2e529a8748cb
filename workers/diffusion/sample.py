"""Make pictures: several people in one batch, each with their own adapter slot, prompt and seed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import torch
from diffusers import (
    Flux2KleinInpaintPipeline,
    StableDiffusionXLImg2ImgPipeline,
    StableDiffusionXLInpaintPipeline,
)
from numpy.typing import NDArray
from PIL import Image

from workers.diffusion.adapters import Adapter, AdapterRefused
from workers.diffusion.bank import EMPTY, Bank
from workers.diffusion.bases import Base, cannot_repaint
from workers.diffusion.models import Model, WeightsMissing
from workers.diffusion.recipes import Texts, recipe_of
from workers.vision.geometry import Pixels

SLOTS: Final = 8  # people of one batch
STYLE_WEIGHT: Final = 0.8  # beyond it a style pulls at the face (docs/sources.md, Adapters)
REFERENCES: Final = (
    3  # photos that a person is shown by; klein takes four, and each costs half of the picture
)
_PROMPTS: Final = 256  # encoded captions that are kept; a style has a handful
_INPAINT: Final[dict[str, Any]] = {
    "klein": Flux2KleinInpaintPipeline,
    "sdxl": StableDiffusionXLInpaintPipeline,
}


@dataclass(frozen=True, slots=True)
class Request:
    """One picture to make."""

    prompt: str
    seed: int
    slot: int = EMPTY


class OutOfMemory(Exception):
    """Not even one picture fits into the GPU's memory."""


class Sampler:
    """Makes pictures with one loaded base; adapters are swapped without recompiling.

    Args:
        model: The base to sample with.
        trained_on: `Model.revision` of what adapters are trained on; the model's own by default.
        slots: Adapters at a time.
        batch: Pictures of one pass at most where nothing is shown; halved for good when the GPU's memory does not suffice.
        compiled: Compile the repeated blocks; by default on a GPU.
        on_halved: Told the new size when the batch was halved.
    """

    def __init__(
        self,
        model: Model,
        *,
        trained_on: str | None = None,
        slots: int = SLOTS,
        batch: int = SLOTS,
        compiled: bool | None = None,
        on_halved: Callable[[int], None] = lambda _size: None,
    ) -> None:
        self.model = model
        self._room = batch * model.base.tokens()  # of one pass
        self._on_halved = on_halved
        self._trained_on = trained_on or model.revision
        self._recipe = recipe_of(model)
        self._copies = 2 if model.base.guidance > 1 else 1
        self.bank = Bank(
            model.denoiser,
            model.base.targets,
            slots=slots,
            rank=model.base.rank + model.base.style_rank,
            batch=self._copies * batch,
        )
        self._texts: OrderedDict[str, Texts] = OrderedDict()
        if model.device.type == "cuda" if compiled is None else compiled:
            # As fast as compiling the whole, in a tenth of the time (docs/sources.md, Speed).
            self.model.pipeline.vae.decode = torch.compile(self.model.pipeline.vae.decode)
            denoiser: Any = model.denoiser
            denoiser.compile_repeated_blocks(fullgraph=True)
        if model.base.name == "sdxl":
            _decode_in_float32(model.pipeline.vae)

    @property
    def batch(self) -> int:
        """Pictures of one pass where nothing is shown."""
        return self.fits()

    def fits(self, references: int = 0) -> int:
        """Return how many pictures one pass takes beside so many references: no more tokens than a batch without has."""
        return max(1, self._room // self.model.base.tokens(references))

    def paint_as(self, base: Base) -> None:
        """Make pictures as `base` says, which is this one but for the numbers of sampling."""
        self.model = replace(self.model, base=base)
        self._recipe = recipe_of(self.model)

    def load(self, slot: int, person: Adapter | None, look: Adapter | None = None) -> None:
        """Put a person, the company's look, or the sum of both into a slot.

        Args:
            slot: 1 and up.
            person: Trained on this base; `None` for whoever is shown instead.
            look: The same of the company's look.

        Raises:
            AdapterRefused: trained on another base, or on other weights of it.
        """
        both = [(one, weight) for one, weight in ((person, 1.0), (look, STYLE_WEIGHT)) if one is not None]
        for adapter, _ in both:
            self.check(adapter)
        self.bank.write(slot, both)

    def check(self, adapter: Adapter) -> None:
        """Find out whether an adapter can be loaded.

        Raises:
            AdapterRefused: trained on another base or on other weights of it, or it does not fit into a slot.
        """
        if (adapter.facts.base, adapter.facts.revision) != (self.model.base.name, self._trained_on):
            raise AdapterRefused(
                "The model was trained on other weights than this worker runs. It is trained again."
            )
        self.bank.check([adapter])

    def sample(self, requests: Sequence[Request], references: Sequence[Pixels] = ()) -> Iterator[Pixels]:
        """Yield a picture for each request, in order; uint8, side × side × 3, sRGB.

        Args:
            requests: What to make; where somebody is shown, of that person only.
            references: uint8 pictures of one person, at most about a megapixel each, which the base sees in every
                request: beside what a slot holds, or without any training.

        Raises:
            ValueError: the base cannot be shown pictures.
            OutOfMemory: one picture alone does not fit.
        """
        if references and not self.model.base.references:
            raise ValueError(f"{self.model.base.title} cannot be shown pictures of a person")
        shown: dict[str, Any] = {"image": [Image.fromarray(one) for one in references]} if references else {}
        for chunk in self._chunks(requests, len(references)):
            texts = [self._encoded(request.prompt) for request in chunk]
            yield from self._paint(chunk, beside=len(references), **shown, **self._prompt(texts))

    def repaint(
        self, original: Pixels, mask: NDArray[np.float32], requests: Sequence[Request]
    ) -> Iterator[Pixels]:
        """Yield pictures in which only the masked part is new; nothing else is promised of the rest.

        Args:
            original: uint8, height × width × 3.
            mask: height × width, 1 where to paint.
            requests: What to paint.

        Raises:
            WeightsMissing: the base cannot; says what to fetch.
            OutOfMemory: see `sample`.
        """
        if not self.model.base.repaints:
            raise WeightsMissing(cannot_repaint(self.model.base))
        pipeline = self._sibling(_INPAINT[self.model.base.name])
        side = self.model.base.sample_side
        frame = Image.fromarray(original).resize((side, side), Image.Resampling.LANCZOS)
        where = Image.fromarray((mask * 255).astype(np.uint8)).resize((side, side))
        for request in requests:
            texts = [self._encoded(request.prompt)]
            yield from self._paint(
                [request],
                pipeline=pipeline,
                image=frame,
                mask_image=where,
                strength=1.0,
                **self._prompt(texts),
            )

    def refine(self, original: Pixels, request: Request, references: Sequence[Pixels] = ()) -> Pixels:
        """Paint a picture anew from a little noise, so that what is coarse in it stays.

        Args:
            original: uint8, side × side × 3, of any size.
            request: What it shows.
            references: Pictures of the person to show besides; see `sample`.

        Returns:
            uint8, at the base's own side.

        Raises:
            ValueError: there are references, and the base cannot be shown pictures.
            OutOfMemory: see `sample`.
        """
        if references and not self.model.base.references:
            raise ValueError(f"{self.model.base.title} cannot be shown pictures of a person")
        side = self.model.base.sample_side
        frame = np.asarray(Image.fromarray(original).resize((side, side), Image.Resampling.LANCZOS))
        picture = torch.from_numpy(frame.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        with memory_error() as short:
            arguments = self._recipe.resumed(self._recipe.latents(picture), request.seed)
        if short:
            raise OutOfMemory(f"one picture of {side} pixels does not fit into the GPU's memory")
        if references:
            arguments["image"] = [Image.fromarray(one) for one in references]
        sdxl = self.model.base.name == "sdxl"
        (painted,) = self._paint(
            [request],
            self._sibling(StableDiffusionXLImg2ImgPipeline) if sdxl else None,
            len(references),
            sized=not sdxl,
            **arguments,
            **self._prompt([self._encoded(request.prompt)]),
        )
        return painted

    def forget(self) -> None:
        """Overwrite every slot."""
        for slot in range(1, self.bank.slots + 1):
            self.bank.erase(slot)

    def _chunks(self, requests: Sequence[Request], references: int) -> Iterator[Sequence[Request]]:
        at = 0
        while at < len(requests):
            size = self.fits(references)
            yield requests[at : at + size]
            at += size

    def _sibling(self, kind: Any) -> Any:
        """Return another pipeline of the same parts."""
        parts = self.model.pipeline.components
        if self.model.base.name == "klein":
            parts = {**parts, "is_distilled": bool(self.model.pipeline.config.is_distilled)}
        pipeline = kind(**parts)
        pipeline.set_progress_bar_config(disable=True)
        return pipeline

    def _paint(
        self,
        requests: Sequence[Request],
        pipeline: Any = None,
        beside: int = 0,
        *,
        sized: bool = True,
        **arguments: Any,
    ) -> list[Pixels]:
        """Run the pipeline; where memory does not suffice, run it on each half.

        Args:
            requests: What to make.
            pipeline: Another than the base's own.
            beside: How many references there are.
            sized: Whether the pipeline asks for a size, rather than taking the picture's that it is given.
            arguments: The pipeline's further ones.
        """
        base = self.model.base
        self.bank.route([request.slot for request in requests], self._copies)
        seeds = [torch.Generator(self.model.device).manual_seed(request.seed) for request in requests]
        with memory_error() as short, torch.inference_mode():
            made = (pipeline or self.model.pipeline)(
                **({"height": base.sample_side, "width": base.sample_side} if sized else {}),
                num_inference_steps=base.sample_steps,
                guidance_scale=base.guidance,
                generator=seeds,
                output_type="np",
                **arguments,
            ).images
        if not short:
            return [np.rint(np.nan_to_num(one) * 255).astype(np.uint8) for one in made]
        if len(requests) == 1:
            raise OutOfMemory(f"one picture of {base.sample_side} pixels does not fit into the GPU's memory")
        half = len(requests) // 2
        self._room = min(self._room, half * base.tokens(beside))
        self._on_halved(half)
        return [
            pixels
            for part in (slice(0, half), slice(half, None))
            for pixels in self._paint(requests[part], pipeline, beside, sized=sized, **_part(arguments, part))
        ]

    def _prompt(self, texts: Sequence[Texts]) -> dict[str, Any]:
        nothing = Texts.together([self._encoded("")] * len(texts))
        return self._recipe.prompt(Texts.together(texts), nothing)

    def _encoded(self, prompt: str) -> Texts:
        """Encode a prompt once; what is used least is forgotten."""
        if prompt not in self._texts:
            self._texts[prompt] = self._recipe.texts([prompt])
            if len(self._texts) > _PROMPTS:
                self._texts.popitem(last=False)
        self._texts.move_to_end(prompt)
        return self._texts[prompt]


@contextmanager
def memory_error() -> Iterator[list[str]]:
    """Catch a GPU that is out of memory; the list says so. Its freed blocks are given back."""
    short: list[str] = []
    try:
        yield short
    except torch.cuda.OutOfMemoryError as error:
        short.append(str(error).splitlines()[0])
    if short and torch.cuda.is_available():
        torch.cuda.empty_cache()


def _decode_in_float32(vae: Any) -> None:
    """Let SDXL's VAE paint in float32: it was not made for half precision, and bands where a wall is smooth."""
    decode = vae.decode

    def decoded(latents: torch.Tensor, *rest: Any, **named: Any) -> Any:
        vae.to(torch.float32)  # nothing to do, unless an inpainting pipeline put it back meanwhile
        return decode(latents.float(), *rest, **named)

    vae.decode = decoded


def _part(arguments: dict[str, Any], part: slice) -> dict[str, Any]:
    """Return the arguments with a part of the captions, which are tensors or lists."""
    return {
        name: value[part] if name.endswith("prompt_embeds") else value for name, value in arguments.items()
    }
