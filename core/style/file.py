"""`style.toml`: reading it with errors that name the line, writing it, and its JSON schema."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from core.errors import InvalidInput
from core.style.outputs import NAMED_OUTPUTS, Output
from core.style.part import RULE
from core.style.spec import StyleSpec
from core.style.toml_lines import Place, lines_of
from core.words import N_, fill

# What pydantic says, in the words of someone who edits a file or a form.
_SAID: Final = {
    "missing": N_("is missing"),
    "less_than_equal": N_("must be at most %(le)s"),
    "less_than": N_("must be below %(lt)s"),
    "greater_than_equal": N_("must be at least %(ge)s"),
    "greater_than": N_("must be above %(gt)s"),
    "string_too_short": N_("must not be empty"),
    "string_too_long": N_("must have at most %(max_length)s characters"),
    "too_short": N_("must not be empty"),
    "too_long": N_("must have at most %(max_length)s entries"),
    "string_pattern_mismatch": N_("may only have small letters, digits and hyphens, at most 31"),
    "string_type": N_("must be a text"),
    "finite_number": N_("must be a number"),
    "float_type": N_("must be a number"),
    "float_parsing": N_("must be a number"),
    "int_type": N_("must be a whole number"),
    "int_parsing": N_("must be a whole number"),
    "int_from_float": N_("must be a whole number"),
    "bool_type": N_("must be true or false"),
    "bool_parsing": N_("must be true or false"),
    "enum": N_("must be one of %(expected)s"),
    "union_tag_invalid": N_("must be one of %(expected_tags)s"),
    "union_tag_not_found": N_("is missing"),
    "extra_forbidden": N_("is not a field of the style"),
    "tuple_type": N_("must be a list"),
    "model_type": N_("must be a table"),
    "model_attributes_type": N_("must be a table"),
}
_OTHER_KIND: Final = N_("belongs to the kind %(kinds)s; with the kind %(kind)s use %(own)s")
_NEAREST: Final = N_("is not a field of the style; did you mean %(nearest)s?")
# Of text that is no TOML, so that a line is all there is to go by.
_KEY: Final = re.compile(r"\s*([\w-]+(?:\.[\w-]+)*)\s*=")
_TABLE: Final = re.compile(r"\s*\[\[?\s*([\w-]+(?:\.[\w-]+)*)\s*\]")
_AT: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that cannot be used.

    Attributes:
        place: Table, key, and position in a list.
        template: What is wrong, before `values` fill its blanks: the key of its translation.
        values: For the blanks.
    """

    place: Place
    template: str
    values: Mapping[str, object]

    @property
    def field(self) -> str:
        """The field's path, such as `crop.eye_line` or `outputs[2].width`."""
        path = ""
        for part in self.place:
            path += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if path else part
        return path

    def __str__(self) -> str:
        said = fill(self.template, self.values)
        return f"{self.field}: {said}" if self.place else said


class StyleUnusable(InvalidInput):
    """Fields of a style cannot be used; each is one of `problems`."""

    def __init__(self, problems: list[Problem], said: list[str] | None = None) -> None:
        self.problems = problems
        said = said or [str(problem) for problem in problems]
        text = said[0] if len(said) == 1 else "".join(f"\n  {one}" for one in said)
        super().__init__(N_("The style cannot be used: %(problems)s"), problems=text, fields=said)


def parse_style(values: object) -> StyleSpec:
    """Validate `values` (JSON- or TOML-shaped) into a style.

    Raises:
        StyleUnusable: names each field that cannot be used.
    """
    try:
        return StyleSpec.model_validate(values)
    except ValidationError as error:
        raise StyleUnusable(_problems(error)) from error


def load_style(path: Path) -> StyleSpec:
    """Read a `style.toml`.

    Raises:
        StyleUnusable: names line and field of everything that cannot be used.
        InvalidInput: the file cannot be read as text.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidInput(
            "%(file)s cannot be read: %(problem)s", file=path.name, problem=str(error.strerror)
        ) from error
    except UnicodeDecodeError as error:
        raise InvalidInput("%(file)s is not a style file: it is not UTF-8 text.", file=path.name) from error
    return read_style(text, path.name)


def unusable_at(path: Path, found: Mapping[Place, str]) -> StyleUnusable:
    """Return the error that what a style file says in some places cannot be used, although it is well said.

    Args:
        path: The file, which has been read before.
        found: Table and key → what is wrong, such as that the file it names is missing.
    """
    problems = [Problem(place, "%(problem)s", {"problem": said}) for place, said in found.items()]
    return _numbered(problems, path.read_text(encoding="utf-8-sig"), path.name)


def read_style(text: str, file: str = "style.toml") -> StyleSpec:
    """Validate the text of a `style.toml`; `file` is what its errors call it.

    Raises:
        StyleUnusable: names line and field of everything that cannot be used.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = _AT.search(str(error))
        line = int(found[1]) if found and found[1] else max(1, len(text.splitlines()))
        place = _key_in(text.splitlines()[:line])
        problem = Problem(place, N_("this is not TOML: %(problem)s"), {"problem": _AT.sub("", str(error))})
        raise StyleUnusable([problem], [_said(file, line, problem)]) from error
    try:
        return parse_style(values)
    except StyleUnusable as error:
        raise _numbered(error.problems, text, file) from error


