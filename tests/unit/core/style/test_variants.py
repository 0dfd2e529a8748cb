"""What a company lets its people choose beside its own look."""

from __future__ import annotations

import pytest

from core.errors import InvalidInput
from core.style.file import read_style, to_toml
from core.style.framing import LARGEST_HEAD
from core.style.spec import Crop, GradientBackdrop, StyleSpec, Variants
from core.style.variants import Variant, variants_of


def test_a_style_allows_nothing_unless_it_says_so() -> None:
    assert variants_of(StyleSpec()) == []
    assert read_style('name = "Old"').variants == Variants()


def test_what_differs_in_one_thing_comes_first() -> None:
    style = StyleSpec(variants=Variants(closer=0.1, colors=("#FFFFFF", "#1f2d44")))
    assert variants_of(style) == [
        Variant(closer=0.1),
        Variant(color="#ffffff"),
        Variant(color="#1f2d44"),
        Variant(0.1, "#ffffff"),
        Variant(0.1, "#1f2d44"),
    ]
    assert variants_of(StyleSpec(variants=Variants(colors=("#ffffff",)))) == [Variant(color="#ffffff")]


def test_a_style_file_keeps_its_variants() -> None:
    style = StyleSpec(variants=Variants(closer=0.12, colors=("#ffffff", "#1f2d44")))
    text = to_toml(style)
    assert 'colors = ["#ffffff", "#1f2d44"]' in text
    assert read_style(text) == style


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("closer = 0.4", "variants.closer: must be at most 0.25"),
        ('colors = ["white"]', "variants.colors: must be a colour such as #2F4B6E"),
        ('colors = ["#000000", "#111111", "#222222"]', "variants.colors: must have at most 2 entries"),
        ('color = "#000000"', "variants.color: is not a field of the style; did you mean colors?"),
    ],
)
def test_what_cannot_be_offered_is_named(text: str, wrong: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_style(f"[variants]\n{text}")
    assert wrong in caught.value.message


def test_a_variant_changes_only_what_it_says() -> None:
    style = StyleSpec(
        crop=Crop(head_height=0.74),
        backdrop=GradientBackdrop(contact=-0.2, grain=0.5),
        variants=Variants(closer=0.2),
    )
    closer = Variant(closer=0.2).applied(style)
    assert closer.crop.head_height == LARGEST_HEAD, "larger heads no longer fit every file"
    assert closer.model_copy(update={"crop": style.crop}) == style
    other = Variant(color="#ffffff").applied(style)
    assert (other.backdrop.kind, other.backdrop.contact, other.backdrop.grain) == ("solid", -0.2, 0.5)
    assert other.model_copy(update={"backdrop": style.backdrop}) == style
