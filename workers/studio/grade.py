"""The film: white balance, exposure, contrast, saturation; on the person alone.

Corrections are small and limited. A face is never pulled towards a common complexion: exposure is judged
by the whites of the eyes and by gloss, a colour cast by the whites of the eyes and by a hue of the skin that
no human skin has. No film makes a complexion another one: its curve is held where the skin is, and what is left is
taken back as far as ITA° says so.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from skimage import color

from core.style.spec import Grade, StyleSpec
from workers.vision.color import Values, luminance, to_linear, to_srgb
from workers.vision.eyes import WHITE, white_of_eyes
from workers.vision.geometry import Face, Pixels
from workers.vision.photometry import underexposure
from workers.vision.skin import SkinTone, around, skin_tone

MAX_STOPS: Final = 0.4  # of exposure in all; about ΔE2000 6 on mid skin, the gates' limit
# Hue of human skin in L*a*b*, degrees, all complexions, daylight: Xiao et al. 2017, "Characterising the
# variations in ethnic skin colours", about 40 to 70.
_SKIN_HUE: Final = (38.0, 72.0)
_MAX_CAST: Final = 6.0  # a*b* units taken away at most
# The whites say something only where they differ from the skin around them, which else has been measured.
_APART: Final = 0.6  # chroma of the whites over the skin's, at most
_NO_CAST: Final = 5.0  # a*b* units: whites differ that much from person to person
_TRUST: Final = 0.5  # share of the whites' further cast that is taken away
_MAX_WHITES: Final = 4.0  # a*b* units that whites alone can move; about 4° ITA on mid skin
_MID: Final = 0.18  # linear mid-grey, the S-curve's middle
_WISH_ITA: Final = 2.0  # degrees of ITA that a style's exposure may move a complexion
_MOST_ITA: Final = 3.0  # degrees of ITA between photo and headshot, which found anew measures up to 2 more
_BLACK: Final = 1 / 3  # of the skin's luminance, above which no film's black is lifted
_LAB: Final = 16.0  # L* + 16 goes with the cube root of light
COLOURLESS: Final = 4.0  # b*; a black-and-white style leaves none, and the angle means nothing


def expose(linear: Values, face: Face, wish: float) -> Values:
    """Bring a dark or glaring face towards the normal range and add the style's `wish`, in stops.

    Together at most `MAX_STOPS`, whatever the style asks for, because more would be another complexion.
    """
    part, moved = around(linear, face)
    wish = harmless(_tone(part, moved), wish)
    stops = float(np.clip(underexposure(part, moved) + wish, -MAX_STOPS, MAX_STOPS))
    brighter = linear * np.float32(2.0**stops)
    return _shoulder(brighter) if stops > 0 else np.asarray(brighter, np.float32)


def harmless(tone: SkinTone, stops: float, most: float = _WISH_ITA) -> float:
    """Return as much of `stops` as leaves a complexion within `most` degrees of ITA of what it is.

    Light scales all of L* + 16, a* and b* by its cube root, so a complexion of little colour near L* 50 turns
    fastest: half a stop is 6° on one skin and 40° on another.
    """
    return min(max(stops, _stops_to(tone, tone.ita - most)), _stops_to(tone, tone.ita + most))


def _stops_to(tone: SkinTone, ita: float) -> float:
    """Return the stops of light after which a complexion has that angle."""
    yellow = max(tone.yellow, 1e-3)
    # (k (L + 16) - 66) / (k b) = tan(ITA)
    low = tone.lightness + _LAB - yellow * float(np.tan(np.radians(np.clip(ita, -89.0, 89.0))))
    return 3 * float(np.log2((50.0 + _LAB) / max(low, 1e-3)))


def keep(linear: Values, face: Face, photo: SkinTone, cast: float, style: StyleSpec) -> Values:
    """Take back what has made the complexion another one, whatever did so, but for what the film's colours ask.

    Args:
        linear: float32, height × width × 3, linear light: the developed person.
        face: In the same pixels.
        photo: The complexion as the photo shows it.
        cast: Degrees of ITA by which a colour cast was taken away, which is no complexion.
        style: Whose film it is.
    """
    here = _tone(*around(linear, face))
    if here.yellow < COLOURLESS:
        return linear
    asked = abs(styled(photo, style).ita - photo.ita)
    left = max(_WISH_ITA, _MOST_ITA - abs(cast), asked)
    turned = here.ita - (photo.ita + cast)
    if abs(turned) <= left:
        return linear
    stops = _stops_to(here, photo.ita + cast + float(np.copysign(left, turned)))
    return np.asarray(linear * np.float32(2.0 ** np.clip(stops, -2 * MAX_STOPS, 2 * MAX_STOPS)), np.float32)


def complexion(linear: Values, face: Face) -> SkinTone:
    """Return the skin's tone in linear light; see `skin_tone`."""
    return _tone(*around(linear, face))


