"""The brand studio's form: its fields to a style, and a style to its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from admin.style_words import SIZE_PARTS
from core.errors import AppError, InvalidInput
from core.style.file import StyleUnusable, parse_style
from core.style.outputs import NAMED_OUTPUTS, Frame, Output, OutputFormat, Shape
from core.style.part import HEX_COLOR
from core.style.spec import GradientBackdrop, ImageBackdrop, Logo, SceneBackdrop, SolidBackdrop, StyleSpec
from core.style.toml_lines import Place
from core.words import fill

Fields = dict[str, str]

# Form field → where the style has it. A backdrop's fields are of one kind each, or of every kind.
_BACKDROPS = {
    "solid": {"color": "color"},
    "gradient": {"inner": "inner", "outer": "outer", "falloff": "falloff"},
    "image": {"blur": "blur"},
    "scene": {"scene": "scene", "seed": "seed", "scene_blur": "blur", "scene_exposure": "exposure"},
}
_EVERY_BACKDROP = {"contact": "contact", "grain": "grain"}
_TABLES = {
    "crop": {"eye_line": "eye_line", "head_height": "head_height", "aspect": "aspect"},
    "light": {
        "strength": "strength",
        "azimuth": "azimuth",
        "elevation": "elevation",
        "light_contrast": "contrast",
        "exposure": "exposure",
    },
    "grade": {"contrast": "contrast", "warmth": "warmth", "saturation": "saturation", "fade": "fade"},
    "subject": {"attire": "attire", "expression": "expression"},
    "logo": {"corner": "corner", "logo_width": "width", "logo_opacity": "opacity"},
    "variants": {"closer": "closer"},
}
_COLORS = ("variant_1", "variant_2")  # each with a checkbox, since a colour field always has a colour
_OFFERED = "#ffffff"  # what such a field shows before anything is chosen
_SAMPLES = (SolidBackdrop(), GradientBackdrop(), ImageBackdrop(image="-"), SceneBackdrop())
_AVATAR = {"avatar_shape": "shape", "avatar_border": "border", "avatar_color": "color"}
_TICK = "size-"  # before a size's name in the name of its checkbox

_OUTPUT = re.compile(r"(\S+)\s+(\d{1,5}(?:\.\d+)?)\s*[x×]\s*(\d{1,5}(?:\.\d+)?)\s*(px|mm)?((?:\s+\S+)*)")
_DPI = re.compile(r"(\d{2,4})dpi")
_HEAD = re.compile(r"(head|eyes)=(0?\.\d+)")
_BORDER = re.compile(r"border=(0?\.\d+)")
_HEAD_FIELDS = {"head": "head_height", "eyes": "eye_line"}
_NO_LOGO = "nologo"


def fields_of(spec: StyleSpec) -> Fields:
    """Return the form's fields for a style; backdrops of other kinds keep their defaults."""
    fields = {"name": spec.name, "backdrop_kind": spec.backdrop.kind, "image_id": "", "use_logo": ""}
    for backdrop in (*_SAMPLES, spec.backdrop):
        for field, name in (_BACKDROPS[backdrop.kind] | _EVERY_BACKDROP).items():
            fields[field] = _shown(getattr(backdrop, name))
    for table, names in _TABLES.items():
        part = getattr(spec, table) or Logo()
        fields |= {field: _shown(getattr(part, name)) for field, name in names.items()}
    if isinstance(spec.backdrop, ImageBackdrop):
        fields["image_id"] = spec.backdrop.image
    if spec.logo is not None:
        fields["use_logo"] = "1"
    for number, field in enumerate(_COLORS):
        given = spec.variants.colors[number : number + 1]
        fields |= {field: given[0] if given else _OFFERED, f"use_{field}": "1" if given else ""}
    fields["edits"] = "1" if spec.variants.edits else ""
    own = [output for output in spec.outputs if NAMED_OUTPUTS.get(output.name) != _unframed(output)]
    framed = [output.frame for output in spec.outputs if output not in own and output.frame]
    frame = framed[0] if framed else Frame()
    fields |= {field: _shown(getattr(frame, name)) for field, name in _AVATAR.items()}
    fields["outputs"] = "\n".join(_line(output) for output in own)
    return fields | {f"{_TICK}{output.name}": "1" for output in spec.outputs if output not in own}


def _unframed(output: Output) -> Output:
    """Return an avatar as it is named, since its frame has fields of its own."""
    named = NAMED_OUTPUTS.get(output.name)
    if named is None or named.frame is None or output.frame is None:
        return output
    return output.model_copy(update={"frame": named.frame})


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _line(output: Output) -> str:
    if output.width_mm and output.height_mm:
        words = [output.name, f"{output.width_mm:g}x{output.height_mm:g}mm", output.format.value]
    else:
        words = [output.name, f"{output.width}x{output.height}", output.format.value]
    if output.dpi:
        words.append(f"{output.dpi}dpi")
    if output.crop:
        words += [f"head={output.crop.head_height:g}", f"eyes={output.crop.eye_line:g}"]
    if output.frame:
        words.append(output.frame.shape.value)
        if output.frame.border:
            words += [f"border={output.frame.border:g}", output.frame.color]
    return " ".join(words if output.logo else [*words, _NO_LOGO])


