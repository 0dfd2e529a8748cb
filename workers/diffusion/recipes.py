"""What differs between the bases when they learn and when they paint: latents, captions, noise, targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
import torch
from diffusers import DDPMScheduler, FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.flux2.pipeline_flux2_klein import compute_empirical_mu
from diffusers.utils.torch_utils import randn_tensor

from workers.diffusion.levels import flow_levels
from workers.diffusion.models import Model
from workers.diffusion.z_image import padded

# FLUX's shift of the times by a picture's tokens: 0.5 at 256 of them, 1.15 at 4,096 (docs/sources.md, Training).
_SHIFT_AT: Final = (256, 0.5)
_SHIFT_SLOPE: Final = 0.65 / 3840


@dataclass(frozen=True, slots=True, eq=False)
class Texts:
    """Captions as the denoiser reads them.

    Attributes:
        tokens: batch × tokens × width.
        pooled: batch × width, of the bases that have it.
        lengths: batch; how many tokens of each are its own, of the bases that mask the rest.
    """

    tokens: torch.Tensor
    pooled: torch.Tensor | None = None
    lengths: torch.Tensor | None = None

    def pick(self, index: int) -> Texts:
        """Return one caption as a batch of one."""
        one = slice(index, index + 1)
        return Texts(
            self.tokens[one],
            None if self.pooled is None else self.pooled[one],
            None if self.lengths is None else self.lengths[one],
        )

    @classmethod
    def together(cls, texts: Sequence[Texts]) -> Texts:
        """Return several as one batch."""
        pooled = [one.pooled for one in texts if one.pooled is not None]
        lengths = [one.lengths for one in texts if one.lengths is not None]
        return cls(
            torch.cat([one.tokens for one in texts]),
            torch.cat(pooled) if pooled else None,
            torch.cat(lengths) if lengths else None,
        )


class Recipe(Protocol):
    """How one base learns."""

    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """Encode batch × 3 × height × width, −1 to 1, into what the denoiser sees."""
        ...

    def texts(self, captions: Sequence[str]) -> Texts:
        """Encode captions."""
        ...

    def lesson(
        self, clean: torch.Tensor, noise: torch.Tensor, where: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return the noisy latents, the time step as the denoiser takes it, and what it should say.

        Args:
            clean: Latents.
            noise: Of the same shape, standard normal, float32.
            where: One standard normal number a picture, which becomes the time step.
        """
        ...

    def level(self, step: torch.Tensor) -> torch.Tensor:
        """Return how noisy a time step is, 0 to 1."""
        ...

    def predict(
        self,
        denoiser: Any,
        noisy: torch.Tensor,
        step: torch.Tensor,
        texts: Texts,
        original: tuple[int, int] | None = None,
    ) -> torch.Tensor:
        """Return what the denoiser says, in the latents' shape.

        Args:
            denoiser: The network.
            noisy: Latents.
            step: As `lesson` returns it.
            texts: Captions.
            original: Height and width, pixels, of what the picture was made from; its own by default.
        """
        ...

    def prompt(self, texts: Texts, nothing: Texts) -> dict[str, Any]:
        """Return the pipeline's arguments for these captions; `nothing` is the empty caption as often."""
        ...

    def resumed(self, clean: torch.Tensor, seed: int) -> dict[str, Any]:
        """Return the pipeline's arguments that add a little noise to latents and go on from there.

        Args:
            clean: Latents of one picture.
            seed: Of the noise.
        """
        ...


