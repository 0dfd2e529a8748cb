"""The film: white balance, exposure, contrast, saturation; on the person alone.

Corrections are small and limited. A face is never pulled towards a common complexion: exposure is judged
by the whites of the eyes and by gloss, which do not depend on the complexion, and
a colour cast only where the skin has a hue that no human skin has.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from skimage import color

from core.style import Grade, StyleSpec
from workers.vision.color import Values, luminance, to_linear, to_srgb
from workers.vision.geometry import Face
from workers.vision.measure import underexposure
from workers.vision.skin import SkinTone, skin_tone

MAX_STOPS: Final = 0.4  # of exposure in all; about ΔE2000 6 on mid skin, the gates' limit
# Hue of human skin in L*a*b*, degrees, all complexions, daylight: Xiao et al. 2017, "Characterising the
# variations in ethnic skin colours", about 40 to 70.
_SKIN_HUE: Final = (38.0, 72.0)
_MAX_CAST: Final = 6.0  # a*b* units taken away at most
_MID: Final = 0.18  # linear mid-grey, the S-curve's fixed point


def expose(linear: Values, face: Face, wish: float) -> Values:
    """Bring a dark or glaring face towards the normal range and add the style's `wish`, in stops.

    Together at most `MAX_STOPS`, whatever the style asks for, because more would be another complexion.
    """
    stops = float(np.clip(underexposure(linear, face) + wish, -MAX_STOPS, MAX_STOPS))
    brighter = linear * np.float32(2.0**stops)
    return _shoulder(brighter) if stops > 0 else np.asarray(brighter, np.float32)


def balance(linear: Values, face: Face) -> Values:
    """Take a colour cast away where the skin's hue is outside what skin can have."""
    tone = skin_tone(np.rint(to_srgb(linear) * 255).astype(np.uint8), face)
    hue = float(np.clip(tone.hue, *_SKIN_HUE))
    if abs(hue - tone.hue) < 0.5:
        return linear
    strength = float(np.hypot(tone.red, tone.yellow))
    shift = np.array(
        [
            strength * np.cos(np.radians(hue)) - tone.red,
            strength * np.sin(np.radians(hue)) - tone.yellow,
        ]
    )
    shift *= min(1.0, _MAX_CAST / (float(np.linalg.norm(shift)) + 1e-9))
    wanted = SkinTone(tone.lightness, tone.red + float(shift[0]), tone.yellow + float(shift[1]))
    gain = _linear_of(wanted) / np.maximum(_linear_of(tone), 1e-4)
    gain /= float(luminance(_linear_of(wanted)) / luminance(_linear_of(tone)))
    return np.asarray(linear * gain, np.float32)


def develop(linear: Values, grade: Grade) -> Values:
    """Apply the style's warmth, contrast and saturation."""
    before = luminance(linear)
    warm = linear
    if grade.warmth:
        # +600 K at 5,500 K is 18 mired: red +3.5 %, blue -6 % (Planck's law at 610 and 465 nm).
        warm = linear * np.array([1 + 0.035 * grade.warmth, 1.0, 1 - 0.06 * grade.warmth], np.float32)
        warm *= (before / np.maximum(luminance(warm), 1e-5))[..., None]
    shade = np.maximum(before, 1e-5)
    result = warm
    toned = before
    if grade.contrast:
        toned = _curve(shade, grade.contrast)
        result = warm * (toned / shade)[..., None]
    if grade.saturation != 1.0:
        grey = toned[..., None]
        result = grey + (result - grey) * np.float32(grade.saturation)
    return np.asarray(result, np.float32)


def styled(tone: SkinTone, style: StyleSpec) -> SkinTone:
    """Return what the style makes of a complexion on purpose: its film, and its exposure as far as allowed."""
    stops = float(np.clip(style.light.exposure, -MAX_STOPS, MAX_STOPS))
    linear = _linear_of(tone)[None, None] * np.float32(2.0**stops)
    lightness, red, yellow = color.rgb2lab(to_srgb(develop(linear, style.grade)).astype(np.float64))[0, 0]
    return SkinTone(float(lightness), float(red), float(yellow))


def _curve(shade: Values, contrast: float) -> Values:
    """S-curve in log light around mid-grey that fades out towards black and white, so neither clips."""
    stops = np.log2(shade / _MID)
    bent = stops * (1 + contrast * np.exp(-((stops / 2.2) ** 2)))
    return np.asarray(_MID * np.exp2(bent), np.float32)


def _shoulder(linear: Values) -> Values:
    """Roll highlights above 0.8 off instead of clipping them."""
    knee = np.float32(0.8)
    over = np.maximum(linear - knee, 0)
    return np.where(linear > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), linear).astype(
        np.float32
    )


def _linear_of(tone: SkinTone) -> Values:
    rgb = color.lab2rgb(np.array([[[tone.lightness, tone.red, tone.yellow]]]))[0, 0]
    return to_linear(rgb.astype(np.float32))
