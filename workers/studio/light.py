"""Move the light on a face part of the way towards the style's, without touching its complexion.

What the light does to each normal of the face is divided out and what the style's would do is put in,
as one smooth gain, the same for red, green and blue: shading changes, hue and chroma stay, and so does the
middle of the skin's luminance.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from core.style.spec import Light
from workers.vision.color import Values, luminance
from workers.vision.geometry import CHIN, Face
from workers.vision.photometry import side_light
from workers.vision.shading import fit, lamp, normals, spread
from workers.vision.skin import polygon_mask, skin_mask

GAIN: Final = (0.55, 1.75)  # docs/sources.md, Light: beyond, noise and false shadows show
_FACE: Final = 96  # px of head height at which the gain is made; it has no finer detail than normals have
_SOFT: Final = 0.035  # of the head's height, sigma: the mesh's facets must not show
_BEYOND: Final = (
    0.12,
    0.25,
    0.5,
)  # of the head's height: sigmas that carry the gain on to ears, hair and neck
_BODY: Final = 0.35  # of the head's height below the chin, where the gain has faded out
_EDGE: Final = 0.02  # guided filter's epsilon: luminance steps above 0.14 count as edges
# Skin shines where it is bare and curved: forehead, nose and cheeks, without lids, lips and brows.
_SHINING: Final = (
    (54, 103, 67, 109, 10, 338, 297, 332, 284, 298, 334, 296, 336, 9, 107, 66, 105, 68),
    (193, 168, 417, 351, 419, 248, 281, 275, 4, 45, 51, 3, 196, 122),
    (111, 117, 118, 101, 36, 205, 207, 187, 147, 123, 116),
    (340, 346, 347, 330, 266, 425, 427, 411, 376, 352, 345),
)
_SHINE: Final = 0.35  # stops over what matt skin would show; without sweat the test photos' skin is below
_TAMED: Final = (
    0.5  # of what is more; with 0.6 from 0.25 on a hard-lit face was 0.014 less like itself (docs/sources.md)
)
_SHINE_SOFT: Final = 0.008  # of the head's height, sigma
_FLOOR: Final = 1e-4  # linear light; black has no logarithm
_MOST_PUSH: Final = 1.6  # times the fitted gain at most, where harmonics explain too little of a hard shadow
_FROM_OTHER_SIDE: Final = (
    1.5  # times the style's strength: up to an even light, since the side is what shows in a row
)


def relight(linear: Values, face: Face, light: Light) -> Values:
    """Move the light by `light.strength` of the way to the style's.

    Args:
        linear: float32, height × width × 3, linear light; the person, whatever is around.
        face: In the same pixels.
        light: The style's key light.
    """
    if light.strength <= 0 or face.eye_distance < 1:
        return linear
    scale = min(1.0, _FACE / face.head_height)
    size = (max(8, round(linear.shape[1] * scale)), max(8, round(linear.shape[0] * scale)))
    small = cv2.resize(linear, size, interpolation=cv2.INTER_AREA)
    shrunk = face.moved(0, 0, scale)
    gain = _gain(small, shrunk, light)
    full = cv2.resize(gain, (linear.shape[1], linear.shape[0]), interpolation=cv2.INTER_CUBIC)
    return np.asarray(linear * full[..., None], np.float32)


def wish(linear: Values, face: Face, light: Light) -> float:
    """Return the light ratio (stops between the cheeks, `side_light`) that the style asks of a face.

    A face that is lit from the other side than everybody else's is moved further, until its light is even.
    """
    target = asked(face, light)
    here = side_light(linear, face)
    moved = here + light.strength * (target - here)
    if moved * target >= 0:
        return moved
    further = here + min(1.0, _FROM_OTHER_SIDE * light.strength) * (target - here)
    return further if further * target < 0 else 0.0


def asked(face: Face, light: Light) -> float:
    """Return the stops between the cheeks (`measure.side_light`) that the style's light makes on this face."""
    from workers.vision.skin import LEFT_CHEEK, RIGHT_CHEEK

    shading, vectors = lamp(light.azimuth, light.elevation, light.contrast), normals(face)
    right, left = (float(np.median(shading.at(vectors[list(cheek)]))) for cheek in (RIGHT_CHEEK, LEFT_CHEEK))
    return float(np.log2(left / right))