class KleinRecipe:
    """FLUX.2 [klein]: rectified flow on packed 2 × 2 patches of a normalised latent."""

    def __init__(self, model: Model) -> None:
        self._pipeline = model.pipeline
        self._tokens = model.base.text_tokens
        self._shift, self._share = model.base.shift, model.base.upper_share
        self._level, self._steps = model.base.detail_level, model.base.sample_steps

    @torch.no_grad()
    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """See `Recipe.latents`; the distribution's mode, so that a picture always gives the same."""
        vae = self._pipeline.vae
        encoded = vae.encode(pictures.to(vae.device, vae.dtype)).latent_dist.mode()
        # Two by two neighbours become channels, then each channel is normalised as the VAE was trained.
        count, channels, height, width = encoded.shape
        patches = encoded.view(count, channels, height // 2, 2, width // 2, 2).permute(0, 1, 3, 5, 2, 4)
        packed = patches.reshape(count, channels * 4, height // 2, width // 2)
        mean = vae.bn.running_mean.view(1, -1, 1, 1).to(packed)
        spread = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1) + vae.config.batch_norm_eps).to(packed)
        normal: torch.Tensor = (packed - mean) / spread
        return normal

    @torch.no_grad()
    def texts(self, captions: Sequence[str]) -> Texts:
        """See `Recipe.texts`."""
        tokens, _ = self._pipeline.encode_prompt(list(captions), max_sequence_length=self._tokens)
        return Texts(tokens)

    def lesson(
        self, clean: torch.Tensor, noise: torch.Tensor, where: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See `Recipe.lesson`; shifted times, see `flow_levels`."""
        at, least = _SHIFT_AT
        shift = self._shift
        if shift is None:
            shift = least + _SHIFT_SLOPE * (clean.shape[-2] * clean.shape[-1] - at)
        # As coarse as the denoiser is told it, but mixed in float32.
        step = flow_levels(where, shift, self._share).to(clean)
        sigma = step.float().view(-1, 1, 1, 1)
        noisy = (1 - sigma) * clean.float() + sigma * noise
        return noisy.to(clean), step, noise - clean.float()

    def level(self, step: torch.Tensor) -> torch.Tensor:
        """See `Recipe.level`."""
        return step.float()

    def predict(
        self,
        denoiser: Any,
        noisy: torch.Tensor,
        step: torch.Tensor,
        texts: Texts,
        original: tuple[int, int] | None = None,  # noqa: ARG002 - klein is not told
    ) -> torch.Tensor:
        """See `Recipe.predict`."""
        count, channels, height, width = noisy.shape
        places = self._pipeline._prepare_latent_ids(noisy).to(noisy.device)  # noqa: SLF001 - the pipeline's own positions
        words = self._pipeline._prepare_text_ids(texts.tokens).to(noisy.device)  # noqa: SLF001
        said = denoiser(
            hidden_states=noisy.flatten(2).transpose(1, 2),
            timestep=step,
            guidance=None,
            encoder_hidden_states=texts.tokens,
            txt_ids=words,
            img_ids=places,
            return_dict=False,
        )[0]
        return torch.reshape(said.transpose(1, 2), (count, channels, height, width))

    def prompt(self, texts: Texts, nothing: Texts) -> dict[str, Any]:  # noqa: ARG002 - distilled: no guidance
        """See `Recipe.prompt`."""
        return {"prompt_embeds": texts.tokens}

    def resumed(self, clean: torch.Tensor, seed: int) -> dict[str, Any]:
        """See `Recipe.resumed`; evenly down from the level, in as many steps as a picture takes."""
        scheduler = self._pipeline.scheduler
        tokens = clean.shape[-2] * clean.shape[-1]
        shift = compute_empirical_mu(image_seq_len=tokens, num_steps=self._steps)
        # The scheduler shifts the levels that it is given; the same shift backwards comes before.
        levels = np.linspace(self._level, self._level / self._steps, self._steps)
        given = scheduler.time_shift(-shift, 1.0, levels)
        scheduler.set_timesteps(sigmas=given, mu=shift, device=clean.device)
        # As noisy as the schedule really begins: a step that expects more noise than there is leaves blotches.
        return {"latents": _noisy(clean, float(scheduler.sigmas[0]), seed).to(clean), "sigmas": given}


class SdxlRecipe:
    """Stable Diffusion XL: noise prediction on the VAE's scaled latent."""

    def __init__(self, model: Model) -> None:
        self._pipeline = model.pipeline
        self._noise = DDPMScheduler.from_config(model.pipeline.scheduler.config)
        self._scale = model.base.latent_scale
        self._level = model.base.detail_level

    @torch.no_grad()
    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """See `Recipe.latents`; in float32, since SDXL's VAE overflows in half precision."""
        vae = self._pipeline.vae
        before = vae.dtype
        vae.to(torch.float32)
        encoded = vae.encode(pictures.to(vae.device, torch.float32)).latent_dist.mode()
        vae.to(before)
        scaled: torch.Tensor = encoded * vae.config.scaling_factor
        return scaled.to(before)

    @torch.no_grad()
    def texts(self, captions: Sequence[str]) -> Texts:
        """See `Recipe.texts`."""
        tokens, _, pooled, _ = self._pipeline.encode_prompt(list(captions), do_classifier_free_guidance=False)
        if self._pipeline.config.force_zeros_for_empty_prompt:
            # The base was trained to see zeros where nothing is said, and its pipeline shows it such.
            said = torch.tensor([bool(caption) for caption in captions], device=tokens.device)
            tokens, pooled = tokens * said[:, None, None], pooled * said[:, None]
        return Texts(tokens, pooled)

    def lesson(
        self, clean: torch.Tensor, noise: torch.Tensor, where: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See `Recipe.lesson`; uniform times, as the base was trained."""
        total = self._noise.config.num_train_timesteps
        uniform = torch.special.ndtr(where)
        step = (uniform * total).long().clamp(0, total - 1)
        # In half precision the first steps' share of noise is rounded away.
        return self._noise.add_noise(clean.float(), noise, step).to(clean), step, noise

    def level(self, step: torch.Tensor) -> torch.Tensor:
        """See `Recipe.level`."""
        total: int = self._noise.config.num_train_timesteps
        return step.float() / total

    def predict(
        self,
        denoiser: Any,
        noisy: torch.Tensor,
        step: torch.Tensor,
        texts: Texts,
        original: tuple[int, int] | None = None,
    ) -> torch.Tensor:
        """See `Recipe.predict`."""
        height, width = (side * self._scale for side in noisy.shape[-2:])
        # Original size, crop corner, target size. The base knows by the first how sharp a picture is.
        told = (*(original or (height, width)), 0, 0, height, width)
        sizes = torch.tensor(told, device=noisy.device, dtype=torch.float32)
        said: torch.Tensor = denoiser(
            noisy,
            step,
            encoder_hidden_states=texts.tokens,
            added_cond_kwargs={"text_embeds": texts.pooled, "time_ids": sizes.expand(len(noisy), -1)},
            return_dict=False,
        )[0]
        return said

    def prompt(self, texts: Texts, nothing: Texts) -> dict[str, Any]:
        """See `Recipe.prompt`."""
        return {
            "prompt_embeds": texts.tokens,
            "pooled_prompt_embeds": texts.pooled,
            "negative_prompt_embeds": nothing.tokens,
            "negative_pooled_prompt_embeds": nothing.pooled,
        }

    def resumed(self, clean: torch.Tensor, seed: int) -> dict[str, Any]:  # noqa: ARG002 - the pipeline's own noise
        """See `Recipe.resumed`; the pipeline takes the last of a picture's steps."""
        return {"image": clean, "strength": self._level}


class ZImageRecipe:
    """Z-Image: rectified flow on the VAE's shifted and scaled latent; the network is told 1 less the noise level."""

    def __init__(self, model: Model) -> None:
        self._pipeline = model.pipeline
        self._tokens, self._shift = model.base.text_tokens, model.base.shift
        self._level, self._steps = model.base.detail_level, model.base.sample_steps
        scheduler = FlowMatchEulerDiscreteScheduler.from_config(model.pipeline.scheduler.config)
        self._total: int = scheduler.config.num_train_timesteps
        self._levels = scheduler.sigmas.to(model.device)

    @torch.no_grad()
    def latents(self, pictures: torch.Tensor) -> torch.Tensor:
        """See `Recipe.latents`; the distribution's mode."""
        vae = self._pipeline.vae
        encoded = vae.encode(pictures.to(vae.device, vae.dtype)).latent_dist.mode()
        scaled: torch.Tensor = (encoded - vae.config.shift_factor) * vae.config.scaling_factor
        return scaled

    @torch.no_grad()
    def texts(self, captions: Sequence[str]) -> Texts:
        """See `Recipe.texts`."""
        said, _ = self._pipeline.encode_prompt(
            list(captions), do_classifier_free_guidance=False, max_sequence_length=self._tokens
        )
        tokens, lengths = padded(said, self._pipeline.transformer.caption_tokens)
        return Texts(tokens, lengths=lengths)

    def lesson(
        self, clean: torch.Tensor, noise: torch.Tensor, where: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """See `Recipe.lesson`; uniform among the levels that its sampler goes through, or a bell with a shift."""
        if self._shift is None:
            place = (torch.special.ndtr(-where) * self._total).long().clamp(0, self._total - 1)
            level = self._levels[place]
        else:
            level = flow_levels(where, self._shift, 0.0)
        sigma = level.view(-1, 1, 1, 1)
        noisy = (1 - sigma) * clean.float() + sigma * noise
        return noisy.to(clean), (self._total - self._total * level) / self._total, noise - clean.float()

    def level(self, step: torch.Tensor) -> torch.Tensor:
        """See `Recipe.level`."""
        return 1 - step

    def predict(
        self,
        denoiser: Any,
        noisy: torch.Tensor,
        step: torch.Tensor,
        texts: Texts,
        original: tuple[int, int] | None = None,  # noqa: ARG002 - Z-Image is not told
    ) -> torch.Tensor:
        """See `Recipe.predict`; the network says the way to the picture, and the lesson is the way to the noise."""
        said = denoiser(noisy[:, :, None], step, texts.tokens, texts.lengths)[0]
        return -torch.squeeze(said, 2)

    def prompt(self, texts: Texts, nothing: Texts) -> dict[str, Any]:
        """See `Recipe.prompt`."""
        return {
            "prompt_embeds": _cut(texts),
            "negative_prompt_embeds": _cut(nothing),
            "cfg_normalization": True,  # as its model card asks for photographs
        }

    def resumed(self, clean: torch.Tensor, seed: int) -> dict[str, Any]:
        """See `Recipe.resumed`; the last steps of a picture, from where its schedule has passed the level."""
        scheduler = self._pipeline.scheduler
        whole, shift = np.linspace(1.0, 1 / self._steps, self._steps), scheduler.config.shift
        # What is given is shifted by the scheduler; a schedule of few steps may pass no level at all but its last.
        given = [one for one in whole if shift * one / (1 + (shift - 1) * one) <= self._level + 1e-6]
        given = given or [whole[-1]]
        scheduler.set_timesteps(sigmas=given, device=clean.device)
        return {"latents": _noisy(clean, float(scheduler.sigmas[0]), seed), "sigmas": given}


def _noisy(clean: torch.Tensor, level: float, seed: int) -> torch.Tensor:
    """Return latents of a flow with so much noise in them, float32."""
    chance = torch.Generator(clean.device).manual_seed(seed)
    noise = randn_tensor(clean.shape, generator=chance, device=clean.device, dtype=torch.float32)
    return (1 - level) * clean.float() + level * noise


def _cut(texts: Texts) -> list[torch.Tensor]:
    """Return captions as a list, each of its own length."""
    assert texts.lengths is not None
    return [one[:length] for one, length in zip(texts.tokens, texts.lengths.tolist(), strict=True)]


def recipe_of(model: Model) -> Recipe:
    """Return how the model's base learns."""
    recipes: dict[str, type[KleinRecipe] | type[SdxlRecipe] | type[ZImageRecipe]] = {
        "klein": KleinRecipe,
        "sdxl": SdxlRecipe,
        "z-image": ZImageRecipe,
    }
    return recipes[model.base.name](model)
