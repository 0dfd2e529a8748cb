"""The real classes with random weights: small, for running the whole path anywhere, or full size, for timing.

They make noise, by design: no gate passes it, and the studio takes over. Everything around them (names of
layers, shapes' roles, schedulers, tokenizers, pipelines) is what trained weights have.
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
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
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
    Qwen3Model,
)

_SEED: Final = 20_261
# A chat's frame as Qwen3 writes it, without the thinking that the pipeline switches off.
_CHAT: Final = "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
_TINY_VAE: Final[dict[str, Any]] = {
    "block_out_channels": (8, 16, 16, 16),
    "latent_channels": 4,
    "norm_num_groups": 4,
    "layers_per_block": 1,
}
_ASKED: Final = "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
# Qwen3 4B, which reads captions for klein and for Z-Image.
_QWEN: Final[dict[str, Any]] = {
    "hidden_size": 2560,
    "intermediate_size": 9728,
    "num_hidden_layers": 36,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "head_dim": 128,
}
_TINY_QWEN: Final[dict[str, Any]] = {
    "hidden_size": 32,
    "intermediate_size": 32,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
}
# Each part's sizes, small and as published; 3.88, 2.57 and 6.15 thousand million parameters in the denoisers.
_KLEIN: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "tiny": {
        "transformer": {
            "in_channels": 16,
            "num_layers": 1,
            "num_single_layers": 2,
            "attention_head_dim": 16,
            "num_attention_heads": 2,
            "joint_attention_dim": 3 * 32,
            "timestep_guidance_channels": 32,
            "axes_dims_rope": (4, 4, 4, 4),
        },
        "vae": {**_TINY_VAE, "sample_size": 64},
        # The pipeline reads the hidden states of layers 9, 18 and 27.
        "text": {**_TINY_QWEN, "num_hidden_layers": 28},
    },
    "full": {
        "transformer": {
            "in_channels": 128,
            "num_layers": 5,
            "num_single_layers": 20,
            "attention_head_dim": 128,
            "num_attention_heads": 24,
            "joint_attention_dim": 3 * 2560,
        },
        "vae": {},
        "text": _QWEN,
    },
}
_SDXL: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "tiny": {
        "unet": {
            "block_out_channels": (32, 64),
            "layers_per_block": 1,
            "sample_size": 16,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
            "attention_head_dim": (2, 4),
            "addition_time_embed_dim": 8,
            "transformer_layers_per_block": (1, 2),
            "projection_class_embeddings_input_dim": 6 * 8 + 32,
            "cross_attention_dim": 2 * 32,
            "norm_num_groups": 8,
        },
        "vae": {**_TINY_VAE, "sample_size": 128},
        "text": {
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
        },
        "text_2": {
            "hidden_size": 32,
            "intermediate_size": 32,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
        },
    },
    "full": {
        "unet": {
            "block_out_channels": (320, 640, 1280),
            "layers_per_block": 2,
            "sample_size": 128,
            "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
            "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
            "attention_head_dim": (5, 10, 20),
            "addition_time_embed_dim": 256,
            "transformer_layers_per_block": (1, 2, 10),
            "projection_class_embeddings_input_dim": 6 * 256 + 1280,
            "cross_attention_dim": 768 + 1280,
        },
        "vae": {
            "block_out_channels": (128, 256, 512, 512),
            "latent_channels": 4,
            "layers_per_block": 2,
            "sample_size": 1024,
        },
        "text": {
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 12,
            "num_attention_heads": 12,
        },
        "text_2": {
            "hidden_size": 1280,
            "intermediate_size": 5120,
            "num_hidden_layers": 32,
            "num_attention_heads": 20,
        },
    },
}
_Z_IMAGE: Final[dict[str, dict[str, dict[str, Any]]]] = {
    "tiny": {
        "transformer": {
            "in_channels": 4,
            "dim": 32,
            "n_layers": 2,
            "n_refiner_layers": 1,
            "n_heads": 2,
            "n_kv_heads": 2,
            "cap_feat_dim": 32,
            "axes_dims": (8, 4, 4),
            "axes_lens": (128, 32, 32),
        },
        "vae": {**_TINY_VAE, "sample_size": 128},
        "text": {**_TINY_QWEN, "num_hidden_layers": 3},
    },
    "full": {
        "transformer": {
            "in_channels": 16,
            "dim": 3840,
            "n_layers": 30,
            "n_refiner_layers": 2,
            "n_heads": 30,
            "n_kv_heads": 30,
            "cap_feat_dim": 2560,
            "axes_dims": (32, 48, 48),
        },
        "vae": {
            "block_out_channels": (128, 256, 512, 512),
            "latent_channels": 16,
            "layers_per_block": 2,
            "sample_size": 1024,
        },
        "text": _QWEN,
    },
}
SIZES: Final = {"klein": _KLEIN, "sdxl": _SDXL, "z-image": _Z_IMAGE}


def pipeline(name: str, size: str = "tiny", *, inpainting: bool = False) -> Any:
    """Return a pipeline of the base `name` with random weights, the same in every process.

    Args:
        name: `klein`, `sdxl` or `z-image`.
        size: `tiny`, some 100,000 parameters; or `full`, which needs a GPU's memory and a default device.
        inpainting: The network that paints a part of a picture, of the base that has one apart.

    Raises:
        KeyError: there is no such base or size.
    """
    make = _sdxl_inpainting if inpainting else {"klein": _klein, "sdxl": _sdxl, "z-image": _z_image}[name]
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(_SEED)
        return make(SIZES[name][size])


def _klein(parts: dict[str, dict[str, Any]]) -> Flux2KleinPipeline:
    transformer = Flux2Transformer2DModel(patch_size=1, guidance_embeds=False, **parts["transformer"])
    vae = AutoencoderKLFlux2(**parts["vae"])
    latents = _encoded(vae)
    patches = latents.unfold(2, 2, 2).unfold(3, 2, 2).permute(0, 1, 4, 5, 2, 3).flatten(1, 3)
    vae.bn.running_mean.copy_(patches.mean((0, 2, 3)))
    vae.bn.running_var.copy_(patches.var((0, 2, 3)))
    tokenizer = Qwen2TokenizerFast(vocab={char: i for i, char in enumerate(_words())}, merges=[])
    tokenizer.chat_template = _CHAT
    encoder = Qwen3ForCausalLM(Qwen3Config(vocab_size=len(tokenizer), **parts["text"]))
    return Flux2KleinPipeline(
        FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        vae,
        encoder.eval(),
        tokenizer,
        transformer.eval(),
        is_distilled=True,
    )


def _sdxl_inpainting(parts: dict[str, dict[str, Any]]) -> StableDiffusionXLInpaintPipeline:
    return StableDiffusionXLInpaintPipeline(**_sdxl(parts, channels=9).components, add_watermarker=False)


def _sdxl(parts: dict[str, dict[str, Any]], channels: int = 4) -> StableDiffusionXLPipeline:
    unet = UNet2DConditionModel(
        in_channels=channels,
        out_channels=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        **parts["unet"],
    )
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        **parts["vae"],
    )
    vae.register_to_config(scaling_factor=1 / float(_encoded(vae).float().std()))
    characters = _words()[:-1]
    vocabulary = {word: i for i, word in enumerate([*characters, *(char + "</w>" for char in characters)])}
    for special in ("<|startoftext|>", "<|endoftext|>"):
        vocabulary[special] = len(vocabulary)
    first, second = (CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77) for _ in range(2))
    texts = [
        CLIPTextConfig(
            vocab_size=len(vocabulary),
            projection_dim=sizes["hidden_size"],
            bos_token_id=vocabulary["<|startoftext|>"],
            eos_token_id=vocabulary["<|endoftext|>"],
            **sizes,
        )
        for sizes in (parts["text"], parts["text_2"])
    ]
    return StableDiffusionXLPipeline(
        vae,
        CLIPTextModel(texts[0]).eval(),
        CLIPTextModelWithProjection(texts[1]).eval(),
        first,
        second,
        unet.eval(),
        EulerDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="leading"
        ),
        add_watermarker=False,
    )


def _z_image(parts: dict[str, dict[str, Any]]) -> ZImagePipeline:
    transformer = ZImageTransformer2DModel(**parts["transformer"])
    for token in (transformer.x_pad_token, transformer.cap_pad_token):
        torch.nn.init.normal_(token)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        use_quant_conv=False,
        use_post_quant_conv=False,
        **parts["vae"],
    )
    latents = _encoded(vae).float()
    vae.register_to_config(shift_factor=float(latents.mean()), scaling_factor=1 / float(latents.std()))
    tokenizer = Qwen2TokenizerFast(vocab={char: i for i, char in enumerate(_words())}, merges=[])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    tokenizer.chat_template = _CHAT + _ASKED
    encoder = Qwen3Model(Qwen3Config(vocab_size=len(tokenizer), **parts["text"]))
    return ZImagePipeline(
        FlowMatchEulerDiscreteScheduler(shift=6.0), vae, encoder.eval(), tokenizer, transformer.eval()
    )


@torch.no_grad()
def _encoded(vae: Any) -> torch.Tensor:
    """Return latents of blurred noise: trained bases' latents have a variance of 1, and so shall these."""
    kind = next(vae.parameters())
    blots = torch.nn.functional.interpolate(torch.rand(8, 3, 6, 6), (64, 64), mode="bicubic")
    pictures = blots.clamp(0, 1).to(kind) * 2 - 1
    latents: torch.Tensor = vae.eval().encode(pictures).latent_dist.mode()
    return latents


def _words() -> list[str]:
    """Return a byte-level alphabet, which can spell anything, and the end of a text."""
    return [*sorted(pre_tokenizers.ByteLevel.alphabet()), "<|endoftext|>"]
