"""Every column of a table about people says what it says about them, or why it may stay."""

from __future__ import annotations

from core import personal
from core.models import Kind
from core.models.artifact import CATEGORIES
from core.models.base import Base
from core.personal import Harmless, Personal


def test_every_column_about_people_declares_what_it_says() -> None:
    silent = [
        f"{table.name}.{column.name}"
        for table, _ in personal.about_people(Base.metadata)
        for column in table.columns
        if personal.declared(column) is None and not personal.says_nothing(column.type)
    ]
    assert not silent, "declare `info=personal(…)` or `info=harmless(…)` (core/personal.py)"


def test_no_table_with_a_person_in_it_is_outside_the_map() -> None:
    """Whoever leads to `members` by a foreign key is about somebody, whatever the column is called."""
    named = {table.name for table, _ in personal.about_people(Base.metadata)}
    leading = {
        table.name
        for table in Base.metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "members"
    }
    assert leading <= named


def test_what_erasure_writes_fits_the_column() -> None:
    for table, _ in personal.about_people(Base.metadata):
        for column in table.columns:
            said = personal.declared(column)
            if isinstance(said, Personal) and said.erased is None:
                assert column.nullable, f"{table.name}.{column.name} cannot be null"


def test_every_kind_of_artifact_says_what_its_bytes_are() -> None:
    assert set(CATEGORIES) == set(Kind)


def test_every_reason_to_stay_is_in_use() -> None:
    given = {
        said
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(said := personal.declared(column), Harmless)
    }
    assert given == set(Harmless)
