"""Colours that can be read: contrast as WCAG 2.2 measures it."""

from __future__ import annotations

# WCAG 2.2 SC 1.4.3: text against its ground.
MIN_CONTRAST = 4.5

Rgb = tuple[int, int, int]

WHITE: Rgb = (255, 255, 255)
BLACK: Rgb = (0, 0, 0)  # with a lighter one, some grounds would read with neither it nor white
# Of a page's plain grounds (tokens.css), those on which coloured text is hardest to read.
LIGHT_GROUND: Rgb = (236, 239, 243)
DARK_GROUND: Rgb = (30, 34, 41)


def parse_hex(color: str) -> Rgb:
    """Return the sRGB parts, 0 to 255, of `#rrggbb`."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def to_hex(color: Rgb) -> str:
    """Return `#rrggbb`."""
    return "#" + "".join(f"{part:02x}" for part in color)


def luminance(color: Rgb) -> float:
    """Return the relative luminance, 0 to 1 (WCAG 2.2)."""
    linear = [
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4
        for part in color
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Rgb, other: Rgb) -> float:
    """Return the contrast ratio of two sRGB colours, 1 to 21 (WCAG 2.2)."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(color: Rgb, ground: Rgb) -> Rgb:
    """Return `color`, moved towards black or white until it reads on `ground`."""
    towards = BLACK if luminance(ground) > 0.4 else WHITE
    for step in range(21):
        red, green, blue = (
            round(part + (aim - part) * step / 20) for part, aim in zip(color, towards, strict=True)
        )
        if contrast((red, green, blue), ground) >= MIN_CONTRAST:
            return red, green, blue
    return towards


def text_on(ground: Rgb) -> Rgb:
    """Return white or black, whichever reads better on `ground`."""
    return WHITE if contrast(WHITE, ground) >= contrast(BLACK, ground) else BLACK


def at_luminance(color: Rgb, wanted: float) -> Rgb:
    """Return `color` mixed with white or black until its relative luminance is `wanted`, 0 to 1."""
    towards = WHITE if luminance(color) < wanted else BLACK
    mixed = (
        tuple(round(part + (aim - part) * step / 255) for part, aim in zip(color, towards, strict=True))
        for step in range(256)
    )
    red, green, blue = min(mixed, key=lambda one: abs(luminance((one[0], one[1], one[2])) - wanted))
    return red, green, blue
