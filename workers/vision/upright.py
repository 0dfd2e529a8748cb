"""A face at one size and place, levelled: what two pictures are compared in."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from workers.vision.geometry import Face, Pixels

Grey = NDArray[np.float32]  # height × width, 0 to 255

_FINER: Final = (
    4  # a warp that makes smaller picks single pixels, so it makes less small and is averaged then
)


def upright(pixels: Pixels, face: Face, size: tuple[int, int], eyes: float, eye_line: float) -> Grey:
    """Return the grey picture around a face with level eyes; the frame's own edge goes on beyond it.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
        size: Width and height of the result, pixels.
        eyes: Between the eyes, pixels of the result; they lie in the middle.
        eye_line: From the top, pixels of the result.
    """
    grey = cv2.cvtColor(_warped(pixels, face, size, eyes, eye_line, cv2.BORDER_REPLICATE), cv2.COLOR_RGB2GRAY)
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)


def upright_colours(
    pixels: Pixels, face: Face, size: tuple[int, int], eyes: float, eye_line: float
) -> tuple[Pixels, Grey]:
    """Return the same in colours, and how much of each pixel lies within the frame, 0 to 1."""
    large = _warped(pixels, face, size, eyes, eye_line, cv2.BORDER_REPLICATE)
    frame = np.ones(pixels.shape[:2], np.uint8)
    inside = _warped(frame, face, size, eyes, eye_line, cv2.BORDER_CONSTANT).astype(np.float32)
    return (
        np.asarray(cv2.resize(large, size, interpolation=cv2.INTER_AREA), np.uint8),
        np.asarray(cv2.resize(inside, size, interpolation=cv2.INTER_AREA), np.float32),
    )


def _warped(
    pixels: Pixels, face: Face, size: tuple[int, int], eyes: float, eye_line: float, beyond: int
) -> Pixels:
    width, height = size
    scale = eyes / max(face.eye_distance, 1.0)
    turn = np.radians(-face.roll)
    cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
    x, y = (face.right_eye + face.left_eye) / 2
    matrix = _FINER * np.array(
        [
            [cosine, -sine, width / 2 - cosine * x + sine * y],
            [sine, cosine, eye_line - sine * x - cosine * y],
        ]
    )
    warped = cv2.warpAffine(
        pixels, matrix, (_FINER * width, _FINER * height), flags=cv2.INTER_LINEAR, borderMode=beyond
    )
    return np.asarray(warped, np.uint8)
