"""Faces between two people: what an encoder lets pass of them says more than strangers do."""

from __future__ import annotations

import cv2
import numpy as np
from scipy.interpolate import LinearNDInterpolator  # type: ignore[import-untyped]  # scipy ships no types

from workers.vision.examination import Examination
from workers.vision.geometry import Pixels


def morphed(one: Examination, other: Examination, share: float, size: int = 512) -> Pixels:
    """Draw a face between two: shape and colours.

    Args:
        one: A photo with a face.
        other: Another person's.
        share: Of the way to the other, 0 to 1.
        size: Of the picture's sides, pixels.
    """
    assert one.face is not None
    assert other.face is not None
    frame = np.array([(x, y) for x in (0, size / 2, size - 1) for y in (0, size / 2, size - 1) if x != y])
    corners = np.vstack([frame, [(0, 0), (size - 1, size - 1)]])
    pictures, shapes = [], []
    for seen, found in ((one, one.face), (other, other.face)):
        assert seen.pixels is not None
        face, scale = found, 150 / found.eye_distance
        matrix = cv2.getRotationMatrix2D((0, 0), face.roll, scale)
        eyes = (face.right_eye + face.left_eye) / 2
        matrix[:, 2] = np.array([size / 2, 0.45 * size]) - matrix[:, :2] @ eyes
        pictures.append(cv2.warpAffine(seen.pixels, matrix, (size, size), borderMode=cv2.BORDER_REPLICATE))
        shapes.append(face.landmarks[:468, :2] @ matrix[:, :2].T + matrix[:, 2])
    between = np.vstack([(1 - share) * shapes[0] + share * shapes[1], corners])
    columns, rows = np.meshgrid(np.arange(size), np.arange(size))
    result = np.zeros((size, size, 3))
    for picture, points, weight in zip(pictures, shapes, (1 - share, share), strict=True):
        places = LinearNDInterpolator(between, np.vstack([points, corners]))(columns, rows)
        at = np.nan_to_num(places).astype(np.float32)
        result += weight * cv2.remap(picture, at[..., 0], at[..., 1], cv2.INTER_LINEAR)
    return np.rint(result).astype(np.uint8)
