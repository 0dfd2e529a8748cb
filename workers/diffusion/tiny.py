"""Small random models of the real classes, for running the whole path without weights.

They make noise, by design: no gate passes it, and the studio takes over. Everything around them (names of
layers, shapes' roles, schedulers, tokenizers, pipelines) is what full-size weights have.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLFlux2,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    Flux2KleinPipeline,
    Flux2Transformer2DModel,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from tokenizers import pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    Qwen2TokenizerFast,
    Qwen3Config,
    Qwen3ForCausalLM,
)

_SEED: Final = 20_261
_WIDTH: Final = 32
# A chat's frame as Qwen3 writes it, without the thinking that the pipeline switches off.
_CHAT: Final = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"


def pipeline(name: str) -> Any:
    """Return a pipeline of the base `name` with random weights, the same in every process.

    Raises:
        KeyError: there is no such base.
    """
    make = {"klein": _klein, "sdxl": _sdxl}[name]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        return make()


def _klein() -> Flux2KleinPipeline:
    transformer = Flux2Transformer2DModel(
        patch_size=1,
        in_channels=16,
        num_layers=1,
        num_single_layers=2,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=3 * _WIDTH,
        timestep_guidance_channels=_WIDTH,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    vae = AutoencoderKLFlux2(
        block_out_channels=(8, 16, 16, 16),
        latent_channels=4,
        norm_num_groups=4,
        layers_per_block=1,
        sample_size=64,
    )
    latents = _encoded(vae)
    patches = latents.unfold(2, 2, 2).unfold(3, 2, 2).permute(0, 1, 4, 5, 2, 3).flatten(1, 3)
    vae.bn.running_mean.copy_(patches.mean((0, 2, 3)))
    vae.bn.running_var.copy_(patches.var((0, 2, 3)))
    tokenizer = Qwen2TokenizerFast(vocab={char: i for i, char in enumerate(_words())}, merges=[])
    tokenizer.chat_template = _CHAT
    # The pipeline reads the hidden states of layers 9, 18 and 27.
    encoder = Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=_WIDTH,
            intermediate_size=_WIDTH,
            num_hidden_layers=28,
            num_attention_heads=2,
            num_key_value_heads=1,
            head_dim=16,
        )
    )
    return Flux2KleinPipeline(
        FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae.eval(),
        encoder.eval(),
        tokenizer,
        transformer.eval(),
        is_distilled=True,
    )


def _sdxl() -> StableDiffusionXLPipeline:
    unet = UNet2DConditionModel(
        block_out_channels=(_WIDTH, 2 * _WIDTH),
        layers_per_block=1,
        sample_size=16,
        in_channels=4,
        out_channels=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        attention_head_dim=(2, 4),
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        transformer_layers_per_block=(1, 2),
        projection_class_embeddings_input_dim=6 * 8 + _WIDTH,
        cross_attention_dim=2 * _WIDTH,
        norm_num_groups=8,
    )
    vae = AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=128,
    )
    vae.register_to_config(scaling_factor=1 / float(_encoded(vae).std()))
    characters = _words()[:-1]
    vocabulary = {word: i for i, word in enumerate([*characters, *(char + "</w>" for char in characters)])}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    first, second = (CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77) for _ in range(2))
    text = CLIPTextConfig(
        vocab_size=len(vocabulary),
        hidden_size=_WIDTH,
        intermediate_size=_WIDTH,
        num_hidden_layers=3,
        num_attention_heads=2,
        projection_dim=_WIDTH,
        bos_token_id=vocabulary["<|startoftext|>"],
        eos_token_id=vocabulary["<|endoftext|>"],
    )
    return StableDiffusionXLPipeline(
        vae.eval(),
        CLIPTextModel(text).eval(),
        CLIPTextModelWithProjection(text).eval(),
        first,
        second,
        unet.eval(),
        EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading"
        ),
        add_watermarker=False,
    )


@torch.no_grad()
def _encoded(vae: Any) -> torch.Tensor:
    """Return latents of blurred noise: real bases' latents have a variance of 1, and so shall these."""
    blots = torch.nn.functional.interpolate(torch.rand(8, 3, 6, 6), (64, 64), mode="bicubic")
    latents: torch.Tensor = vae.eval().encode(blots.clamp(0, 1) * 2 - 1).latent_dist.mode()
    return latents


def _words() -> list[str]:
    """Return a byte-level alphabet, which can spell anything, and the end of a text."""
    return [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<|endoftext|>"]
