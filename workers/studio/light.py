"""Move uneven light on a face part of the way towards even, without touching its complexion."""

from __future__ import annotations

from typing import Final

import numpy as np

from workers.vision.color import Values
from workers.vision.geometry import Face
from workers.vision.measure import side_light
from workers.vision.skin import LEFT_CHEEK, RIGHT_CHEEK

MAX_STOPS: Final = 0.7  # of correction at each cheek; beyond it, noise and false shadows show


def even_out(linear: Values, face: Face, strength: float) -> Values:
    """Darken the bright side and lighten the dark one by the same number of stops.

    Args:
        linear: float32, height × width × 3, linear light.
        face: In the same pixels.
        strength: 0 leaves the light, 1 makes both cheeks equal.

    The gain is one smooth ramp across the head, equal for red, green and blue and 1 in its middle, so
    hue, saturation and the mean complexion stay.
    """
    stops = side_light(linear, face)
    right = face.landmarks[list(RIGHT_CHEEK), :2].mean(axis=0)
    left = face.landmarks[list(LEFT_CHEEK), :2].mean(axis=0)
    across = left - right
    half = float(np.linalg.norm(across)) / 2
    if half < 1.0:
        return linear
    across = across / np.linalg.norm(across)
    middle = (left + right) / 2
    rows, columns = np.ogrid[0 : linear.shape[0], 0 : linear.shape[1]]
    position = ((columns - middle[0]) * across[0] + (rows - middle[1]) * across[1]) / half
    # tanh(1) at a cheek's centre and flat beyond the ears: the ramp follows the head, not the room.
    ramp = np.tanh(position) / np.tanh(1.0)
    correction = float(np.clip(stops * strength / 2, -MAX_STOPS, MAX_STOPS))
    gain = np.exp2(-correction * ramp).astype(np.float32)
    return np.asarray(linear * gain[..., None], np.float32)
