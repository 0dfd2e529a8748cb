"""Light on a face, measured so that a complexion alone changes nothing."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.color import Values, luminance
from workers.vision.geometry import Box, Face, Pixels
from workers.vision.skin import LEFT_CHEEK, RIGHT_CHEEK, around, polygon_mask, skin_mask

Lab = NDArray[np.float32]  # height × width × 3, CIE L*a*b*

EYE_OPENINGS: Final = ((33, 160, 158, 133, 153, 144), (362, 385, 387, 263, 373, 380))
EYE_SOCKETS: Final = (
    (226, 247, 30, 29, 27, 28, 56, 190, 243, 112, 26, 22, 23, 24, 110, 25),
    (446, 467, 260, 259, 257, 258, 286, 414, 463, 341, 256, 252, 253, 254, 339, 255),
)
# Luminance of the eye whites in good light is 0.17 to 0.48 on the test photos; below this a face is dark.
_EYE_WHITE: Final = 0.16
_HIGHLIGHTS: Final = 0.80  # 97th percentile of a face's luminance; above, skin loses its drawing
_MOST: Final = 0.5  # stops that a photo can be called too dark by; beyond, noise decides
_FLOOR: Final = 1e-4  # linear light; black has no logarithm
_BESIDE: Final = (0.62, 1.1)  # head heights from the face's middle: past most hair, before the walls end
_COLOURS_SIDE: Final = 96  # px; a picture's colours, not its details
_BAND: Final = 5.0  # L*
_CLUTTER_EYES: Final = 40.0  # px between the eyes at which edges beside the head are compared


def inside(box: Box, pixels: NDArray[np.generic]) -> tuple[slice, slice]:
    """Return the rows and columns of the part of `box` that lies in the picture."""
    height, width = pixels.shape[:2]
    rows = slice(max(0, int(box.top)), max(1, min(height, round(box.bottom))))
    columns = slice(max(0, int(box.left)), max(1, min(width, round(box.right))))
    return rows, columns


def reduced(pixels: Pixels, scale: float) -> Pixels:
    """Return the picture reduced by averaging; `scale` 1 or more changes nothing."""
    if scale >= 1.0:
        return np.ascontiguousarray(pixels)
    size = (max(1, round(pixels.shape[1] * scale)), max(1, round(pixels.shape[0] * scale)))
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)


def skin_level(linear: Values, face: Face) -> float:
    """Return the median luminance of cheeks and forehead, 0 to 1."""
    part, face = around(linear, face)
    shade = luminance(part)
    values = shade[skin_mask(shade.shape, face)]
    return max(float(np.median(values)), _FLOOR) if values.size else _FLOOR


def side_light(linear: Values, face: Face) -> float:
    """Return log2 of the picture's right cheek over its left, in stops; 0 is even light."""
    linear, face = around(linear, face)
    shade = luminance(linear)
    right, left = (_median(shade, face, cheek) for cheek in (RIGHT_CHEEK, LEFT_CHEEK))
    return float(np.log2(left / right))


def eye_white(linear: Values, face: Face) -> float:
    """Return the luminance of the whites of the eyes, 0 to 1.

    Sclera reflects alike in all people, so it tells how much light falls on a face, which skin cannot.
    On the test photos 0.17 to 0.48 in good light and below 0.10 against a window.
    """
    linear, face = around(linear, face)
    shade = luminance(linear)
    values = np.concatenate([shade[polygon_mask(shade.shape, face, eye)] for eye in EYE_OPENINGS])
    return float(np.percentile(values, 90)) if values.size else _FLOOR


def socket_light(linear: Values, face: Face) -> float:
    """Return the brighter eye region's luminance over its own cheek's; dark glasses are below 0.07.

    A lamp from the side leaves one eye in the dark, but its cheek as well; glasses are dark on both.
    """
    linear, face = around(linear, face)
    shade = luminance(linear)
    sides = zip(EYE_SOCKETS, (RIGHT_CHEEK, LEFT_CHEEK), strict=True)
    return max(_median(shade, face, socket) / _median(shade, face, cheek) for socket, cheek in sides)


def highlights(linear: Values, face: Face) -> float:
    """Return the 97th percentile of the face's luminance, 0 to 1: gloss, teeth, eye whites."""
    shade = luminance(linear[inside(face.box, linear)])
    return float(np.percentile(shade, 97)) if shade.size else 0.0


def underexposure(linear: Values, face: Face) -> float:
    """Return by how many stops the face should have been lit more; negative where it glares; 0 is well."""
    bright = highlights(linear, face)
    if bright > _HIGHLIGHTS:
        return max(-_MOST, float(np.log2(_HIGHLIGHTS / bright)))
    short = float(np.log2(_EYE_WHITE / max(eye_white(linear, face), _FLOOR)))
    room = float(np.log2(_HIGHLIGHTS / max(bright, _FLOOR)))
    return float(np.clip(short, 0.0, min(room, _MOST)))


def clipped(pixels: Pixels, face: Face) -> float:
    """Return the part of the face without any drawing left because it is white, 0 to 1."""
    part = pixels[inside(face.box, pixels)]
    return float((part.min(axis=2) >= 250).mean()) if part.size else 0.0


def surroundings(linear: Values, face: Face) -> float:
    """Return the mean luminance beside and above the face, 0 to 1."""
    shade = luminance(linear)
    box = face.box
    outside = np.ones(shade.shape, bool)
    outside[inside(Box(box.left - box.width, box.top, box.right + box.width, shade.shape[0]), shade)] = False
    return float(shade[outside].mean()) if outside.any() else float(shade.mean())


def clutter(pixels: Pixels, face: Face) -> float:
    """Return how strong the edges beside and above the head are, 0 (a plain wall) to 1.

    The mean gradient in a ring around the head, over a full step from black to white in 1/10 of the eye
    distance. Long hair lies in the ring as well, so it is no more than a hint.
    """
    scale = min(1.0, _CLUTTER_EYES / max(face.eye_distance, 1.0))
    small, moved = reduced(pixels, scale), face.moved(0, 0, scale)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255.0
    across, down = cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)
    edges = np.hypot(across, down) / 8 * moved.eye_distance / 10
    box, head = moved.box, moved.head_height
    rows, columns = np.indices(grey.shape, dtype=np.float32)
    x, y = (box.left + box.right) / 2, float(moved.crown[1]) + head / 2
    away = np.hypot(columns - x, rows - y) / head
    ring = (away > _BESIDE[0]) & (away < _BESIDE[1]) & (rows < y)
    return float(np.clip(edges[ring], 0, 1).mean()) if ring.any() else 0.0


def colours(pixels: Pixels) -> float:
    """Return how far parts of one lightness differ in colour, the 90th percentile, CIE a*b*.

    Nothing of a black and white picture, whatever it was toned with: 0.1, in sepia up to 6; photos in colour have 17 to
    52, three stops darker 8 to 26.
    """
    small = cv2.resize(pixels, (_COLOURS_SIDE, _COLOURS_SIDE), interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB).reshape(-1, 3)
    bands = (lab[:, 0] / _BAND).astype(int)
    off = np.zeros(len(lab))
    for band in np.unique(bands):
        there = bands == band
        off[there] = np.hypot(*(lab[there, 1:] - np.median(lab[there, 1:], axis=0)).T)
    return float(np.percentile(off, 90))


def _median(shade: Values, face: Face, polygon: tuple[int, ...]) -> float:
    values = shade[polygon_mask(shade.shape, face, polygon)]
    return max(float(np.median(values)), _FLOOR) if values.size else _FLOOR
