"""The company's wall: an even colour, a studio gradient, a painted place or a picture of its own."""

from __future__ import annotations

import zlib
from functools import lru_cache
from typing import Final

import cv2
import numpy as np

from core.errors import InvalidInput
from core.style.framing import Rect
from core.style.spec import (
    Backdrop,
    GradientBackdrop,
    ImageBackdrop,
    SceneBackdrop,
    SolidBackdrop,
    StyleSpec,
)
from workers.studio.lens import defocus
from workers.studio.scene import scene
from workers.vision.color import Values, luminance, parse_hex, to_linear, to_srgb
from workers.vision.geometry import Pixels

# The gradient's light stands behind the head, where a background lamp is placed in a studio.
_LIGHT_X: Final = 0.5
_LIGHT_Y: Final = 0.42
_RUN_OUT: Final = 0.08  # of the way from the light to the corners
# A picture's lamps and windows end at white; a lens would see them several times brighter.
_WHITE: Final = 0.9  # linear light from which on
_CLIPPED: Final = 3.0  # times more at full white
STANDS: Final = (
    8  # places to stand before a scene or a picture, so that not everybody has the same pixels behind them
)
_ASIDE: Final = 0.06  # of the frame's width, from the middle place to the outermost ones
_EVERY: Final = 16  # px, of which one is looked at to tell photos apart
_ENLARGED: Final = (
    2.0  # times that a picture is made larger than the frame needs, so that wide files show no mirror
)


class BackdropMissing(InvalidInput):
    """The style names a picture as its backdrop, and the picture was not given."""

    code = "backdrop_missing"


def stand_of(photo: Pixels) -> int:
    """Return where the person of a photo stands before a scene or a picture, 0 to `STANDS` - 1; the same each time.

    It follows from the photo's pixels alone, and says nothing of whom they show.
    """
    return zlib.crc32(np.ascontiguousarray(photo[::_EVERY, ::_EVERY]).tobytes()) % STANDS


def backdrop(
    spec: Backdrop,
    width: int,
    height: int,
    image: Pixels | None = None,
    frame: Rect | None = None,
    stand: int = 0,
) -> Values:
    """Paint the backdrop; beyond the frame it goes on.

    Args:
        spec: What the style asks for.
        width: Pixels.
        height: Pixels.
        image: The company's picture (uint8, height × width × 3, sRGB), for an image backdrop only.
        frame: Where the style's frame lies, whole pixels; all of it if not given.
        stand: Where the person stands before a scene or a picture; see `stand_of`.

    Returns:
        float32, height × width × 3, sRGB 0 to 1.

    Raises:
        BackdropMissing: an image backdrop without its picture.
    """
    if isinstance(spec, SolidBackdrop):
        return np.broadcast_to(parse_hex(spec.color), (height, width, 3))
    frame = frame or Rect(0, 0, width, height)
    if isinstance(spec, GradientBackdrop):
        return _gradient(spec, width, height, frame)
    if isinstance(spec, SceneBackdrop):
        return _scene(spec, width, height, frame, stand)
    if image is None:
        raise BackdropMissing("The style's backdrop picture is missing. Please upload it again in the style.")
    return _picture(spec, width, height, image, frame, stand)


def framed_backdrop(
    style: StyleSpec, width: int, height: int, image: Pixels | None = None, stand: int = 0
) -> Values:
    """Paint what a style's frame of that size shows of the backdrop, as every master of the style has it.

    Raises:
        BackdropMissing: an image backdrop without its picture.
    """
    beside, above = round(style.room.beside * width), round(style.room.above * height)
    master = style.room.around(width, height)
    wall = backdrop(style.backdrop, *master, image, Rect(beside, above, width, height), stand)
    return wall[above : above + height, beside : beside + width]


@lru_cache(maxsize=4)  # a team shares one style; a 1,024 px wall is 12 MB
def _gradient(spec: GradientBackdrop, width: int, height: int, frame: Rect) -> Values:
    aspect = frame.width / frame.height
    rows = (np.arange(height, dtype=np.float32)[:, None] + 0.5 - frame.top) / frame.height - _LIGHT_Y
    columns = (np.arange(width, dtype=np.float32)[None, :] + 0.5 - frame.left) / frame.width - _LIGHT_X
    farthest = np.hypot(max(_LIGHT_Y, 1 - _LIGHT_Y), _LIGHT_X * aspect)
    away = np.hypot(rows, columns * aspect) / farthest
    # Beyond the frame's corners the fall runs out softly: a sudden end would show as a ring.
    beyond = _RUN_OUT * (1 - np.exp(-np.maximum(away - 1, 0) / _RUN_OUT))
    away = np.where(away > 1, 1 + beyond * spec.falloff, np.minimum(away, 1) ** spec.falloff)
    inner, outer = to_linear(parse_hex(spec.inner)), to_linear(parse_hex(spec.outer))
    wall = to_srgb(np.clip(inner + (outer - inner) * away[..., None], 0.0, 1.0))
    wall.flags.writeable = False
    return wall


