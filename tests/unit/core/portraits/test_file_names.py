"""Names of delivered files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.portraits import file_names
from core.portraits.file_names import Names

TEMPLATE = "{employee_id}_{last}_{first}.jpg"


def person(first: str = "Ada", last: str = "Lovelace", employee_id: str = "E1") -> dict[str, str]:
    return {"first": first, "last": last, "employee_id": employee_id, "department": ""}


def test_the_template_is_filled_in() -> None:
    assert Names(TEMPLATE).next(person(), "jpg") == "E1_Lovelace_Ada.jpg"


def test_the_ending_is_that_of_the_file_not_of_the_template() -> None:
    assert Names(TEMPLATE).next(person(), "png") == "E1_Lovelace_Ada.png"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (person(employee_id=""), "Lovelace_Ada.jpg"),
        (person(first=""), "E1_Lovelace.jpg"),
        (person(last=""), "E1_Ada.jpg"),
        (person("", "", ""), "headshot.jpg"),
    ],
)
def test_what_is_missing_leaves_no_separator_behind(values: dict[str, str], name: str) -> None:
    assert Names(TEMPLATE).next(values, "jpg") == name


def test_two_people_of_one_name_get_two_files_even_where_capitals_do_not_count() -> None:
    names = Names("{last}_{first}.jpg")
    made = [names.next(person(first, "Müller"), "jpg") for first in ("Anna", "ANNA", "anna")]
    made.append(names.next(person("Anna", "Mu\u0308ller"), "jpg"))
    assert made == ["Müller_Anna.jpg", "Müller_ANNA_2.jpg", "Müller_anna_3.jpg", "Müller_Anna_4.jpg"]


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


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_name_of_a_person_leaves_the_folder_or_breaks_a_file_system(
    first: str, last: str, employee_id: str
) -> None:
    name = Names(TEMPLATE).next(person(first, last, employee_id), "jpg")
    assert not set(name) & set('/\\:*?"<>|\0\r\n')
    assert not name.startswith((".", " "))
    assert name.endswith(".jpg")
    assert len(name) > 4
    assert name.split(".")[0].casefold() not in {"con", "prn", "aux", "nul", "com1", "lpt1"}
