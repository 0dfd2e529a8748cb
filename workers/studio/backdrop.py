"""The company's wall: an even colour, a studio gradient, a painted place or a picture of its own."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from core.errors import InvalidInput
from core.style import Backdrop, GradientBackdrop, ImageBackdrop, SceneBackdrop, SolidBackdrop
from workers.studio.lens import defocus
from workers.studio.scene import scene
from workers.vision.color import Values, luminance, parse_hex, to_linear, to_srgb
from workers.vision.geometry import Pixels

# The gradient's light stands behind the head, where a background lamp is placed in a studio.
_LIGHT_X: Final = 0.5
_LIGHT_Y: Final = 0.42
# A picture's lamps and windows end at white; a lens would see them several times brighter.
_WHITE: Final = 0.9  # linear light from which on
_CLIPPED: Final = 3.0  # times more at full white


class BackdropMissing(InvalidInput):
    """The style names a picture as its backdrop, and the picture was not given."""

    code = "backdrop_missing"


def backdrop(spec: Backdrop, width: int, height: int, image: Pixels | None = None) -> Values:
    """Paint the backdrop.

    Args:
        spec: What the style asks for.
        width: Pixels.
        height: Pixels.
        image: The company's picture (uint8, height × width × 3, sRGB), for an image backdrop only.

    Returns:
        float32, height × width × 3, sRGB 0 to 1.

    Raises:
        BackdropMissing: an image backdrop without its picture.
    """
    if isinstance(spec, SolidBackdrop):
        return np.broadcast_to(parse_hex(spec.color), (height, width, 3))
    if isinstance(spec, GradientBackdrop):
        return _gradient(spec, width, height)
    if isinstance(spec, SceneBackdrop):
        return _scene(spec, width, height)
    if image is None:
        raise BackdropMissing("The style's backdrop picture is missing. Please upload it again in the style.")
    return _picture(spec, width, height, image)


@lru_cache(maxsize=4)  # a team shares one style; a 1,024 px wall is 12 MB
def _gradient(spec: GradientBackdrop, width: int, height: int) -> Values:
    rows = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / height - _LIGHT_Y
    columns = ((np.arange(width, dtype=np.float32)[None, :] + 0.5) / width - _LIGHT_X) * (width / height)
    farthest = np.hypot(max(_LIGHT_Y, 1 - _LIGHT_Y), _LIGHT_X * width / height)
    away = np.clip(np.hypot(rows, columns) / farthest, 0.0, 1.0) ** spec.falloff
    inner, outer = to_linear(parse_hex(spec.inner)), to_linear(parse_hex(spec.outer))
    wall = to_srgb(inner + (outer - inner) * away[..., None])
    wall.flags.writeable = False
    return wall


@lru_cache(maxsize=4)
def _scene(spec: SceneBackdrop, width: int, height: int) -> Values:
    wall = scene(spec, width, height)
    wall.flags.writeable = False
    return wall


def _picture(spec: ImageBackdrop, width: int, height: int, image: Pixels) -> Values:
    scale = max(width / image.shape[1], height / image.shape[0])
    size = (max(width, round(image.shape[1] * scale)), max(height, round(image.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    filled = cv2.resize(image, size, interpolation=way)
    left, top = (size[0] - width) // 2, (size[1] - height) // 2
    cut = filled[top : top + height, left : left + width]
    if spec.blur == 0:
        return np.asarray(cut, np.float32) / np.float32(255)
    # A lens blurs light, not its encoding; what a photo shows as white was brighter than that.
    light = to_linear(cut)
    light *= 1 + _CLIPPED * np.clip(luminance(light) / _WHITE - 1, 0, None)[..., None] / (1 / _WHITE - 1)
    return to_srgb(defocus(light, spec.blur * width))
