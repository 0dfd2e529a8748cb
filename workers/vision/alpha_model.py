"""A stronger matting network, where the operator has one: MODNet, BiRefNet or alike, as a local ONNX file.

`HEADSHOTS_MATTING_MODEL` names the file. Its alpha takes the place of mask and closed form; what follows
(the main person, guided enlarging, decontamination) stays. Nothing is ever downloaded.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from core.errors import ConfigurationError
from core.settings import vision_settings
from workers.vision.cutout import Mask
from workers.vision.geometry import Pixels

_FREE_SIDE: Final = 512  # px, short side for a network that takes any size; MODNet's own choice
_MULTIPLE: Final = 32  # px; both networks halve the picture five times
# BiRefNet normalises with ImageNet's mean and deviation and sees 1,024 px, MODNet with a half each. Some
# exports end in a sigmoid and some do not, which their output tells.
_IMAGENET_SIDE: Final = 1024
_IMAGENET: Final = (
    np.array([0.485, 0.456, 0.406], np.float32),
    np.array([0.229, 0.224, 0.225], np.float32),
)
_HALF: Final = (np.full(3, 0.5, np.float32), np.full(3, 0.5, np.float32))


def available() -> bool:
    """Whether a network is configured."""
    return vision_settings().matting_model is not None


def network_alpha(image: Pixels) -> Mask:
    """Return the network's alpha, height × width, 0 to 1.

    Args:
        image: uint8, height × width × 3, sRGB.

    Raises:
        ConfigurationError: the file is missing, is no such network, or onnxruntime is not installed.
    """
    path = vision_settings().matting_model
    assert path is not None, "asked only where one is configured"
    session, logits = _load(path)
    height, width = image.shape[:2]
    size = _input_size(session, width, height)
    mean, deviation = _IMAGENET if logits or min(size) >= _IMAGENET_SIDE else _HALF
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    values = ((small - mean) / deviation).transpose(2, 0, 1)[None].astype(np.float32)
    output = np.asarray(session.run(None, {session.get_inputs()[0].name: values})[-1], np.float32).squeeze()
    if output.ndim != 2:
        raise ConfigurationError(
            f"{path} gives no picture of alpha: its output has {output.ndim} dimensions."
        )
    if logits:
        output = 1.0 / (1.0 + np.exp(-np.clip(output, -30, 30)))
    large = cv2.resize(output, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(large, 0, 1), np.float32)


def check() -> None:
    """Load the configured network, so that a wrong file is told at the start and not at the first face.

    Raises:
        ConfigurationError: as `network_alpha`.
    """
    if available():
        network_alpha(np.zeros((64, 64, 3), np.uint8))


@cache
def _load(path: Path) -> tuple[Any, bool]:
    if not path.is_file():
        raise ConfigurationError(f"HEADSHOTS_MATTING_MODEL: there is no file {path}.")
    try:
        import onnxruntime
    except ImportError as error:
        raise ConfigurationError(
            "HEADSHOTS_MATTING_MODEL needs onnxruntime: pip install -c constraints.txt '.[onnx]'"
        ) from error
    try:
        session = onnxruntime.InferenceSession(str(path), providers=onnxruntime.get_available_providers())
    except Exception as error:  # onnxruntime raises its own classes, straight from Exception
        raise ConfigurationError(
            f"HEADSHOTS_MATTING_MODEL: {path.name} is no network that can be read."
        ) from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] not in (3, "3"):
        raise ConfigurationError(
            f"HEADSHOTS_MATTING_MODEL: {path.name} must take one picture, 1 × 3 × height × width."
        )
    probe = np.zeros((1, 3, *_input_size(session, _FREE_SIDE, _FREE_SIDE)[::-1]), np.float32)
    answer = np.asarray(session.run(None, {inputs[0].name: probe})[-1])
    return session, bool(answer.min() < -0.01 or answer.max() > 1.01)


def _input_size(session: Any, width: int, height: int) -> tuple[int, int]:
    """Return width and height that the network wants to see."""
    fixed = session.get_inputs()[0].shape[2:]
    if all(isinstance(side, int) for side in fixed):
        return int(fixed[1]), int(fixed[0])
    scale = _FREE_SIDE / min(width, height)
    return (
        max(_MULTIPLE, round(width * scale / _MULTIPLE) * _MULTIPLE),
        max(_MULTIPLE, round(height * scale / _MULTIPLE) * _MULTIPLE),
    )
