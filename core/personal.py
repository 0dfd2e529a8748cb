"""The map of what is personal: each column that may say something about somebody says so beside its definition.

Erasure clears what the map names, and `docs/reference.md` lists it, so neither is kept by hand. A column of a table
about people that declares nothing fails a test.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Boolean, Column, DateTime, MetaData, String, Table, Uuid, cast, column
from sqlalchemy.types import TypeEngine

_KEY: Final = "about_somebody"
_STAYS: Final = "why_it_stays"


class Category(StrEnum):
    """What a value says about somebody."""

    IDENTITY = "identity"  # names, addresses, the numbers that an employer or an identity provider gave
    FACE = "face"  # a picture, or what was measured on one
    CHOICE = "choice"  # what they decided or prefer
    ALIAS = "alias"  # a number that a program made up for them or what is theirs: it names nobody by itself


class Harmless(StrEnum):
    """Why a value may stay when its person is erased."""

    CODE = "one of the program's own words"
    RANDOM = "random, or the hash of something random"
    KEYED = "a hash under a key that is destroyed with the person's"
    WORK = "says how the program worked, not on whom"
    OPERATOR = "names who answers for the platform, none of a company's people"


# What no backup may hold but sealed with its person's key: it says by itself who somebody is or what they look like.
SEALED: Final = frozenset({Category.IDENTITY, Category.FACE})


class Stays(StrEnum):
    """Why rows about somebody stay once what they said is overwritten."""

    EMPTIED = (
        "emptied"  # opaque numbers, times and the program's own words: that, and when, something was done
    )
    CONSENT = "consent"  # that somebody agreed, or took it back, can be shown
    REQUEST = "request"  # that somebody asked for something, or was erased, and what came of it can be shown


@dataclass(frozen=True, slots=True)
class Personal:
    """What a column says about somebody, and what stands in it after erasure."""

    category: Category
    erased: Any = None


Declared = Personal | Harmless


def personal(category: Category, erased: Any = None) -> dict[Any, Any]:
    """Return the `info` of a column that says something about somebody.

    Args:
        category: what it says.
        erased: its value after erasure; null if not given.
    """
    return {_KEY: Personal(category, erased)}


def harmless(why: Harmless) -> dict[Any, Any]:
    """Return the `info` of a column that may stay."""
    return {_KEY: why}


def stays(why: Stays) -> dict[Any, Any]:
    """Return the `info` of a table whose rows stay for another reason than being emptied."""
    return {_STAYS: why}


def why_it_stays(table: Table) -> Stays:
    """Return why rows of `table` about somebody stay."""
    found: Stays = table.info.get(_STAYS, Stays.EMPTIED)
    return found


# For a column that must differ from row to row.
OWN_ID: Final = cast(column("id"), String)


def declared(one: Column[Any]) -> Declared | None:
    """Return what a column says of itself."""
    found: Declared | None = one.info.get(_KEY)
    return found


def person_of(table: Table) -> Column[Any] | None:
    """Return the column that names the person whom a row of `table` is about; `None` where no row is about anybody."""
    return table.c.id if table.name in ("members", "directory") else table.c.get("member_id")


def about_people(metadata: MetaData) -> Iterator[tuple[Table, Column[Any]]]:
    """Yield the tables with rows about people, each with the column that names the person."""
    for table in metadata.sorted_tables:
        person = person_of(table)
        if person is not None:
            yield table, person


def says_nothing(kind: TypeEngine[Any]) -> bool:
    """Whether a column of this type needs no declaration: opaque ids, times and marks."""
    return isinstance(kind, Uuid | DateTime | Boolean)