def _tone(linear: Values, face: Face) -> SkinTone:
    return skin_tone(np.rint(to_srgb(np.clip(linear, 0, 1)) * 255).astype(np.uint8), face)


def balance(linear: Values, face: Face) -> Values:
    """Take a colour cast away, as far as the whites of the eyes or an impossible hue of the skin prove it."""
    part, face = around(linear, face)
    pixels = np.rint(to_srgb(part) * 255).astype(np.uint8)
    tone = skin_tone(pixels, face)
    red, yellow = _cast(pixels, face, tone)
    strength = float(np.hypot(tone.red - red, tone.yellow - yellow))
    hue = np.radians(np.clip(np.degrees(np.arctan2(tone.yellow - yellow, tone.red - red)), *_SKIN_HUE))
    shift = np.array([strength * np.cos(hue) - tone.red, strength * np.sin(hue) - tone.yellow])
    size = float(np.linalg.norm(shift))
    if size < 0.3 or strength < 1.0:
        return linear
    shift *= min(1.0, _MAX_CAST / size)
    wanted = SkinTone(tone.lightness, tone.red + float(shift[0]), tone.yellow + float(shift[1]))
    gain = _linear_of(wanted) / np.maximum(_linear_of(tone), 1e-4)
    gain /= float(luminance(_linear_of(wanted)) / luminance(_linear_of(tone)))
    return np.asarray(linear * gain, np.float32)


def _cast(pixels: Pixels, face: Face, tone: SkinTone) -> tuple[float, float]:
    """Return the cast (a*, b*) that the whites of the eyes prove, and that is to be taken away."""
    white = white_of_eyes(pixels, face)
    chroma = float(np.hypot(tone.red, tone.yellow))
    if white is None or float(np.hypot(*white)) > _APART * chroma:
        return 0.0, 0.0
    off = np.array(white) - np.array(WHITE)
    size = float(np.linalg.norm(off))
    moved = min(_MAX_WHITES, _TRUST * max(0.0, size - _NO_CAST))
    share = moved / max(size, 1e-9)
    return float(off[0] * share), float(off[1] * share)


def develop(linear: Values, grade: Grade, skin: float) -> Values:
    """Apply the style's warmth, contrast, saturation and faded black.

    Args:
        linear: float32, height × width × 3, linear light.
        grade: The style's film.
        skin: Luminance of the skin, linear light; it comes out as it was.
    """
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
        level = np.array([max(skin, 1e-4)], np.float32)
        held = level / _curve(level, grade.contrast)
        toned = _shoulder(_curve(shade, grade.contrast) * held)
        result = warm * (toned / shade)[..., None]
    if grade.saturation != 1.0:
        grey = toned[..., None]
        result = grey + (result - grey) * np.float32(grade.saturation)
    if grade.fade:
        black = np.float32(min(grade.fade, _BLACK * skin))
        result = result + (black * np.clip(1 - toned / max(skin, 1e-4), 0, 1))[..., None]
    return np.asarray(result, np.float32)


def styled(tone: SkinTone, style: StyleSpec) -> SkinTone:
    """Return what the style makes of a complexion on purpose: its film, and its exposure as far as allowed."""
    stops = float(np.clip(harmless(tone, style.light.exposure), -MAX_STOPS, MAX_STOPS))
    linear = _linear_of(tone)[None, None] * np.float32(2.0**stops)
    developed = develop(linear, style.grade, float(luminance(linear)[0, 0]))
    lightness, red, yellow = color.rgb2lab(to_srgb(developed).astype(np.float64))[0, 0]
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