def _scene(spec: SceneBackdrop, width: int, height: int, frame: Rect, stand: int) -> Values:
    """Show the place as it is behind somebody who stands a step to the side of the last."""
    inner, aside = int(frame.width), round(_ASIDE * frame.width)
    left = aside + _step(frame, stand)
    wall = _painted(spec, inner, int(frame.height), aside)[:, left : left + inner]
    return _continued(wall, width, height, frame)


def _step(frame: Rect, stand: int) -> int:
    """Return by how many pixels the place behind somebody is moved: 0 is the middle, the others lie in turn beside it."""
    steps = (stand + 1) // 2 * (1 if stand % 2 else -1)
    return round(2 * _ASIDE * frame.width * steps / STANDS)


@lru_cache(maxsize=4)
def _painted(spec: SceneBackdrop, width: int, height: int, aside: int) -> Values:
    whole = width + 2 * aside
    # The lens's disc stays as large as it is, however much of the place is painted.
    wall = scene(spec.model_copy(update={"blur": spec.blur * width / whole}), whole, height)
    wall.flags.writeable = False
    return wall


def _continued(wall: Values, width: int, height: int, frame: Rect) -> Values:
    """Mirror what lies in the frame into the room around it: far out of focus that is more of the place."""
    if wall.shape[:2] == (height, width):
        return wall
    left, top = int(frame.left), int(frame.top)
    right, bottom = width - left - wall.shape[1], height - top - wall.shape[0]
    return np.pad(wall, ((top, bottom), (left, right), (0, 0)), "symmetric")


def _picture(spec: ImageBackdrop, width: int, height: int, image: Pixels, frame: Rect, stand: int) -> Values:
    """Fill all with the picture's middle, or a step beside it; in very wide or tall files it is mirrored where it ends.

    In the frame it is never mirrored nor turned: it may show letters, and a horizon.
    """
    inner = (int(frame.width), int(frame.height))
    needed = max((1 + 2 * _ASIDE) * inner[0] / image.shape[1], inner[1] / image.shape[0])
    scale = min(max(width / image.shape[1], height / image.shape[0]), _ENLARGED * needed)
    size = (max(inner[0], round(image.shape[1] * scale)), max(inner[1], round(image.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    filled = cv2.resize(image, size, interpolation=way)
    # From the picture's own left and top edge to those of the master.
    left = (size[0] - inner[0]) // 2 - int(frame.left) + _step(frame, stand)
    top = (size[1] - inner[1]) // 2 - int(frame.top)
    cut = filled[max(0, top) : top + height, max(0, left) : left + width]
    there = Rect(max(0, -left), max(0, -top), cut.shape[1], cut.shape[0])
    cut = np.asarray(_continued(cut, width, height, there), np.uint8)
    if spec.blur == 0:
        return np.asarray(cut, np.float32) / np.float32(255)
    # A lens blurs light, not its encoding; what a photo shows as white was brighter than that.
    light = defocus(_unclipped(to_linear(cut)), spec.blur * frame.width)
    return to_srgb(_clipped(light))


def _unclipped(light: Values) -> Values:
    """Give what ends at white in a photo the brightness that it had before the lens."""
    share = np.clip((luminance(light) - _WHITE) / (1 - _WHITE), 0, None)
    return np.asarray(light * (1 + _CLIPPED * share)[..., None], np.float32)


def _clipped(light: Values) -> Values:
    """Take that back: a bright wall comes out as it was, without an edge where it nears white."""
    bright = luminance(light)
    # Solves bright = (w + (1 - w) s) (1 + c s) for the share s.
    a, b = (1 - _WHITE) * _CLIPPED, 1 - _WHITE + _WHITE * _CLIPPED
    share = (np.sqrt(np.maximum(b * b + 4 * a * (bright - _WHITE), 0)) - b) / (2 * a)
    return np.asarray(light / (1 + _CLIPPED * np.clip(share, 0, 1))[..., None], np.float32)
