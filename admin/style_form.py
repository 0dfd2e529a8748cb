"""The brand studio's form: its fields to a style, and a style to its fields."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.errors import InvalidInput
from core.style import (
    DEFAULT_OUTPUTS,
    GradientBackdrop,
    ImageBackdrop,
    Output,
    SolidBackdrop,
    StyleSpec,
)
from core.style_file import parse_style

OUTPUT_LINE = re.compile(r"(\S+)\s+(\d{2,5})\s*[x×]\s*(\d{2,5})(?:\s+(\w+))?")
NUMBERS = ("eye_line", "head_height", "strength", "exposure", "contrast", "warmth", "saturation")
Fields = dict[str, str]


def fields_of(spec: StyleSpec) -> Fields:
    """Return the form's fields for a style; backdrops of other kinds keep their defaults."""
    fields = {
        "name": spec.name,
        "backdrop_kind": spec.backdrop.kind,
        "color": SolidBackdrop().color,
        "inner": GradientBackdrop().inner,
        "outer": GradientBackdrop().outer,
        "falloff": f"{GradientBackdrop().falloff:g}",
        "image_id": "",
        "blur": "0.02",
        "aspect": f"{spec.crop.aspect:g}",
        "outputs": "\n".join(_line(output) for output in spec.outputs),
    }
    for part in (spec.crop, spec.light, spec.grade):
        fields.update({name: f"{value:g}" for name, value in part if name in NUMBERS})
    backdrop = spec.backdrop
    if isinstance(backdrop, SolidBackdrop):
        fields["color"] = backdrop.color
    elif isinstance(backdrop, GradientBackdrop):
        fields |= {"inner": backdrop.inner, "outer": backdrop.outer, "falloff": f"{backdrop.falloff:g}"}
    else:
        fields |= {"image_id": backdrop.image, "blur": f"{backdrop.blur:g}"}
    return fields


def _line(output: Output) -> str:
    return f"{output.name} {output.width}x{output.height} {output.format.value}"


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
        "backdrop": {"kind": kind, **_backdrop(kind, form, image_id)},
        "crop": _numbers(form, "eye_line", "head_height", "aspect"),
        "light": _numbers(form, "strength", "exposure"),
        "grade": _numbers(form, "contrast", "warmth", "saturation"),
        "outputs": _outputs(form.get("outputs", "")),
    }
    return parse_style(values)


def _backdrop(kind: str, form: Mapping[str, str], image_id: str) -> dict[str, str]:
    if kind == "solid":
        return _numbers(form, "color")
    if kind == "image":
        if not image_id:
            raise InvalidInput("Please choose a picture for the backdrop.", field="image")
        return {"image": image_id, **_numbers(form, "blur")}
    return _numbers(form, "inner", "outer", "falloff")


def _numbers(form: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


def _outputs(text: str) -> list[dict[str, Any]]:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        return [output.model_dump() for output in DEFAULT_OUTPUTS]
    outputs = []
    for line in lines:
        found = OUTPUT_LINE.fullmatch(line)
        if found is None:
            raise InvalidInput(
                "The size “%(line)s” cannot be read. Write one a line, like: square 1024x1024 jpeg",
                line=line[:60],
                field="outputs",
            )
        name, width, height, kind = found.groups()
        kind = (kind or "jpeg").lower().replace("jpg", "jpeg")
        outputs.append({"name": name.lower(), "width": width, "height": height, "format": kind})
    return outputs


def has_image(spec: StyleSpec) -> bool:
    """Whether the style's backdrop is a picture."""
    return isinstance(spec.backdrop, ImageBackdrop)
