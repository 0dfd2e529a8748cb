"""What is done to a photo in a known way, and what a photographer would then say of it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from enum import StrEnum
from typing import Final, NamedTuple

import cv2
import numpy as np
from PIL import Image

from deploy.bench.drawn import beautified, masked, skin_colour, with_hand
from workers.vision.color import Values, to_linear, to_srgb
from workers.vision.geometry import LEFT_IRIS, RIGHT_IRIS, Face, Pixels


class Meant(StrEnum):
    """What a photographer says; `check` agrees where it says the same of a photo that was fine before."""

    FINE = "fine"  # nothing that the photo as taken has not
    SAID = "said"  # a finding more, or a refusal
    REFUSED = "refused"
    UPRIGHT = "upright"  # turned, and as good as before


class Variant(NamedTuple):
    """One way of spoiling a photo."""

    name: str
    pixels: Pixels
    meant: Meant


# A Gaussian's sigma is the eye distance over these; a shake's length as well. Its deviation is its length over √12.
_BLURS: Final = {
    300: Meant.FINE,
    150: Meant.SAID,
    100: Meant.SAID,
    60: Meant.SAID,
    40: Meant.REFUSED,
    25: Meant.REFUSED,
}
# So 1/10 is as much as a Gaussian of 1/35.
_MOTIONS: Final = {40: Meant.SAID, 20: Meant.SAID, 10: Meant.REFUSED, 6: Meant.REFUSED}
_SHAKEN: Final = 30.0  # degrees
_NOISE: Final = {6: Meant.FINE, 15: Meant.SAID, 20: Meant.SAID, 30: Meant.SAID}  # levels, standard deviation
_SMALL: Final = {400: Meant.SAID, 300: Meant.SAID, 200: Meant.SAID}  # px, longest side
_STOPS: Final = {-1: Meant.FINE, -2: Meant.SAID, -3: Meant.SAID}
_QUALITY: Final = {60: Meant.FINE, 5: Meant.SAID, 2: Meant.SAID}
_LAMPS: Final = {  # gains in linear light
    "green light": (0.6, 1.2, 0.6),
    "blue light": (0.55, 0.8, 1.6),
    "tungsten": (1.6, 0.9, 0.35),
    "magenta light": (1.35, 0.6, 1.35),
}
_SEPIA: Final = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]], np.float32)
_MASKS: Final = {
    "white": (235, 236, 238),
    "blue": (120, 165, 205),
    "black": (28, 28, 30),
    "red": (170, 40, 45),
    "beige": (205, 170, 145),
}
_SCREEN: Final = (1080, 2340)  # px, a phone's
_BAR: Final = 300  # px
# Eye distances from the eyes' middle, and degrees.
_HANDS: Final = {"before the mouth": ((0.0, 1.3), -15.0), "before a cheek": ((-0.2, 1.1), 20.0)}


def variants(pixels: Pixels, face: Face) -> Iterator[Variant]:
    """Yield what is done to a photo, the outcome, and what a photographer would say.

    Args:
        pixels: uint8, height × width × 3, sRGB.
        face: In these pixels.
    """
    yield Variant("as taken", pixels, Meant.FINE)
    yield from _soft(pixels, face.eye_distance)
    yield from _coarse(pixels)
    yield from _coloured(pixels)
    yield from _covered(pixels, face)
    yield from _turned_and_framed(pixels)


def _soft(pixels: Pixels, eyes: float) -> Iterator[Variant]:
    for share, meant in _BLURS.items():
        yield Variant(f"blur 1/{share}", cv2.GaussianBlur(pixels, (0, 0), eyes / share), meant)
    for share, meant in _MOTIONS.items():
        yield Variant(f"motion 1/{share}", shaken(pixels, max(3, round(eyes / share) | 1), _SHAKEN), meant)
    for times, least in ((4, 25.0), (2.5, 40.0)):
        if eyes / times >= least:
            yield Variant(f"enlarged by {times}, sharpened", upscaled(pixels, times), Meant.SAID)


def _coarse(pixels: Pixels) -> Iterator[Variant]:
    for sigma, meant in _NOISE.items():
        grain = np.random.default_rng(0).normal(0, sigma, pixels.shape)
        yield Variant(f"noise {sigma}", np.clip(np.rint(pixels + grain), 0, 255).astype(np.uint8), meant)
    for side, meant in _SMALL.items():
        scale = side / max(pixels.shape[:2])
        yield Variant(
            f"{side} px", cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), meant
        )
    linear = to_linear(pixels)
    for stops, meant in _STOPS.items():
        yield Variant(f"{stops} stops", _srgb(linear * np.float32(2.0**stops)), meant)
    for quality, meant in _QUALITY.items():
        buffer = io.BytesIO()
        Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
        yield Variant(f"JPEG quality {quality}", np.asarray(Image.open(buffer)), meant)


def _coloured(pixels: Pixels) -> Iterator[Variant]:
    linear = to_linear(pixels)
    for name, gains in _LAMPS.items():
        yield Variant(name, _srgb(linear * np.array(gains, np.float32)), Meant.SAID)
    grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    yield Variant("black and white", grey, Meant.SAID)
    yield Variant("sepia", np.clip(pixels @ _SEPIA.T, 0, 255).astype(np.uint8), Meant.SAID)


def _covered(pixels: Pixels, face: Face) -> Iterator[Variant]:
    lenses = np.zeros(pixels.shape[:2], np.uint8)
    for iris in (RIGHT_IRIS, LEFT_IRIS):
        x, y = (round(float(place)) for place in face.landmarks[iris, :2])
        cv2.ellipse(
            lenses,
            (x, y),
            (round(0.36 * face.eye_distance), round(0.28 * face.eye_distance)),
            face.roll,
            0,
            360,
            1,
            -1,
        )
    on = lenses[..., None] > 0
    yield Variant("sunglasses, black", np.where(on, np.uint8(18), pixels), Meant.REFUSED)
    rows = np.linspace(0, 1, pixels.shape[0], dtype=np.float32)[:, None, None]
    top, bottom = face.box.top / len(pixels), face.box.bottom / len(pixels)
    sky = np.clip((rows - top) / max(bottom - top, 1e-3), 0, 1)
    mirror = np.array([205, 225, 245], np.float32) * (1 - sky) + np.array([60, 70, 60], np.float32) * sky
    yield Variant(
        "sunglasses, mirrored",
        np.where(on, np.broadcast_to(mirror, pixels.shape).astype(np.uint8), pixels),
        Meant.REFUSED,
    )
    tint = _srgb(to_linear(pixels) * np.array([0.16, 0.12, 0.08], np.float32))
    yield Variant("sunglasses, tinted", np.where(on, tint, pixels), Meant.SAID)
    colours = {**_MASKS, "their own skin": skin_colour(pixels, face)}
    for name, colour in colours.items():
        yield Variant(f"mask, {name}", masked(pixels, face, colour), Meant.SAID)
    for name, (place, turn) in _HANDS.items():
        yield Variant(f"hand {name}", with_hand(pixels, face, place, turn), Meant.SAID)
    yield Variant("beauty filter", beautified(pixels, face), Meant.SAID)


def _turned_and_framed(pixels: Pixels) -> Iterator[Variant]:
    for turns, name in ((1, "turned by 90°"), (2, "upside down"), (3, "turned by 270°")):
        yield Variant(name, np.ascontiguousarray(np.rot90(pixels, turns)), Meant.UPRIGHT)
    for factor in (0.8, 1.25):
        wide = cv2.resize(
            pixels, None, fx=factor, fy=1, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        )
        yield Variant(f"squeezed to {factor:.0%}", wide, Meant.SAID)
    for shade in (0, 255):
        yield Variant(
            f"screenshot, {'black' if shade == 0 else 'white'}", screenshot(pixels, shade), Meant.SAID
        )
    edge = round(0.05 * min(pixels.shape[:2]))
    yield Variant(
        "white border",
        cv2.copyMakeBorder(pixels, edge, edge, edge, edge, cv2.BORDER_CONSTANT, value=(255, 255, 255)),
        Meant.SAID,
    )
    yield Variant("watermarks", watermarked(pixels), Meant.SAID)


def upscaled(pixels: Pixels, times: float) -> Pixels:
    """Return a picture reduced and enlarged again, sharpened as an enlarging program does."""
    size = (pixels.shape[1], pixels.shape[0])
    small = cv2.resize(pixels, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA)
    large = cv2.resize(small, size, interpolation=cv2.INTER_LANCZOS4).astype(np.float32)
    detail = large - cv2.GaussianBlur(large, (0, 0), times / 2)
    return np.asarray(np.clip(np.rint(large + 1.5 * detail), 0, 255), np.uint8)


def watermarked(pixels: Pixels) -> Pixels:
    """Return a picture under rows of a half transparent word, as agencies put it over samples."""
    height, width = pixels.shape[:2]
    over = pixels.copy()
    scale = width / 700
    for row in range(1, 8):
        for column in range(3):
            place = (round(width * (column / 3 + 0.04 * (row % 2))), round(height * row / 8))
            cv2.putText(
                over,
                "SAMPLE",
                place,
                cv2.FONT_HERSHEY_SIMPLEX,
                scale,
                (255, 255, 255),
                max(1, round(3 * scale)),
                cv2.LINE_AA,
            )
    return np.rint(0.55 * pixels + 0.45 * over).astype(np.uint8)


def shaken(pixels: Pixels, length: int, degrees: float) -> Pixels:
    """Return a picture that moved along a line of `length` px."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    middle = (length - 1) / 2
    turned = cv2.warpAffine(line, cv2.getRotationMatrix2D((middle, middle), degrees, 1), (length, length))
    return np.asarray(cv2.filter2D(pixels, -1, turned / turned.sum()), np.uint8)


def screenshot(pixels: Pixels, shade: int) -> Pixels:
    """Return a phone's screen of one shade that shows the photo over its whole width."""
    width, height = _SCREEN
    screen = np.full((height, width, 3), shade, np.uint8)
    photo = cv2.resize(pixels, (width, round(pixels.shape[0] * width / pixels.shape[1])))
    shown = min(len(photo), height - 2 * _BAR)
    screen[_BAR : _BAR + shown] = photo[:shown]
    ink = (255 - shade,) * 3
    cv2.putText(screen, "12:41", (60, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.6, ink, 3)
    cv2.putText(screen, "Photos    Edit", (60, 200), cv2.FONT_HERSHEY_SIMPLEX, 1.7, ink, 3)
    return screen


def _srgb(linear: Values) -> Pixels:
    return np.asarray(np.rint(255 * to_srgb(np.clip(linear, 0, 1))), np.uint8)
