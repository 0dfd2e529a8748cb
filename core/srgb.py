"""The sRGB curve (IEC 61966-2-1): between what is stored and linear light."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float32]


def to_linear(values: NDArray[np.uint8] | Values) -> Values:
    """Convert sRGB (uint8, or float 0 to 1) to linear light, float32 0 to 1."""
    if values.dtype == np.uint8:
        return _TABLE[values]
    encoded = np.asarray(values, np.float32)
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4).astype(
        np.float32
    )


def to_srgb(linear: Values) -> Values:
    """Convert linear light to sRGB, float32 0 to 1; values outside are clipped.

    By table: 65,536 steps are a twentieth of an 8-bit step at black, where the curve is steepest.
    """
    steps = np.clip(linear, 0.0, 1.0) * np.float32(65535) + np.float32(0.5)
    return _ENCODED[steps.astype(np.uint16)]


_TABLE: Final = to_linear(np.arange(256, dtype=np.float32) / 255.0)
_LIGHT: Final = np.arange(65536, dtype=np.float64) / 65535.0
_ENCODED: Final = np.where(_LIGHT <= 0.0031308, _LIGHT * 12.92, 1.055 * _LIGHT ** (1 / 2.4) - 0.055).astype(
    np.float32
)
