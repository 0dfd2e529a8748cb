"""Very different sources of a few people: the same photos in other light, from other distances, by worse cameras."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np

from workers.studio.light import carried
from workers.vision.color import Values, luminance, to_linear, to_srgb
from workers.vision.cutout import Cutout
from workers.vision.geometry import CHIN, Face, Pixels
from workers.vision.shading import lamp, normals, spread

AS_TAKEN: Final = "as taken"
GLARE: Final = "sun on a shoulder"
# Gains in linear light: lamps of about 3,900 K and 7,500 K that a camera's white balance has half made up for.
_LAMPS: Final = {"warm light": (1.16, 1.0, 0.78), "cool light": (0.88, 1.0, 1.16)}
_STOPS: Final = {"a stop darker": -1.0, "half a stop darker": -0.5, "half a stop brighter": 0.5}
_SIDES: Final = {"lit from the left": -55.0, "lit from the right": 55.0}  # degrees of azimuth
_GRAIN: Final = 9.0  # levels, standard deviation
_SMALL: Final = 45.0  # px between the eyes
_SOFT: Final = (
    1 / 110
)  # of the eye distance, sigma: a lens that missed the eyes by a little, of which the check warns
_GLOSS: Final = 0.9  # linear light that a shine adds in its middle
_BELOW: Final = 0.35  # of the head's height below the chin, where a tight photo ends
_AIR: Final = 0.45  # of the head's height that is put above a cut-out, for hair that is higher than the photo
_LINEN: Final = 0.2  # linear light of cloth in the sun's shade
_DARK_CLOTH: Final = 0.15  # linear light below which cloth is made as light as that
_SHOULDER: Final = 0.6  # of the head's height beside the chin, where a shoulder glares
_SUN: Final = 1.9  # stops
_VOLUMES: Final = {"shaven": None, "high hair": 0.10, "higher hair": 0.20}  # of the head's height


def sources(pixels: Pixels, face: Face) -> Iterator[tuple[str, Pixels]]:
    """Yield what a photo would have been in another light or of another camera.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    yield AS_TAKEN, pixels
    linear = to_linear(pixels)
    for name, gains in _LAMPS.items():
        yield name, _encoded(linear * np.array(gains, np.float32))
    for name, stops in _STOPS.items():
        yield name, _encoded(linear * np.float32(2.0**stops))
    for name, azimuth in _SIDES.items():
        yield name, _encoded(linear * _lit(face, pixels.shape[:2], azimuth)[..., None])
    yield "shine on the forehead", _encoded(linear + _shine(face, pixels.shape[:2])[..., None])
    noise = np.random.default_rng(0).normal(0, _GRAIN, pixels.shape)
    yield "grain", np.clip(np.rint(pixels + noise), 0, 255).astype(np.uint8)
    yield "soft", cv2.GaussianBlur(pixels, (0, 0), _SOFT * face.eye_distance)
    small = _SMALL / max(face.eye_distance, 1.0)
    if small < 1:
        yield "few pixels", cv2.resize(pixels, None, fx=small, fy=small, interpolation=cv2.INTER_AREA)
    end = round(float(face.landmarks[CHIN, 1]) + _BELOW * face.head_height)
    if end < pixels.shape[0]:
        yield "tight", np.ascontiguousarray(pixels[:end])


def hair_volumes(cutout: Cutout) -> Iterator[tuple[str, Cutout]]:
    """Yield the person with a shaven head, and with hair that stands higher."""
    head = cutout.face.head_height
    air = round(_AIR * head)
    cutout = Cutout(
        np.pad(cutout.foreground, ((air, 0), (0, 0), (0, 0))),
        np.pad(cutout.alpha, ((air, 0), (0, 0))),
        cutout.face.moved(0, air, 1.0),
        cutout.photo_scale,
    )
    face = cutout.face
    height, width = cutout.alpha.shape
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    # A skull is about three quarters as wide as high; its upper half is near to an ellipse.
    middle = (face.landmarks[CHIN, :2] + face.crown) / 2
    x, y = (across - middle[0]) / (0.37 * head), (down - middle[1]) / head
    for name, more in _VOLUMES.items():
        reach = 0.5 if more is None else 0.56 + more
        inside = np.clip(
            (1 - np.hypot(x / (1 if more is None else 1 + 2 * more), y / reach)) * 0.5 * head, 0, 1
        )
        if more is None:
            alpha = np.where(down < middle[1] - 0.2 * head, np.minimum(cutout.alpha, inside), cutout.alpha)
            yield name, Cutout(cutout.foreground, alpha.astype(np.float32), face, cutout.photo_scale)
            continue
        hair = np.where(down < middle[1], inside, 0) * (1 - cutout.alpha)
        alpha = cutout.alpha + hair
        tint = np.array([52, 40, 32], np.float32)
        share = (hair / np.maximum(alpha, 1e-3))[..., None]
        painted = np.rint(cutout.foreground * (1 - share) + tint * share).astype(np.uint8)
        yield name, Cutout(painted, alpha.astype(np.float32), face, cutout.photo_scale)


def in_a_glare(cutout: Cutout) -> Cutout:
    """Return the person in cloth as light as linen, with the sun on one shoulder."""
    face, (height, width) = cutout.face, cutout.alpha.shape
    linear, head = to_linear(cutout.foreground), face.head_height
    down, across = np.mgrid[0:height, 0:width].astype(np.float32)
    x, chin = (float(value) for value in face.landmarks[CHIN, :2])
    shade = luminance(linear)
    cloth = (down > chin) & (cutout.alpha > 0.9)
    dark = np.clip((_DARK_CLOTH - shade) / _DARK_CLOTH, 0, 1) * (down > chin - 0.2 * head)
    dark = dark * np.clip((np.abs(across - x) / head - 0.3) / 0.06, 0, 1)
    usual = float(np.median(shade[cloth])) if cloth.any() else _LINEN
    linear = linear * (1 + dark * max(0.0, _LINEN / max(usual, 1e-3) - 1))[..., None]
    middle = min(x + _SHOULDER * head, width - 3.0)
    rows = np.flatnonzero(cutout.alpha[int(chin) :, int(middle)] > 0.9)
    top = chin + (float(rows[0]) if rows.size else 0.2 * head) + 0.05 * head
    spot = np.exp(-0.5 * (((across - middle) / (0.14 * head)) ** 2 + ((down - top) / (0.08 * head)) ** 2))
    return Cutout(_encoded(linear * np.exp2(_SUN * spot)[..., None]), cutout.alpha, face, cutout.photo_scale)


def _lit(face: Face, shape: tuple[int, ...], azimuth: float) -> Values:
    """Return the gain of one lamp at the side over the light that there was, about 1 in the middle."""
    vectors = normals(face)
    light = lamp(azimuth, 25.0, 0.45).at(vectors)
    stops = carried(spread(np.log2(light / np.median(light)), face, (shape[0], shape[1])), face)
    return np.asarray(np.exp2(stops), np.float32)


def _shine(face: Face, shape: tuple[int, ...]) -> Values:
    x, y = face.landmarks[151, :2]
    down, across = np.mgrid[0 : shape[0], 0 : shape[1]].astype(np.float32)
    away = np.hypot((across - x) / 1.6, down - y) / (0.05 * face.head_height)
    return np.asarray(_GLOSS * np.exp(-0.5 * away**2), np.float32)


def _encoded(linear: Values) -> Pixels:
    return np.asarray(np.rint(255 * to_srgb(np.clip(linear, 0, 1))), np.uint8)
