"""Linear light, and luminance (Rec. 709 primaries)."""

from __future__ import annotations

from typing import Final

import numpy as np

from core.srgb import Values, to_linear, to_srgb

__all__ = ["LUMINANCE", "Values", "luminance", "parse_hex", "to_linear", "to_srgb"]

LUMINANCE: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)


def luminance(linear: Values) -> Values:
    """Relative luminance of linear light, … × 3 to …."""
    return np.asarray(linear @ LUMINANCE, np.float32)


def parse_hex(value: str) -> Values:
    """Convert `#rrggbb` to sRGB, float32 0 to 1."""
    return np.array([int(value[start : start + 2], 16) for start in (1, 3, 5)], np.float32) / 255.0
