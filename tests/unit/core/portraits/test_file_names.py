"""Names of delivered files."""

from __future__ import annotations

import pytest

from core.portraits import file_names
from core.portraits.file_names import stem

TEMPLATE = "{employee_id}_{last}_{first}.jpg"


def person(first: str = "Ada", last: str = "Lovelace", employee_id: str = "E1") -> dict[str, str]:
    return {"first": first, "last": last, "employee_id": employee_id, "department": ""}


def test_the_template_is_filled_in() -> None:
    assert stem(TEMPLATE, person()) == "E1_Lovelace_Ada"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (person(employee_id=""), "Lovelace_Ada"),
        (person(first=""), "E1_Lovelace"),
        (person(last=""), "E1_Ada"),
        (person("", "", ""), "headshot"),
    ],
)
def test_what_is_missing_leaves_no_separator_behind(values: dict[str, str], name: str) -> None:
    assert stem(TEMPLATE, values) == name


@pytest.mark.parametrize(
    "template",
    [
        "{nobody}.jpg",
        "team.jpg",
        "{department}.jpg",
        "{first.__class__}.jpg",
        "{first[0]}.jpg",
        "{first!r}.jpg",
        "{first:>20}.jpg",
        "{first.jpg",
        "first}.jpg",
        "{}.jpg",
        "../{first}.jpg",
        "a/{first}.jpg",
        "a\\{first}.jpg",
        "{first}?.jpg",
        "{first}" + "x" * 160,
    ],
)
def test_a_template_that_cannot_name_files_is_refused(template: str) -> None:
    with pytest.raises(file_names.FileNameUnusable):
        file_names.check(template)
