"""What the engine may build on: each base's parts, numbers and licence, and the names that are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from core.errors import ConfigurationError
from workers.vision.licences import BY_NAME, NO_COMMERCE, RESEARCH

TINY: Final = "tiny"  # where a setting names weights: small random models, for trying the path out
FULL: Final = "full"  # random weights of the real size, for timing


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that somebody has to fetch."""

    repository: str  # hub id
    gigabytes: float  # download in bf16, all parts that are used


@dataclass(frozen=True, slots=True)
class Base:
    """A licensed base model.

    Attributes:
        name: As in `HEADSHOTS_DIFFUSION_BASE`.
        title: For people.
        pipeline: Class name that `model_index.json` must state.
        denoiser: Folder of the network that learns.
        train: What a personal model is trained on.
        sample: What pictures are made with; a few-step distilled sibling where there is one.
        licence: SPDX id or name.
        duties: What the licence asks of the operator.
        targets: Names of the linear layers that learn: full names end in one of these.
        latent_channels: Of the latent that the denoiser sees.
        latent_scale: Image pixels per latent pixel.
        side: Training pictures have about this many pixels squared.
        rank: Of the personal adapter; alpha is the same, so its scale is 1.
        steps: Optimiser steps of one person.
        learning_rate: AdamW's.
        style_rank: Of the adapter of a company's look; at most `rank`, whose place it takes while it is trained.
        style_steps: Optimiser steps of one look.
        style_learning_rate: AdamW's.
        sample_side: Pixels of a made picture's side.
        sample_steps: Denoising steps.
        guidance: Classifier-free guidance; 1 where the base needs none.
        detail_level: Of the noise from which a face is painted anew, 0 to 1: the share of noise, SDXL's of the steps.
        text_tokens: Length that every caption is padded to, and cut to, as the base was trained.
        references: Whether it can be shown pictures of a person without any training.
        repaints: Whether it can paint a part of a picture anew, seeing the rest; see `INPAINTING` for one that cannot.
        parts: Folders of the weights that are read; nothing else is fetched.
        variant: Of the files that are fetched, where the hub has several.
        shape: What the configurations of some parts must say, so that a folder's name counts for nothing.
        likes: Other models that one could take for it, and why not.
        gigabytes: Of a GPU's memory: both networks, one text encoder, and training without checkpointing; calculated.
        shift: Of the bell of noise levels that it learns at; klein's by the picture's tokens where `None`, Z-Image's then
            those of its sampler, without a bell.
        upper_share: Of the noise levels that are uniform over the upper end.
        distilled: Whether pictures are made with a sibling that was distilled to few steps, which must not be trained.
    """

    name: str
    title: str
    pipeline: str
    denoiser: str
    train: Weights
    sample: Weights
    licence: str
    licence_url: str
    duties: tuple[str, ...]
    targets: tuple[str, ...]
    latent_channels: int
    latent_scale: int
    side: int
    rank: int
    steps: int
    learning_rate: float
    style_rank: int
    style_steps: int
    style_learning_rate: float
    sample_side: int
    sample_steps: int
    guidance: float
    detail_level: float
    text_tokens: int
    references: bool
    repaints: bool
    parts: tuple[str, ...]
    variant: str | None
    shape: Mapping[str, Mapping[str, object]]
    likes: str
    gigabytes: float
    distilled: bool
    shift: float | None = None
    upper_share: float = 0.0

    @property
    def reference_side(self) -> int:
        """Pixels of the side of a picture that it is shown: three quarters of one that it makes, so half of the tokens."""
        return self.sample_side * 3 // 4

    def tokens(self, references: int = 0) -> int:
        """Return what one picture of a pass holds of the GPU's memory, in tokens: its caption, itself and what is shown."""
        own, shown = (side // self.latent_scale for side in (self.sample_side, self.reference_side))
        return self.text_tokens + own**2 + references * shown**2


KLEIN: Final = Base(
    name="klein",
    title="FLUX.2 [klein] 4B",
    pipeline="Flux2KleinPipeline",
    denoiser="transformer",
    # Trained on Base, sampled with the distilled model: training the distilled one gives grey pictures
    # (docs/sources.md, Training).
    train=Weights("black-forest-labs/FLUX.2-klein-base-4B", 16.0),
    sample=Weights("black-forest-labs/FLUX.2-klein-4B", 16.0),
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    duties=("Keep the licence and notice files with the weights.",),
    # What the diffusers trainer adapts: attention of both streams, and the fused layers of the single stream.
    targets=(
        "attn.to_q",
        "attn.to_k",
        "attn.to_v",
        "attn.to_out.0",
        "attn.add_q_proj",
        "attn.add_k_proj",
        "attn.add_v_proj",
        "attn.to_add_out",
        "attn.to_qkv_mlp_proj",
        "attn.to_out",
    ),
    latent_channels=128,
    latent_scale=16,
    side=768,
    rank=32,  # docs/sources.md, Training: person rank 32, 2e-4, 800 to 1,200 steps
    steps=800,
    learning_rate=2e-4,
    style_rank=16,  # docs/sources.md, Training: style rank 16, 3e-4, 500 to 800 steps; every third holds the base
    style_steps=750,
    style_learning_rate=3e-4,
    sample_side=1024,
    sample_steps=4,
    guidance=1.0,
    detail_level=0.5,  # half noise; never tried with real weights (docs/first-day.md)
    text_tokens=512,
    references=True,
    repaints=True,
    parts=("transformer", "vae", "text_encoder", "tokenizer", "scheduler"),
    variant=None,
    shape={
        "transformer": {
            "num_attention_heads": 24,
            "attention_head_dim": 128,
            "num_layers": 5,
            "num_single_layers": 20,
            "in_channels": 128,
            "joint_attention_dim": 7680,
        },
        "vae": {"_class_name": "AutoencoderKLFlux2"},
    },
    likes=f"FLUX.2 [klein] 9B and [dev] look alike, and {NO_COMMERCE.replace('its', 'their')}.",
    gigabytes=44.0,  # 2 × 7.8 and 8 of weights, 1 of adapters, about 19 of a step's activations
    distilled=True,
    # A few-step sampler decides there what a face looks like, and a shifted bell alone would seldom look.
    upper_share=0.3,
)

SDXL: Final = Base(
    name="sdxl",
    title="Stable Diffusion XL 1.0",
    pipeline="StableDiffusionXLPipeline",
    denoiser="unet",
    train=Weights("stabilityai/stable-diffusion-xl-base-1.0", 7.0),
    sample=Weights("stabilityai/stable-diffusion-xl-base-1.0", 7.0),
    licence="CreativeML OpenRAIL++-M",
    licence_url="https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
    duties=(
        "Pass the use restrictions of the licence's attachment A on to your customers.",
        "Keep the licence file with the weights.",
    ),
    targets=("to_q", "to_k", "to_v", "to_out.0"),
    latent_channels=4,
    latent_scale=8,
    side=1024,
    rank=16,
    steps=1000,
    learning_rate=1e-4,
    # Rank and steps are klein's, for want of a guide that names SDXL's; the rate is that of diffusers' SDXL trainer.
    style_rank=16,
    style_steps=750,
    style_learning_rate=1e-4,
    sample_side=1024,
    sample_steps=30,
    guidance=5.0,
    detail_level=0.4,  # of the steps: there half is noise, as at 0.5 of klein
    text_tokens=77,
    references=False,
    # Four input channels: it does not see what it paints beside, and leaves seams and another light.
    repaints=False,
    parts=("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler"),
    variant="fp16",
    shape={
        "unet": {
            "in_channels": 4,
            "block_out_channels": (320, 640, 1280),
            "cross_attention_dim": 2048,
            "transformer_layers_per_block": (1, 2, 10),
        },
        "vae": {"_class_name": "AutoencoderKL", "latent_channels": 4},
    },
    likes="Inpainting, refiner and smaller siblings look alike and are something else.",
    gigabytes=32.0,  # 2 × 5.1 and 2 of weights, 1 of adapters, about 18 of a step's activations
    distilled=False,
)

# The same network with five more input channels for the mask and what is around it.
SDXL_INPAINTING: Final = replace(
    SDXL,
    title="Stable Diffusion XL 1.0 Inpainting 0.1",
    pipeline="StableDiffusionXLInpaintPipeline",
    sample=Weights("diffusers/stable-diffusion-xl-1.0-inpainting-0.1", 7.0),
    repaints=True,
    shape={**SDXL.shape, "unet": {**SDXL.shape["unet"], "in_channels": 9}},
    likes="The base itself has 4 input channels, and does not see what it paints beside.",
    gigabytes=6.5,  # beside the base: 5.1 of weights, 0.8 of adapters, a picture; its text encoders are the base's
)

Z_IMAGE: Final = Base(
    name="z-image",
    title="Z-Image",
    pipeline="ZImagePipeline",
    denoiser="transformer",
    # Sampled with what it is trained on: who is learned there is badly met by the distilled sibling
    # (docs/sources.md, Training).
    train=Weights("Tongyi-MAI/Z-Image", 20.5),
    sample=Weights("Tongyi-MAI/Z-Image", 20.5),
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    duties=("Keep the licence and notice files with the weights.",),
    targets=("to_q", "to_k", "to_v", "to_out.0"),  # what the diffusers trainer adapts
    latent_channels=16,
    latent_scale=8,
    side=768,
    rank=32,  # docs/sources.md, Training: rank 32, alpha 32, 1e-4 at 768²
    steps=2000,  # as many pictures as the diffusers trainer's guide takes: 500 steps of four
    learning_rate=1e-4,
    # Rank and steps are klein's, for want of a guide that names Z-Image's; the rate is that of its trainer.
    style_rank=16,
    style_steps=750,
    style_learning_rate=1e-4,
    sample_side=1024,
    sample_steps=28,  # the model card: 28 to 50 steps, guidance 3 to 5
    guidance=4.0,
    detail_level=0.5,  # half noise, as klein: the last 4 of its 28 steps, with the scheduler's shift of 6
    text_tokens=128,  # the longest prompt has some 60 words; each token takes part in every layer
    references=False,
    repaints=False,  # its pipeline blends latents, and the network was not made to see around a mask
    parts=("transformer", "vae", "text_encoder", "tokenizer", "scheduler"),
    variant=None,
    shape={
        "transformer": {
            "dim": 3840,
            "n_layers": 30,
            "n_refiner_layers": 2,
            "n_heads": 30,
            "in_channels": 16,
            "cap_feat_dim": 2560,
            "siglip_feat_dim": None,  # Omni's, which reads pictures
        },
        "vae": {"_class_name": "AutoencoderKL", "latent_channels": 16},
        # All by which the distilled model's folder differs: it has 3.
        "scheduler": {"_class_name": "FlowMatchEulerDiscreteScheduler", "shift": 6.0},
    },
    likes=(
        "Z-Image-Turbo looks alike and is distilled to eight steps: what is trained on Z-Image fits it badly, and "
        "training it undoes the distillation. Omni reads pictures and is another model."
    ),
    gigabytes=56.0,  # 2 × 12.3 and 8 of weights, 1.5 of adapters, about 21 of a step's activations
    distilled=False,
)

BASES: Final = {base.name: base for base in (KLEIN, SDXL, Z_IMAGE)}

# What paints a part of a picture for a base that does not.
INPAINTING: Final = {SDXL.name: SDXL_INPAINTING}

_BELOW_ONE_MILLION: Final = "its licence allows a paid service only below US$1 million of revenue"
_KREA: Final = f"Krea 2: {_BELOW_ONE_MILLION}, with a duty to filter"
_SD3: Final = f"Stable Diffusion 3 and 3.5: {_BELOW_ONE_MILLION}"
_FLUX3: Final = (
    "FLUX.3 [klein]: what it makes may be used in a paid service only below US$5 million of revenue, with duties to "
    "filter and to disclose"
)
_IDEOGRAM: Final = f"Ideogram 4: {NO_COMMERCE}"
_FLUX1: Final = f"FLUX.1 [dev] and its family: {NO_COMMERCE}"
_FLUX2: Final = f"FLUX.2 [dev]: {NO_COMMERCE}"
# Pattern in a hub id → why it is refused (docs/sources.md, Base models).
REFUSED: Final[tuple[tuple[str, str], ...]] = (
    (r"klein\]?[-_ ]?(base[-_ ])?9b", f"FLUX.2 [klein] 9B: {NO_COMMERCE}"),
    (r"flux\.?2[-_ ]?\[?dev", _FLUX2),
    (r"flux[-_ .]?3", _FLUX3),
    (r"flux\.?1[-_ ]?\[?(kontext|dev|fill|redux|canny|depth)", _FLUX1),
    (r"stable[-_ ]?diffusion[-_ ]?3|\bsd[-_ ]?3(\.5)?\b", _SD3),
    (r"krea[-_ ]?2", _KREA),
    (r"ideogram", _IDEOGRAM),
    (r"(sdxl|xl)[-_ ]?turbo", f"SDXL Turbo: {NO_COMMERCE}"),
    *BY_NAME,
    (r"instant[-_ ]?id", f"InstantID builds on InsightFace: {RESEARCH}"),
    (r"photo[-_ ]?maker", f"PhotoMaker v2 builds on InsightFace: {RESEARCH}"),
    (r"pulid", f"PuLID builds on InsightFace: {RESEARCH}"),
    (r"ip[-_ ]?adapter[-_ ]?face[-_ ]?id", f"IP-Adapter-FaceID builds on InsightFace: {RESEARCH}"),
    (r"infinite[-_ ]?you", f"InfiniteYou is CC BY-NC 4.0: {NO_COMMERCE}"),
    (r"\bsana\b|sana[-_ ]?(1|sprint)", "SANA: its licence terms are not cleared"),
)
# Start of the class that a folder's `model_index.json` states → why it is refused, whatever the folder is called.
REFUSED_CLASSES: Final[tuple[tuple[str, str], ...]] = (
    ("Flux3", _FLUX3),
    ("Flux2Pipeline", _FLUX2),
    ("Flux2Modular", _FLUX2),
    ("FluxKontext", _FLUX1),
    ("StableDiffusion3", _SD3),
    ("Krea2", _KREA),
    ("Ideogram", _IDEOGRAM),
    ("Sana", "SANA: its licence terms are not cleared"),
    ("PhotoMaker", f"PhotoMaker v2 builds on InsightFace: {RESEARCH}"),
)


class BaseRefused(ConfigurationError):
    """A base may not be used, whoever asks."""

    code = "base_refused"


def base_of(name: str) -> Base:
    """Return the base of a setting.

    Raises:
        ConfigurationError: there is none of this name.
    """
    try:
        return BASES[name]
    except KeyError:
        raise ConfigurationError(
            f"HEADSHOTS_DIFFUSION_BASE: there is no base {name!r}. There are: {', '.join(BASES)}."
        ) from None


def cannot_repaint(base: Base) -> str:
    """Say what a base that does not paint a part of a picture anew needs for that."""
    network = INPAINTING.get(base.name)
    if network is None:
        return (
            f"There is no network that paints clothes for {base.title}, which does not see what it paints beside. Choose "
            f"{KLEIN.name} or {SDXL.name} for that, or leave clothes as they are."
        )
    return (
        f"{base.title} does not paint clothes: it does not see what it paints beside. HEADSHOTS_DIFFUSION_INPAINT_MODEL has to "
        f"name a network that does. Fetch {network.sample.repository} (about {network.sample.gigabytes:g} GB, "
        f"{network.licence}, {network.licence_url})."
    )


def refuse(name: str) -> None:
    """Stop here if a hub id names weights that a paid service may not use.

    Raises:
        BaseRefused: says which and why.
    """
    for pattern, reason in REFUSED:
        if re.search(pattern, name, re.IGNORECASE):
            raise _refused(name, reason)


def refuse_class(where: str, stated: str) -> None:
    """Stop here if the class of a pipeline is one of weights that a paid service may not use.

    Raises:
        BaseRefused: says which and why.
    """
    for start, reason in REFUSED_CLASSES:
        if stated.startswith(start):
            raise _refused(where, reason)


def _refused(what: str, reason: str) -> BaseRefused:
    return BaseRefused(
        f"{what} is refused. {reason}. Use {KLEIN.train.repository} or {Z_IMAGE.train.repository} (Apache-2.0), or "
        f"{SDXL.train.repository} (OpenRAIL++-M)."
    )
