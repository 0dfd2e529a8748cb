"""What a delivered file says that it shows, in words that the style allows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from compliance.origin.iptc import Caption
from core.style.spec import GradientBackdrop, ImageBackdrop, Scene, SceneBackdrop, SolidBackdrop, StyleSpec
from core.words import N_, fill


def caption_of(
    person: str, company: str, style: StyleSpec, say: Callable[[str], str] = lambda text: text
) -> Caption:
    """Describe a person's portrait from what the style says of it.

    Args:
        person: The name, as it may stand in the person's own file.
        company: Whose style it is; empty where there is no company.
        style: What is behind the person.
        say: Looks a text up in the reader's language.
    """
    if not person:
        return Caption(creator=company, credit=company)
    captioned = N_("Portrait of %(person)s, %(company)s") if company else N_("Portrait of %(person)s")
    return Caption(
        caption=fill(say(captioned), {"person": person, "company": company}),
        creator=company,
        credit=company,
        alt=fill(say(_behind(style)), {"person": person}),
    )


def _behind(style: StyleSpec) -> str:
    backdrop = style.backdrop
    if isinstance(backdrop, SceneBackdrop):
        return (
            N_("Portrait photo of %(person)s in an office, the room out of focus")
            if backdrop.scene is Scene.OFFICE
            else N_("Portrait photo of %(person)s outdoors, trees out of focus")
        )
    if isinstance(backdrop, ImageBackdrop):
        return N_("Portrait photo of %(person)s")
    return _AGAINST[_color_word(backdrop)]


_AGAINST: Final = {
    "white": N_("Portrait photo of %(person)s against a white backdrop"),
    "black": N_("Portrait photo of %(person)s against a black backdrop"),
    "grey": N_("Portrait photo of %(person)s against a grey backdrop"),
    "red": N_("Portrait photo of %(person)s against a red backdrop"),
    "brown": N_("Portrait photo of %(person)s against a brown backdrop"),
    "yellow": N_("Portrait photo of %(person)s against a yellow backdrop"),
    "green": N_("Portrait photo of %(person)s against a green backdrop"),
    "blue": N_("Portrait photo of %(person)s against a blue backdrop"),
    "purple": N_("Portrait photo of %(person)s against a purple backdrop"),
}
# Upper ends of the hues, degrees on the wheel of red, yellow, green, cyan, blue, magenta.
_HUES: Final = ((20, "red"), (45, "brown"), (70, "yellow"), (165, "green"), (255, "blue"), (330, "purple"))


def _color_word(backdrop: SolidBackdrop | GradientBackdrop) -> str:
    colors = [backdrop.color] if isinstance(backdrop, SolidBackdrop) else [backdrop.inner, backdrop.outer]
    red, green, blue = (
        sum(int(color[at : at + 2], 16) for color in colors) / len(colors) / 255 for at in (1, 3, 5)
    )
    high, low = max(red, green, blue), min(red, green, blue)
    if high < 0.12:
        return "black"
    if low > 0.9:
        return "white"
    if high - low < 0.18 * high:
        return "grey"
    if high == red:
        hue = 60 * (green - blue) / (high - low) % 360
    elif high == green:
        hue = 60 * (blue - red) / (high - low) + 120
    else:
        hue = 60 * (red - green) / (high - low) + 240
    return next((word for end, word in _HUES if hue < end), "red")