def spec_of(form: Mapping[str, str], image_id: str) -> StyleSpec:
    """Return the style that the form describes; a field that is not there keeps its default.

    Args:
        form: the posted fields.
        image_id: artifact of the backdrop picture, empty where there is none.

    Raises:
        InvalidInput: names each field that cannot be used.
    """
    kind = form.get("backdrop_kind", "gradient")
    values: dict[str, Any] = {
        "name": " ".join(form.get("name", "").split()),
        "backdrop": {"kind": kind, **_given(form, _BACKDROPS.get(kind, {}) | _EVERY_BACKDROP)},
    }
    if kind == "image":
        if not image_id:
            raise InvalidInput("Please choose a picture for the backdrop.", field="image")
        values["backdrop"]["image"] = image_id
    values |= {table: _given(form, names) for table, names in _TABLES.items() if table != "logo"}
    if form.get("use_logo"):
        values["logo"] = _given(form, _TABLES["logo"])
    values["variants"]["colors"] = [form.get(one, "") for one in _COLORS if form.get(f"use_{one}")]
    values["variants"]["edits"] = bool(form.get("edits"))
    outputs = _outputs(form)
    if outputs is not None:
        values["outputs"] = outputs
    return parse_style(values)


def _given(form: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    return {name: form[field].strip() for field, name in names.items() if form.get(field, "").strip()}


def _outputs(form: Mapping[str, str]) -> list[str | dict[str, Any]] | None:
    """Return the sizes that are ticked and those that are written; `None` where the form has neither."""
    ticked: list[str | dict[str, Any]] = [
        {"name": name, "frame": _given(form, _AVATAR)} if one.frame else name
        for name, one in NAMED_OUTPUTS.items()
        if form.get(f"{_TICK}{name}")
    ]
    if not ticked and "outputs" not in form:
        return None
    written = [line.strip() for line in form.get("outputs", "").splitlines() if line.strip()]
    outputs = ticked + [_output(line) for line in written]
    if not outputs:
        raise InvalidInput("Tick at least one size, or write one of your own.", field="outputs")
    return outputs


def _output(line: str) -> dict[str, Any]:
    found = _OUTPUT.fullmatch(line)
    if found is None:
        raise _unreadable(line)
    name, width, height, unit, words = found.groups()
    sides = ("width_mm", "height_mm") if unit == "mm" else ("width", "height")
    output: dict[str, Any] = {"name": name.lower(), sides[0]: width, sides[1]: height}
    if unit == "mm":
        output |= {side: float(output[side]) for side in sides}
    for word in words.lower().split():
        if word.replace("jpg", "jpeg") in list(OutputFormat):
            output["format"] = word.replace("jpg", "jpeg")
        elif dpi := _DPI.fullmatch(word):
            output["dpi"] = int(dpi[1])
        elif head := _HEAD.fullmatch(word):
            output.setdefault("crop", {})[_HEAD_FIELDS[head[1]]] = head[2]
        elif word in list(Shape):
            output.setdefault("frame", {})["shape"] = word
        elif border := _BORDER.fullmatch(word):
            output.setdefault("frame", {})["border"] = border[1]
        elif HEX_COLOR.fullmatch(word):
            output.setdefault("frame", {})["color"] = word
        elif word == _NO_LOGO:
            output["logo"] = False
        else:
            raise _unreadable(line)
    return output


def _unreadable(line: str) -> InvalidInput:
    return InvalidInput(
        "The size “%(line)s” cannot be read. Write one a line, like: hero 1600x900 avif, or: card 54x86mm 300dpi",
        line=line[:60],
        field="outputs",
    )


def errors_of(error: AppError, form: Mapping[str, str]) -> Fields:
    """Return what is wrong with each form field, in the page's language.

    Args:
        error: why the style cannot be made or saved.
        form: what was posted.
    """
    if isinstance(error, StyleUnusable):
        wrong: Fields = {}
        for problem in error.problems:
            field = _form_field(problem.place)
            said = _of_size(problem.place, form) + fill(_(problem.template), problem.values)
            wrong[field] = f"{wrong[field]}; {said}" if field in wrong else said
        return wrong
    named = error.details.get("field")
    return {named: fill(_(error.template), error.details)} if isinstance(named, str) else {}


def _of_size(place: Place, form: Mapping[str, str]) -> str:
    """Return which of the written sizes is meant, and what of it, as the beginning of a sentence."""
    if place[0] != "outputs" or len(place) == 1 or not isinstance(place[1], int):
        return ""
    at = place[1] - sum(bool(form.get(f"{_TICK}{name}")) for name in NAMED_OUTPUTS)
    written = [line.strip() for line in form.get("outputs", "").splitlines() if line.strip()]
    if not 0 <= at < len(written):
        return ""
    part = SIZE_PARTS.get(str(place[-1]))
    return f"“{written[at][:60]}”" + (f", {part}: " if part else ": ")


def _form_field(place: Place) -> str:
    table, name = place[0], place[-1]
    if table == "outputs" and "frame" in place:
        return next((field for field, inner in _AVATAR.items() if inner == name), "outputs")
    if table == "backdrop":
        if name == "kind":
            return "backdrop_kind"
        every = {
            "image": "image",
            **{name: field for names in _BACKDROPS.values() for field, name in names.items()},
        }
        return every.get(str(name), str(name))
    if table == "variants" and place[1:2] == ("colors",):
        return _COLORS[place[2]] if len(place) > 2 and isinstance(place[2], int) else _COLORS[0]
    if table in _TABLES:
        if len(place) == 1:
            return "use_logo" if table == "logo" else str(table)
        return next((field for field, inner in _TABLES[str(table)].items() if inner == name), str(name))
    return str(table)
