"""A stronger matting network, where the operator has one: MODNet, BiRefNet or alike, as a local ONNX file.

`HEADSHOTS_MATTING_MODEL` names the file. Its alpha takes the place of mask and closed form; what follows
(the main person, guided enlarging, decontamination) stays, and so does what judges the cut.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

import cv2
import numpy as np
from pydantic import Field

from core.settings import vision_settings
from workers.vision.cutout import Mask
from workers.vision.geometry import Pixels
from workers.vision.network import Facts, Network, load
from workers.vision.quiet import sample_face

SETTING: Final = "HEADSHOTS_MATTING_MODEL"

_FREE_SIDE: Final = 512  # px, short side for a network that takes any size; MODNet's own choice
_MULTIPLE: Final = 32  # px; both networks halve the picture five times
# What is taken where no side file says it: BiRefNet normalises with ImageNet's mean and deviation, sees 1,024 px and
# ends before a sigmoid, MODNet takes a half each, sees 512 px and ends after one.
_IMAGENET_SIDE: Final = 1024
_IMAGENET: Final = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
_HALF: Final = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
_OVER: Final = 0.01  # rounding of a sigmoid in 16 bits stays below


class MattingFacts(Facts):
    """What the side file of a matting network says.

    Attributes:
        side: Short side that it is shown, px, where it takes any.
        output: Whether it gives alpha, 0 to 1, or what a sigmoid makes alpha of.
    """

    side: int | None = Field(None, ge=_MULTIPLE, le=4096)
    output: Literal["alpha", "logits"] | None = None


class _Matting(NamedTuple):
    network: Network[MattingFacts]
    logits: bool
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


def available() -> bool:
    """Whether a network is configured."""
    return vision_settings().matting_model is not None


def network_alpha(image: Pixels, size: tuple[int, int]) -> Mask:
    """Return the network's alpha, 0 to 1.

    Args:
        image: uint8, height × width × 3, sRGB.
        size: Width and height of the result.

    Raises:
        ConfigurationError: the file is missing, is no such network, or onnxruntime is not installed.
        ValueError: the network answered this picture with something that is no number.
    """
    path = vision_settings().matting_model
    assert path is not None, "asked only where one is configured"
    matting = _load(path)
    output = _answer(matting, image)
    if not np.isfinite(output).all():
        raise ValueError(f"{path.name} answered with what is no number")
    if matting.logits:
        output = 1.0 / (1.0 + np.exp(-np.clip(output, -30, 30)))
    return np.asarray(np.clip(cv2.resize(output, size, interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)


def check() -> str:
    """Load the configured network, so that a wrong file is told at the start and not at the first face.

    Returns:
        Which matting is in use, for the operator.

    Raises:
        ConfigurationError: as `network_alpha`.
    """
    path = vision_settings().matting_model
    if path is None:
        return "the built-in cut: mediapipe's selfie models (Apache-2.0) and a closed form"
    return _load(path).network.title


@cache
def _load(path: Path) -> _Matting:
    network = load(SETTING, path, MattingFacts)
    face = sample_face()
    guess = _IMAGENET if network.facts.output == "logits" or _large(network) else _HALF
    matting = _prepared(network, logits=network.facts.output == "logits", guess=guess)
    answer = _answer(matting, face)
    if not np.isfinite(answer).all():
        raise network.wrong("answers a portrait with what is no number")
    least, most = float(answer.min()), float(answer.max())
    beyond = least < -_OVER or most > 1 + _OVER
    # Of a portrait before a background, some must be more likely background than not.
    if beyond and (network.facts.output == "alpha" or least >= -_OVER):
        raise network.wrong(
            f"gives {least:.3g} to {most:.3g} for a portrait, which is neither alpha, 0 to 1, nor what a sigmoid makes it of"
        )
    if beyond and not matting.logits:
        return _prepared(network, logits=True, guess=_IMAGENET)
    return matting


def _prepared(
    network: Network[MattingFacts],
    *,
    logits: bool,
    guess: tuple[tuple[float, float, float], tuple[float, float, float]],
) -> _Matting:
    facts = network.facts
    return _Matting(network, logits, facts.mean or guess[0], facts.deviation or guess[1])


def _large(network: Network[MattingFacts]) -> bool:
    return min(side or 0 for side in network.sides) >= _IMAGENET_SIDE


def _answer(matting: _Matting, image: Pixels) -> Mask:
    """Return what the network says of a picture, height × width at its own size."""
    network = matting.network
    size = _input_size(network, image.shape[1], image.shape[0])
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    output = network.run(np.asarray(small, np.uint8), matting.mean, matting.deviation)
    while output.ndim > 2 and output.shape[0] == 1:
        output = output[0]
    if output.ndim != 2:
        raise network.wrong(f"gives {' × '.join(map(str, output.shape))} numbers, not one picture of alpha")
    return output


def _input_size(network: Network[MattingFacts], width: int, height: int) -> tuple[int, int]:
    """Return width and height that the network wants to see."""
    fixed_height, fixed_width = network.sides
    scale = (network.facts.side or _FREE_SIDE) / min(width, height)
    return (
        fixed_width or max(_MULTIPLE, round(width * scale / _MULTIPLE) * _MULTIPLE),
        fixed_height or max(_MULTIPLE, round(height * scale / _MULTIPLE) * _MULTIPLE),
    )