def _numbered(problems: list[Problem], text: str, file: str) -> StyleUnusable:
    lines = lines_of(text)
    numbered = sorted(problems, key=lambda problem: (_line(lines, problem.place), str(problem)))
    return StyleUnusable(problems, [_said(file, _line(lines, one.place), one) for one in numbered])


def _said(file: str, line: int, problem: Problem) -> str:
    return f"{file} line {line}{',' if problem.place else ':'} {problem}"


def _key_in(lines: list[str]) -> Place:
    """Return the key that the last line sets, with its table; nothing where it sets none."""
    key = _KEY.match(lines[-1]) if lines else None
    table = next((found[1] for line in reversed(lines) if (found := _TABLE.match(line))), "")
    return tuple(part for part in f"{table}.{key[1]}".split(".") if part) if key else ()


def _line(lines: Mapping[Place, int], place: Place) -> int:
    """Return the line of a field, or else of the nearest table around it; the first where there is none."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _problems(error: ValidationError) -> list[Problem]:
    found = error.errors()
    # A list whose every entry is wrong counts as empty too, which helps nobody.
    return [
        _problem(item)
        for item in found
        if item["type"] != "too_short" or not any(_inside(other, item) for other in found)
    ]


def _inside(item: ErrorDetails, outer: ErrorDetails) -> bool:
    return len(item["loc"]) > len(outer["loc"]) and item["loc"][: len(outer["loc"])] == outer["loc"]


def _problem(item: ErrorDetails) -> Problem:
    place = _without_kind(item["loc"])
    context = item.get("ctx", {})
    values = {name: _plain(value) for name, value in context.items()}
    kind = item["type"]
    if kind == RULE:
        return Problem(place, context["template"], context["values"])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        place = (*place, "kind")
    if kind == "extra_forbidden":
        others = _kinds_with(place)
        if others:
            own = [name for name in _fields_at(item["loc"][:-1]) if _kinds_with(("backdrop", name)) != _KINDS]
            values = {"kinds": ", ".join(others), "kind": item["loc"][1], "own": ", ".join(own)}
            return Problem(place, _OTHER_KIND, values)
        near = difflib.get_close_matches(str(place[-1]), _fields_at(item["loc"][:-1]), 1, 0.5)
        if near:
            return Problem(place, _NEAREST, {"nearest": near[0]})
    return Problem(place, _SAID.get(kind, "%(problem)s"), {"problem": item["msg"], **values})


def _plain(value: object) -> object:
    return f"{value:g}" if isinstance(value, float) else value


_KINDS: Final = ("solid", "gradient", "image", "scene")


def _without_kind(place: Place) -> Place:
    """Pydantic puts the backdrop's kind into the path; the file does not."""
    if len(place) > 1 and place[0] == "backdrop" and place[1] in _KINDS:
        return ("backdrop", *place[2:])
    return place


def _kinds_with(place: Place) -> tuple[str, ...]:
    """Return the kinds of backdrop that have the field."""
    if len(place) != 2 or place[0] != "backdrop":
        return ()
    return tuple(kind for kind in _KINDS if place[1] in _fields_at(("backdrop", kind)))


def _fields_at(place: Place) -> list[str]:
    models: list[type[BaseModel]] = [StyleSpec]
    for part in place:
        if isinstance(part, int):
            continue
        if part in _KINDS and len(models) > 1:
            models = [model for model in models if model.model_fields["kind"].default == part]
        else:
            models = [
                model
                for outer in models
                if part in outer.model_fields
                for model in _tables(outer.model_fields[part])
            ]
    return [name for model in models for name in model.model_fields]


def _tables(field: FieldInfo) -> list[type[BaseModel]]:
    """Return the tables that a field may hold."""

    def inside(annotation: Any) -> Iterator[type[BaseModel]]:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield annotation
        for part in get_args(annotation):
            yield from inside(part)

    return list(inside(field.annotation))


def schema() -> dict[str, Any]:
    """Return the JSON schema (2020-12) of a style file."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **StyleSpec.model_json_schema()}


def to_toml(style: StyleSpec) -> str:
    """Write a style as TOML, each number with its unit in a comment."""
    lines = [f"name = {_value(style.name)}", "outputs = ["]
    lines += [f"    {_output(output)}," for output in style.outputs]
    lines.append("]")
    for table in ("backdrop", "crop", "light", "grade", "subject", "logo", "variants"):
        part = getattr(style, table)
        if part is None:
            continue
        lines += ["", f"[{table}]"]
        fields = sorted(part, key=lambda pair: pair[0] != "kind")
        pairs = [
            (f"{name} = {_value(value)}", type(part).model_fields[name].description) for name, value in fields
        ]
        width = max(len(pair) for pair, _note in pairs)
        lines += [f"{pair:<{width}}  # {note}" if note else pair for pair, note in pairs]
    return "\n".join(lines) + "\n"


def _output(output: Output) -> str:
    if NAMED_OUTPUTS.get(output.name) == output:
        return _value(output.name)
    given = output.model_dump(mode="json", exclude_defaults=True)
    for side in ("width", "height"):
        if f"{side}_mm" in given:
            given.pop(side, None)
    return _value(given)


def _value(value: object) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{name} = {_value(one)}" for name, one in value.items()) + " }"
    # JSON's numbers, booleans and texts are TOML's, but for one control character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
