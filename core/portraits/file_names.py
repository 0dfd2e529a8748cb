"""Names of delivered files, after a template of the company's."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping, Sequence

from core.composed import composed
from core.errors import InvalidInput

FIELDS = ("employee_id", "first", "last", "department")
EXAMPLE = {"employee_id": "E1042", "first": "Ada", "last": "Lovelace", "department": "Engineering"}
# Windows refuses these characters, and control characters, in a file's name.
FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
ALTERNATIVES = "alternatives/"  # where an archive has what stands in for headshots
ENDING = re.compile(r"\.(jpe?g|png|webp|avif)$", re.IGNORECASE)


class FileNameUnusable(InvalidInput):
    """The template cannot name files."""

    code = "file_name_unusable"


def check(template: str) -> str:
    """Return the template, trimmed, if it can name files.

    Raises:
        FileNameUnusable: unknown field, no field that tells people apart, or characters that no file name may have.
    """
    template = template.strip()
    fields = _fields(template)
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown:
        raise FileNameUnusable(
            "There is no field {%(field)s}. These work: %(fields)s",
            field=unknown[0],
            fields=", ".join(f"{{{name}}}" for name in FIELDS),
        )
    if not {"employee_id", "first", "last"} & set(fields):
        raise FileNameUnusable(
            "Use {employee_id}, {first} or {last}, so that files of different people differ."
        )
    bare = template.replace("{", "").replace("}", "")
    if FORBIDDEN.search(bare) or len(template) > 160:
        raise FileNameUnusable(
            'A file name cannot hold any of / \\ : * ? " < > | and at most 160 characters.'
        )
    return template


def _fields(template: str) -> list[str]:
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as error:
        raise FileNameUnusable("A brace { or } stands alone. Write fields like {last}.") from error
    if any(form or conversion for _, _, form, conversion in parts):
        raise FileNameUnusable("Write fields plainly, like {last}, without : or !.")
    return [name for _, name, _, _ in parts if name is not None]


def stem(template: str, values: Mapping[str, str]) -> str:
    """Return the file name without its ending; empty values leave no doubled or dangling separators."""
    filled = "".join(
        literal + (_clean(values.get(name, "")) if name is not None else "")
        for literal, name, _, _ in string.Formatter().parse(ENDING.sub("", template))
    )
    filled = FORBIDDEN.sub("", composed(filled))
    filled = re.sub(r"([ _\-.])[ _\-.]*(?=[ _\-.])", "", filled) if _has_empty(template, values) else filled
    return filled.strip(" _-.") or "headshot"


def _has_empty(template: str, values: Mapping[str, str]) -> bool:
    return any(not _clean(values.get(name, "")) for name in _fields(template))


def _clean(value: str) -> str:
    # A leading dot hides a file, and two climb a folder; neither is part of a person's name.
    return FORBIDDEN.sub("", " ".join(value.split())).strip(" .")


def folder_of(output: str, outputs: Sequence[str]) -> str:
    """Return the folder of one of the files that an archive has of each person; with one file it needs none."""
    return f"{output}/" if len(outputs) > 1 else ""


def ending_of(output: str) -> str:
    """Return what follows the name of a file that is downloaded by itself, so that the sizes tell apart."""
    return f"_{output}"


def example(template: str) -> str:
    """Return what the template makes of an example person."""
    return f"{stem(template, EXAMPLE)}.jpg"
