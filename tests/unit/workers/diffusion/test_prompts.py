from __future__ import annotations

import re
from itertools import product

import pytest

from core.style.presets import PRESETS
from core.style.spec import Attire, Expression, Light, StyleSpec, Subject
from workers.diffusion.prompts import light, prompts
from workers.diffusion.worn import Worn

# Who somebody is, is not ours to say.
JUDGING = r"man|woman|male|female|lady|gentleman|boy|girl|old|young|aged|skin|beautiful|handsome|attractive|tie|dress"
EVERY = [
    StyleSpec(subject=Subject(attire=attire, expression=expression))
    for attire, expression in product(Attire, Expression)
]


@pytest.mark.parametrize("style", [*EVERY, *PRESETS.values()])
def test_prompts_name_the_word_and_never_age_gender_or_looks(style):
    asked = prompts(style, "ohwx", 5)
    assert len(asked) == 5
    for prompt in asked:
        assert prompt.startswith("a photo of ohwx person")
        assert not re.search(rf"\b({JUDGING})\b", prompt), prompt
        assert ", ," not in prompt


@pytest.mark.parametrize(
    ("images", "named"),
    [(1, "image 1"), (2, "image 1 and image 2"), (3, "image 1, image 2 and image 3")],
)
def test_who_is_shown_is_named_by_the_number_of_each_picture(images, named):
    for look, words in ((False, ""), (True, " in zwx style")):
        trained = prompts(StyleSpec(), "ohwx", 1, images=images, look=look)[0]
        assert trained.startswith(f"a photo of ohwx person{words}, the person from {named}, head and"), (
            trained
        )
        shown = prompts(StyleSpec(), "", 1, images=images, look=look)[0]
        assert shown.startswith(
            f"a photo of the person from {named}{',' if look else ''}{words}, head and"
        ), shown
    assert "image" not in prompts(StyleSpec(), "ohwx", 1)[0]


def test_each_attire_and_expression_asks_for_something_else():
    assert len({tuple(prompts(style, "ohwx", 3)) for style in EVERY}) == len(EVERY)


def test_clothes_vary_between_pictures_and_own_clothes_are_not_named():
    assert len(set(prompts(StyleSpec(), "ohwx", 3))) == 3
    own = prompts(StyleSpec(subject=Subject(attire=Attire.OWN)), "ohwx", 3)
    assert "wearing" not in own[0]
    assert len(set(own)) == 1


def test_who_wears_glasses_is_asked_with_them_and_own_clothes_are_asked_for():
    worn = Worn.mostly(
        [
            Worn(glasses=True, clothes="wearing green clothes"),
            Worn(glasses=True),
            Worn(clothes="wearing red clothes"),
        ]
    )
    assert all("wearing glasses" in prompt for prompt in prompts(StyleSpec(), "ohwx", 3, worn=worn))
    assert not any("glasses" in prompt for prompt in prompts(StyleSpec(), "ohwx", 3))
    own = StyleSpec(subject=Subject(attire=Attire.OWN))
    assert "wearing green clothes" in prompts(own, "ohwx", 1, worn=worn)[0]
    assert "green" not in prompts(StyleSpec(), "ohwx", 1, worn=worn)[0]


def test_the_same_style_asks_for_the_same():
    assert prompts(StyleSpec(), "ohwx", 4) == prompts(StyleSpec(), "ohwx", 4)
    assert prompts(StyleSpec(), "ohwx", 6)[:4] == prompts(StyleSpec(), "ohwx", 4)


@pytest.mark.parametrize(
    ("azimuth", "contrast", "expected"),
    [
        (-45, 0.6, "hard studio light from the left"),
        (25, 0.2, "soft studio light from the right"),
        (0, 0.3, "soft studio light from the camera"),
        (60, 0.05, "even light"),
    ],
)
def test_the_key_light_is_told_as_the_style_has_it(azimuth, contrast, expected):
    assert light(Light(azimuth=azimuth, contrast=contrast)) == expected
