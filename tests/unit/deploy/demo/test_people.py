"""Made-up employees from folder names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.people.encodings import Encoding
from core.people.roster import Choice, parse
from core.people.rows import Verdict
from deploy.demo.admin import BAD_ROWS, roster
from deploy.demo.people import TAKEN_NAMES, employees


@pytest.mark.parametrize(
    ("folder", "first", "email"),
    [
        ("barack", "Barack", "barack@northwind.example"),
        ("maria josé", "Maria José", "maria.jose@northwind.example"),
        ("o'neil_2", "O'neil", "o.neil@northwind.example"),
        ("=cmd|' calc", "Cmd Calc", "cmd.calc@northwind.example"),
        ("李雷", "李雷", "person@northwind.example"),
        ("1234", "Person 1", "person.1@northwind.example"),
        ("p01", "P01", "p01@northwind.example"),
        ("P", "P", "p@northwind.example"),
        ("01_anna", "Anna", "anna@northwind.example"),
        ("rene\u0301", "René", "rene@northwind.example"),
        ("नेहा", "नेहा", "person@northwind.example"),
        ("🙂 🙂", "Person 1", "person.1@northwind.example"),
        (" ", "Person 1", "person.1@northwind.example"),
        ("  anna  maria ", "Anna Maria", "anna.maria@northwind.example"),
        ("王小明" * 28, ("王小明" * 28)[:80], "person@northwind.example"),
        ("x" * 200, "X" + 79 * "x", f"x{49 * 'x'}@northwind.example"),
    ],
)
def test_folder_name_becomes_a_name_and_an_address(folder: str, first: str, email: str) -> None:
    ((person,), _) = employees({folder: []}, "noor")
    assert (person.key, person.first, person.email) == (folder, first, email)


def test_people_with_one_name_are_told_apart() -> None:
    staff, decliner = employees({"P": [], "p": [], "p 1002": [], "p.李": [], "Noor": [], "anna": []}, "noor")
    everyone = [*staff, decliner]
    assert [person.first for person in everyone] == ["P", "P", "P", "P 李", "Noor", "Anna", "Noor"]
    for own in ("email", "employee_id", "full_name", "folder"):
        assert len({getattr(person, own).casefold() for person in everyone}) == len(everyone) - (
            own == "folder"
        )


@pytest.mark.parametrize("folder", TAKEN_NAMES)
def test_a_folder_called_like_a_result_does_not_take_its_place(folder: str) -> None:
    staff, _ = employees({folder: [], f"{folder}-2": []}, "noor")
    assert not {person.folder for person in staff} & set(TAKEN_NAMES)
    assert len({person.folder for person in staff}) == 2


def test_one_who_declines_has_a_folder_of_their_own() -> None:
    staff, decliner = employees({"Noor": [], "noor-2": []}, "noor")
    assert len({decliner.key, *(person.key.casefold() for person in staff)}) == 3


@given(
    st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=80), min_size=1, max_size=8, unique=True
    )
)
def test_whatever_folders_are_called_everyone_can_be_invited(folders: list[str]) -> None:
    staff, decliner = employees({name: [] for name in folders}, "noor")
    rows = parse(roster([*staff, decliner]), Choice(encoding=Encoding.UTF_8)).rows
    assert [row.verdict for row in rows[: len(folders) + 1]] == [Verdict.OK] * (len(folders) + 1)
    for own in ("email", "full_name"):
        assert len({getattr(person, own).casefold() for person in (*staff, decliner)}) == len(folders) + 1
    assert [row.verdict for row in rows[len(folders) + 1 :]] == [Verdict.REJECTED] * (len(BAD_ROWS) + 1)
