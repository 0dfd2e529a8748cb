"""Presets that look like the work of different photographers."""

from __future__ import annotations

from itertools import combinations

import pytest

from core.style.colors import luminance, parse_hex
from core.style.presets import BRANDED, PRESETS, branded, presets
from core.style.spec import GradientBackdrop, StyleSpec


def test_each_preset_has_a_light_and_a_film_of_its_own() -> None:
    assert len(PRESETS) == 6
    for one, other in combinations(PRESETS.values(), 2):
        assert one.name != other.name
        assert one.light != other.light
        assert one.grade != other.grade
        assert one.backdrop != other.backdrop


@pytest.mark.parametrize("accent", ["#000000", "#ffffff", "#ff0000", "#0b6e4f", "#2f4b6e", "#ffe600"])
def test_the_brands_wall_is_deep_whatever_the_accent(accent: str) -> None:
    spec = presets(accent)[BRANDED]
    assert isinstance(spec.backdrop, GradientBackdrop)
    inner, outer = (luminance(parse_hex(color)) for color in (spec.backdrop.inner, spec.backdrop.outer))
    assert inner == pytest.approx(0.13, abs=0.02)
    assert outer == pytest.approx(0.018, abs=0.01)


def test_the_brands_wall_has_the_accents_hue() -> None:
    backdrop = branded("#0b6e4f").backdrop
    assert isinstance(backdrop, GradientBackdrop)
    red, green, blue = parse_hex(backdrop.inner)
    assert green > blue > red
    assert StyleSpec.model_validate(branded("#0b6e4f").model_dump()) == branded("#0b6e4f")


def test_every_preset_says_what_people_wear_and_they_do_not_all_wear_the_same() -> None:
    assert len({spec.subject for spec in PRESETS.values()}) >= 4