def _gain(linear: Values, face: Face, light: Light) -> Values:
    """Return the gain, height × width, 1 where nothing changes."""
    vectors = normals(face)
    source = fit(linear, face, vectors)
    target = lamp(light.azimuth, light.elevation, light.contrast)
    matt = np.log2(source.at(vectors))
    ratio = np.log2(target.at(vectors)) - matt
    shape = (linear.shape[0], linear.shape[1])
    over_face = spread(np.stack([ratio, matt], axis=1), face, shape)
    stops = carried(np.ascontiguousarray(over_face[..., 0]), face)
    stops = _along_edges(stops, luminance(linear))
    skin = skin_mask(stops.shape, face)
    if not skin.any():
        return np.ones(linear.shape[:2], np.float32)
    dull = np.exp2(-_shine(linear, over_face[..., 1], face, skin))
    wanted = wish(linear, face, light)
    linear = linear * dull[..., None]
    # Harmonics are soft and a shadow's edge is not, so the share is the one that does what is asked.
    best = light.strength
    for share in np.linspace(0.4, _MOST_PUSH, 13) * light.strength:
        if abs(_result(linear, face, stops, share, skin) - wanted) < abs(
            _result(linear, face, stops, best, skin) - wanted
        ):
            best = float(share)
    return np.asarray(_clamped(linear, stops, best, skin) * dull, np.float32)


def _shine(linear: Values, matt: Values, face: Face, skin: NDArray[np.bool_]) -> Values:
    """Return by how many stops each place of a face shines more than may stay, height × width.

    What matt skin would show of the photo's light is known, so a bright cheek beside a window is not taken for
    sweat. Eyes, mouth and all around the face are left as they are.
    """
    shade = np.log2(np.maximum(luminance(linear), _FLOOR))
    over = shade - matt - np.median(shade[skin] - np.nan_to_num(matt)[skin])
    bare = np.any([polygon_mask(skin.shape, face, part) for part in _SHINING], axis=0)
    shine = np.where(bare & np.isfinite(over), _TAMED * np.maximum(0, over - _SHINE), 0)
    return np.asarray(
        cv2.GaussianBlur(shine.astype(np.float32), (0, 0), _SHINE_SOFT * face.head_height), np.float32
    )


def _result(linear: Values, face: Face, stops: Values, share: float, skin: NDArray[np.bool_]) -> float:
    return side_light(linear * _clamped(linear, stops, share, skin)[..., None], face)


def _clamped(linear: Values, stops: Values, share: float, skin: NDArray[np.bool_]) -> Values:
    """Return the gain that leaves the skin's middle luminance as it is."""
    shade = luminance(linear)[skin]
    gain = np.clip(np.exp2(share * stops), *GAIN)
    for _ in range(3):
        middle = float(np.median(shade * gain[skin]) / max(float(np.median(shade)), 1e-6))
        gain = np.clip(gain / max(middle, 1e-3), *GAIN)
    return np.asarray(gain, np.float32)


def carried(stops: NDArray[np.float32], face: Face) -> Values:
    """Carry the face's gain on to ears, hair and neck, and let it fade out on the body."""
    known = np.isfinite(stops).astype(np.float32)
    values = np.nan_to_num(stops, nan=0.0)
    result, done = np.zeros_like(values), np.zeros_like(known)
    for reach in (_SOFT, *_BEYOND):
        sigma = reach * face.head_height
        weight = cv2.GaussianBlur(known, (0, 0), sigma)
        mean = cv2.GaussianBlur(values, (0, 0), sigma) / np.maximum(weight, 1e-4)
        # Each wider blur takes over where the narrower one saw too little of the face.
        share = np.clip(weight * 4, 0, 1) * (1 - done)
        result += share * mean
        done += share
    rows = np.arange(stops.shape[0], dtype=np.float32)[:, None]
    below = (rows - face.landmarks[CHIN, 1]) / (_BODY * face.head_height)
    fade = 1 - np.clip(below, 0, 1)
    return np.asarray(result * fade * fade * (3 - 2 * fade), np.float32)


def _along_edges(stops: Values, shade: Values) -> Values:
    """Let the gain step where the picture does (guided filter), so that it does not spill over a collar."""
    guide = np.sqrt(np.clip(shade, 0, 1))
    window = (9, 9)
    mean, mean_stops = cv2.blur(guide, window), cv2.blur(stops, window)
    variance = cv2.blur(guide * guide, window) - mean * mean
    slope = (cv2.blur(guide * stops, window) - mean * mean_stops) / (variance + _EDGE)
    offset = mean_stops - slope * mean
    return np.asarray(cv2.blur(slope, window) * guide + cv2.blur(offset, window), np.float32)
