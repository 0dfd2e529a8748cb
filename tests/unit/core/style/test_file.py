"""A style file says what is wrong with it, and where."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from core.errors import InvalidInput
from core.style.file import StyleUnusable, load_style, parse_style, read_style, schema, to_toml
from core.style.outputs import NAMED_OUTPUTS, Output, OutputFormat
from core.style.presets import PRESETS
from core.style.spec import (
    Attire,
    Crop,
    Expression,
    ImageBackdrop,
    Logo,
    SceneBackdrop,
    SolidBackdrop,
    StyleSpec,
)
from core.style.toml_lines import Place, lines_of


def said(text: str) -> list[str]:
    with pytest.raises(StyleUnusable) as caught:
        read_style(text)
    return caught.value.details["fields"]


def test_every_problem_is_named_with_its_line_and_its_field(tmp_path: Path) -> None:
    file = tmp_path / "style.toml"
    file.write_text(
        '# ours\nname = "Ours"\n\n[crop]\n# how large\neye_line = 0.45\nhead_height = 0.9\n[light]\nazimuth = "left"\n'
    )
    with pytest.raises(StyleUnusable) as caught:
        load_style(file)
    assert caught.value.details["fields"] == [
        "style.toml line 7, crop.head_height: must be at most 0.75",
        "style.toml line 9, light.azimuth: must be a number",
    ]
    assert "style.toml line 7, crop.head_height: must be at most 0.75" in caught.value.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[crop]\nhed_height = 1", "line 2, crop.hed_height: is not a field of the style; did you mean head_height?"),
        ('[backdrop]\nkind = "scene"\nsede = 1', "line 3, backdrop.sede: is not a field of the style; did you mean seed?"),
        ("[quality]\nx = 1", "line 1, quality: is not a field of the style"),
        ("light.strength = 2", "line 1, light.strength: must be at most 1"),
        ("crop = { head_height = 9 }", "line 1, crop.head_height: must be at most 0.75"),
        ('backdrop = "blue"', "line 1, backdrop: must be a table"),
        ('[backdrop]\nkind = "film"', "line 2, backdrop.kind: must be one of 'solid', 'gradient', 'image', 'scene'"),
        ('[backdrop]\nkind = "image"', "line 1, backdrop.image: is missing"),
        ('[backdrop]\nkind = "solid"\ncolor = "red"', "line 3, backdrop.color: must be a colour such as #2F4B6E"),
        ('outputs = [\n  "square",\n  "sqare",\n]', "line 3, outputs[2]: there is no size called sqare; give it a width"),
        ('[[outputs]]\nname = "a"\nwidth = 99\nheight = 99\n[[outputs]]\nname = "b"\nwidth = 99\nheight = 9', "line 8, outputs[2].height: must be at least 64"),
        ('[[outputs]]\nname = "b"\nwidth = 99', "line 1, outputs[1].height: is missing"),
        ('outputs = [{ name = "b", width_mm = 35, width = 99, height = 99 }]', "line 1, outputs[1]: give pixels or millimetres, not both"),
        ('outputs = ["square", "square"]', "line 1, outputs: two sizes have the same name"),
        ("outputs = []", "line 1, outputs: must not be empty"),
        ("name = 1", "line 1, name: must be a text"),
        ("[logo]\nwidth = 0.3", "line 1, logo: would lie over the head in the size square"),
        ('[logo]\ncorner = "middle"', "line 2, logo.corner: must be one of 'top-left', 'top-right'"),
        ("name = \n", "line 1, name: this is not TOML"),
        ("[crop]\nhead_height = 0.6\neye_line = 0.4.5\n", "line 3, crop.eye_line: this is not TOML"),
        ('name = "x"\n[crop', "line 2: this is not TOML"),
        ('name = "x"\nname = "y"', "line 2, name: this is not TOML"),
        ('[backdrop]\nkind = "solid"\ninner = "#ffffff"', "line 3, backdrop.inner: belongs to the kind gradient; with the kind solid use color"),
        ('[backdrop]\nkind = "solid"\nblur = 1', "line 3, backdrop.blur: belongs to the kind image, scene; with the kind solid use color"),
        ('[backdrop]\nkind = "image"\nimage = "x"\ncolor = "#ffffff"', "line 4, backdrop.color: belongs to the kind solid; with the kind image use image, blur"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_where_it_stands(text: str, expected: str) -> None:
    assert said(text)[0].startswith(f"style.toml {expected}")


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match=r"x\.toml is not a style file"):
        load_style(tmp_path / "x.toml")
    with pytest.raises(InvalidInput, match="cannot be read: Is a directory"):
        load_style(tmp_path)


def test_sizes_are_names_pixels_or_millimetres() -> None:
    style = read_style(
        'outputs = ["linkedin", "badge", { name = "hero", width = 1600, height = 900, format = "avif" },\n'
        '  { name = "card", width_mm = 54, height_mm = 86, dpi = 254 }, { name = "teams", format = "png" }]'
    )
    linkedin, badge, hero, card, teams = style.outputs
    assert linkedin == NAMED_OUTPUTS["linkedin"]
    assert (badge.width, badge.height, badge.dpi) == (413, 531, 300)
    assert badge.crop is not None
    assert 0.70 <= badge.crop.head_height <= 0.80
    assert (hero.width, hero.height, hero.format) == (1600, 900, OutputFormat.AVIF)
    assert (card.width, card.height, card.dpi) == (540, 860, 254)
    assert (teams.width, teams.format) == (648, OutputFormat.PNG)


def test_a_tighter_crop_of_one_file_asks_for_no_larger_master() -> None:
    assert StyleSpec().master_size() == (1024, 1024)
    assert StyleSpec(outputs=("badge",)).master_size()[1] < 700
    assert StyleSpec(outputs=("print",)).master_size() == (3000, 3000)


STYLES = [
    StyleSpec(),
    *PRESETS.values(),
    StyleSpec(
        name='Ü "quoted" \\ \x7f',
        backdrop=ImageBackdrop(image="wall.jpg"),
        crop=Crop(aspect=0.8),
        logo=Logo(image="logo.png", width=0.1),
        outputs=("square", Output(name="own", width_mm=35, height_mm=45)),
    ),
    StyleSpec(backdrop=SolidBackdrop(color="#000000"), outputs=("square", "avatar")),
    StyleSpec(
        backdrop=SceneBackdrop(),
        outputs=(
            {"name": "avatar", "frame": {"shape": "rounded", "border": 0.03, "color": "#112233"}},
            {"name": "own", "width": 200, "height": 300, "format": "webp", "frame": {"shape": "rounded"}},
        ),
    ),
]


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_written_style_reads_back_as_itself(style: StyleSpec) -> None:
    assert read_style(to_toml(style)) == style
    assert StyleSpec.model_validate(style.model_dump(mode="json")) == style


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ({"name": "a", "width": 200, "height": 200, "frame": {}}, "no transparent corners"),
        ({"name": "a", "width": 200, "height": 300, "format": "png", "frame": {}}, "same width and height"),
        ({"name": "avatar", "frame": {"border": 0.2}}, "border"),
        ({"name": "avatar", "frame": {"color": "red"}}, "colour"),
    ],
)
def test_a_frame_that_no_file_can_have_is_refused(output: dict[str, Any], said: str) -> None:
    with pytest.raises(StyleUnusable, match=said):
        parse_style({"outputs": [output]})


def test_headshots_that_exist_get_the_files_of_a_newer_version_as_far_as_they_hold_them() -> None:
    made_in = StyleSpec(outputs=("square", "avatar"))
    newer = StyleSpec(outputs=({"name": "avatar", "frame": {"border": 0.05}}, "web"))
    assert made_in.with_files_of(newer).outputs == newer.outputs
    wide = Output(name="wide", width=1600, height=500)
    asks_for_room = StyleSpec(outputs=(newer.outputs[0], wide))
    assert asks_for_room.room != made_in.room
    kept = made_in.with_files_of(asks_for_room)
    assert [one.name for one in kept.outputs] == ["square", "avatar"]
    assert kept.outputs[1].frame == newer.outputs[0].frame, "the frame follows"


def models(model: type[BaseModel] = StyleSpec) -> Iterator[dict[str, Any]]:
    found = model.model_json_schema()
    yield found
    yield from found["$defs"].values()


def test_the_schema_gives_every_field_a_meaning_with_its_unit() -> None:
    unit = (
        "fraction", "degrees", "stops", "pixels", "millimetres", "inch", "exponent", "factor", "sRGB", "text",
        "table", "names or tables", "`", "id", "whole number", "true or false", "steps of",
    )  # fmt: skip
    for part in models():
        for name, field in part.get("properties", {}).items():
            assert any(word in field.get("description", "") for word in unit), name
    found = schema()
    assert found["$schema"].endswith("2020-12/schema")
    assert "linkedin" in found["properties"]["outputs"]["items"]["anyOf"][0]["enum"]
    assert found["$defs"]["Output"]["required"] == ["name"]


KEYS = st.text("abcdefghij", min_size=1, max_size=4)
SCALARS = st.one_of(st.integers(), st.booleans(), st.text("ab\"'#[]{},=\n\\ü ", max_size=8), st.just(1.5))


def _written(value: Any, multi: bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        body = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"""{body}"""' if multi else '"' + body.replace("\n", "\\n") + '"'
    if isinstance(value, list):
        joint = ",\n  # ] }\n  " if multi else ", "
        return "[" + joint.join(_written(one, multi) for one in value) + "]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_written(one, False)}" for key, one in value.items()) + " }"
    return str(value)


@given(
    st.dictionaries(KEYS, st.one_of(SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(KEYS, SCALARS, max_size=3)), max_size=4),
    st.lists(st.dictionaries(KEYS, SCALARS, max_size=3), max_size=3),
    st.booleans(),
)  # fmt: skip
def test_every_key_is_found_on_the_line_that_sets_it(
    top: dict[str, Any], tables: list[dict[str, Any]], multi: bool
) -> None:
    lines: list[str] = []
    expected: dict[Place, int] = {}

    def put(place: Place, text: str) -> None:
        expected[place] = sum(line.count("\n") + 1 for line in lines) + 1
        lines.append(text)

    for key, value in top.items():
        put((key,), f"{key} = {_written(value, multi)}  # x = [")
    for index, table in enumerate(tables):
        put(("zlist", index), '[[ zlist ]] # "')
        for key, value in table.items():
            put(("zlist", index, key), f'"{key}" = {_written(value, multi)}')
    text = "\n".join(lines)
    tomllib.loads(text)
    found = lines_of(text)
    assert {place: found.get(place) for place in expected} == expected


def test_clothes_and_expression_can_be_set_and_a_style_of_before_still_reads() -> None:
    style = read_style('[subject]\nattire = "own"\nexpression = "smile"')
    assert (style.subject.attire, style.subject.expression) == (Attire.OWN, Expression.SMILE)
    assert read_style(to_toml(style)) == style
    stored = StyleSpec().model_dump(mode="json")
    del stored["subject"]
    assert StyleSpec.model_validate(stored) == StyleSpec()
    assert said('[subject]\nattire = "uniform"') == [
        "style.toml line 2, subject.attire: must be one of 'business', 'business_casual', 'casual' or 'own'"
    ]
    assert "diffusion engine only" in to_toml(StyleSpec())
