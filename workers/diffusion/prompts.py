"""What the model is asked to paint: the style's clothes, expression and light, in the words of its captions.

The wall is plain and unlike any skin or cloth, because the finisher replaces it and wants a clean edge. Age,
gender, complexion and looks are never named: they come from the person's photos. Cloth is plain, because
models write words that are none.
"""

from __future__ import annotations

from typing import Final

from core.style.spec import Attire, Expression, Light, StyleSpec
from workers.diffusion.captions import GLASSES, LOOK, SUBJECT
from workers.diffusion.worn import NOTHING_SEEN, Worn

# Clothes that anybody may wear, one to a picture in turn, so that there is something to choose from.
_ATTIRE: Final[dict[Attire, tuple[str, ...]]] = {
    Attire.BUSINESS: (
        "wearing a dark navy suit jacket over a plain white shirt",
        "wearing a charcoal grey suit jacket over a plain light blue shirt",
        "wearing a black suit jacket over a plain white top",
    ),
    Attire.BUSINESS_CASUAL: (
        "wearing a plain navy blazer over a white top with an open collar",
        "wearing a plain light blue shirt with an open collar",
        "wearing a plain grey blazer over a fine knit top",
    ),
    Attire.CASUAL: (
        "wearing a plain dark blue crew neck jumper",
        "wearing a plain heather grey knit jumper over a white top",
        "wearing a plain dark green overshirt over a white top",
    ),
    Attire.OWN: ("",),  # what the person wears in most photos
}
_EXPRESSION: Final[dict[Expression, str]] = {
    Expression.NEUTRAL: "neutral expression",
    Expression.SOFT_SMILE: "smiling with closed lips",
    Expression.SMILE: "broad smile",
}
_PLAIN: Final = "plain neutral grey studio wall"
_CAMERA: Final = "sharp focus on the eyes, 85 mm portrait lens"
_FRONT: Final = 12.0  # degrees of azimuth within which a lamp stands at the camera
_HARD: Final = 0.45  # of `Light.contrast`, from where shadows are seen as such
_EVEN: Final = 0.12  # of `Light.contrast`, up to where there are none


def prompts(
    style: StyleSpec,
    word: str,
    count: int,
    *,
    look: bool = False,
    worn: Worn = NOTHING_SEEN,
    images: int = 0,
) -> list[str]:
    """Return what to ask for, one sentence a picture; the same for the same style.

    Args:
        style: Of the company.
        word: The rare word that stands for the person, as in the captions; empty for who is shown and has none.
        count: How many.
        look: Whether the company's look is loaded, which answers to a word of its own.
        worn: What the person wears in most photos: captions name it, so nobody has it who is not asked with it.
        images: How many pictures of the person the base is shown beside this.
    """
    clothes = _ATTIRE[style.subject.attire]
    subject = _subject(word, images, look=look)
    glasses = GLASSES if worn.glasses else ""
    return [
        _prompt(style, subject, glasses, clothes[index % len(clothes)] or worn.clothes)
        for index in range(count)
    ]


def _subject(word: str, images: int, *, look: bool) -> str:
    """Name who is asked for: by the word, as learned, and by number where pictures are shown (docs/sources.md, Prompts)."""
    shown = f"the person from {_numbered(images)}" if images else ""
    if not word:
        return ", ".join((f"a photo of {shown}", *((LOOK,) if look else ())))
    taught = " ".join((SUBJECT.format(word=word), *((LOOK,) if look else ())))
    return f"{taught}, {shown}" if shown else taught


def _numbered(images: int) -> str:
    """Return “image 1, image 2 and image 3”, in the order in which they are shown."""
    *others, last = (f"image {number}" for number in range(1, images + 1))
    return f"{', '.join(others)} and {last}" if others else last


def _prompt(style: StyleSpec, subject: str, glasses: str, clothes: str) -> str:
    parts = (
        subject,
        "head and shoulders",
        "facing the camera",
        _EXPRESSION[style.subject.expression],
        glasses,
        clothes,
        light(style.light),
        _PLAIN,
        _CAMERA,
    )
    return ", ".join(part for part in parts if part)


def light(light: Light) -> str:
    """Return a style's key light in words; the finisher then moves it to the exact place."""
    if light.contrast <= _EVEN:
        return "even light"
    kind = "hard studio light" if light.contrast >= _HARD else "soft studio light"
    if abs(light.azimuth) <= _FRONT:
        return f"{kind} from the camera"
    return f"{kind} from the {'left' if light.azimuth < 0 else 'right'}"
