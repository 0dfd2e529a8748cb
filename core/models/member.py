"""`members`: people in an organization, and `directory`: what they are called, in the one table that no backup carries.

Who somebody is lies sealed in `members`, under their key. For searching, ordering and writing to them it lies in plain
text in `directory`: an UNLOGGED table, so that neither `pg_dump --no-unlogged-table-data` nor the write-ahead log nor a
standby nor `pg_basebackup` has it (PostgreSQL manual, CREATE TABLE), without statistics, and behind the same walls.
It is empty after a crash of the server, a failover and a restore, and is filled again from what is sealed
(`core.people.directory`).
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, cast
from uuid import UUID

from sqlalchemy import Computed, ForeignKey, Index, String, Table, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Base, Tenant
from core.personal import Category, Harmless, harmless, personal


class Role(StrEnum):
    """What a member is to the organization; what each may do is in `core.permissions`."""

    OWNER = "owner"
    HR_ADMIN = "hr_admin"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    EMPLOYEE = "employee"


# In the order in which people are listed: those without a name, who were erased, last. Written out, since a question uses
# the index only where it says the same.
IN_ORDER = (
    text("(last_name IS NULL)"),
    text("lower(coalesce(last_name, ''))"),
    text("lower(coalesce(first_name, ''))"),
)
NAMES: Final = (
    "email",
    "first_name",
    "last_name",
    "employee_id",
    "department",
    "idp_entity_id",
    "name_id",
    "place",  # where they work: an ISO 3166 code such as `DE` or `US-IL`
)


def _letters(first: int, last: int) -> str:
    return "".join(map(chr, range(first, last + 1)))


# Letters one for one: those that no decomposition takes apart, and capitals of Latin, Greek and Cyrillic. Not by `lower`,
# which knows the letters of the server's locale: ASCII alone, where that is C. The same in `core.people.finding`.
PLAIN_LETTERS: Final = (
    "øØłŁđĐı"
    + _letters(0x41, 0x5A)
    + _letters(0x391, 0x3A9)
    + _letters(0x410, 0x42F)
    + _letters(0x400, 0x40F),
    "oollddi"
    + _letters(0x61, 0x7A)
    + _letters(0x3B1, 0x3C9)
    + _letters(0x430, 0x44F)
    + _letters(0x450, 0x45F),
)
# And one for two.
DOUBLE_LETTERS: Final = (
    ("ß", "ss"), ("ẞ", "ss"), ("æ", "ae"), ("Æ", "ae"), ("œ", "oe"), ("Œ", "oe"), ("þ", "th"), ("Þ", "th"),
)  # fmt: skip
_NOBODY: Final = "\uffff"  # after every letter: who was erased comes last


def _bare(expression: str) -> str:
    """Return the SQL of a text in small letters without accents."""
    for letter, letters in DOUBLE_LETTERS:
        expression = f"replace({expression}, '{letter}', '{letters}')"
    apart = f"regexp_replace(normalize({expression}, NFD), '[\u0300-\u036f]', '', 'g')"
    return f"translate({apart}, '{PLAIN_LETTERS[0]}', '{PLAIN_LETTERS[1]}')"


# Of what a generated column says, PostgreSQL keeps it in step by itself. The order is that of letters without accents in
# every language: the embedded server has no collations of ICU.
SORTED_AS: Final = (
    f"CASE WHEN last_name IS NULL AND first_name IS NULL THEN '{_NOBODY}' ELSE "
    + _bare("coalesce(last_name, '') || chr(1) || coalesce(first_name, '')")
    + " END"
)
FOUND_BY: Final = _bare(
    "btrim(coalesce(first_name, '') || ' ' || coalesce(last_name, '') || ' ' || coalesce(email, '') || ' '"
    " || coalesce(employee_id, ''))"
)
# Of two letters each where a keyboard or a list has no other way to write them.
WRITTEN_OUT: Final = {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"}


def _written_out(expression: str) -> str:
    for letter, letters in WRITTEN_OUT.items():
        for one in (letter, letter.upper()):
            expression = f"replace({expression}, '{one}', '{letters}')"
    return _bare(expression)


# Names as such a keyboard writes them, for questions to the database.
NAMES_WRITTEN_OUT: Final = _written_out(
    "normalize(coalesce(directory.first_name, '') || ' ' || coalesce(directory.last_name, ''), NFC)"
)


def _plain(name: str, length: int) -> Any:
    """Return a column from before names were sealed; `Installation.sealed_at` says until when it counts."""
    return mapped_column(name, String(length), deferred=True, info=personal(Category.IDENTITY))


class Person(Tenant):
    """A person without their name, for what asks by id alone. Read a `Member` wherever a row itself is wanted.

    `pseudonym` is the keyed hash that stands for the person in the evidence log; its key is derived
    from the person's data key and dies with it.
    """

    __tablename__ = "members"

    role: Mapped[str] = mapped_column(String(16), default=Role.EMPLOYEE, info=harmless(Harmless.CODE))
    language: Mapped[str] = mapped_column(String(8), default="en", info=personal(Category.CHOICE, "en"))
    pseudonym: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.KEYED))
    # The names, under the person's key: `core.vault.names`.
    sealed: Mapped[bytes | None] = mapped_column(info=personal(Category.IDENTITY))
    disabled_at: Mapped[datetime | None]
    access_until: Mapped[
        datetime | None
    ]  # until when they may enter the company's pages; to their own there is no end
    restricted_at: Mapped[datetime | None]  # kept, and used for nothing, since then
    links_ended_at: Mapped[datetime | None]  # links to one's data from before open nothing
    erased_at: Mapped[datetime | None]
    plain_email: Mapped[str | None] = _plain("email", 254)
    plain_first_name: Mapped[str | None] = _plain("first_name", 80)
    plain_last_name: Mapped[str | None] = _plain("last_name", 80)
    plain_employee_id: Mapped[str | None] = _plain("employee_id", 64)
    plain_department: Mapped[str | None] = _plain("department", 120)
    plain_idp_entity_id: Mapped[str | None] = _plain("idp_entity_id", 512)
    plain_name_id: Mapped[str | None] = _plain("name_id", 512)
    plain_place: Mapped[str | None] = _plain("place", 6)

    __table_args__: Any = (
        Index("uq_members_email", "org_id", text("lower(email)"), unique=True),
        UniqueConstraint("org_id", "idp_entity_id", "name_id", name="uq_members_identity"),
        Index("uq_members_employee_id", "org_id", "employee_id", unique=True),
        # The few who can do nothing now: of a hundred thousand people, counts look at these alone.
        Index(
            "ix_members_shut",
            "org_id",
            postgresql_where=text("disabled_at IS NOT NULL OR restricted_at IS NOT NULL"),
        ),
        Index(
            "ix_members_in_order",
            "org_id",
            text("(erased_at IS NOT NULL)"),
            *IN_ORDER[1:],
            "id",
        ),
    )


class Member(Person):
    """A person. After erasure only the id, the organization and the times remain."""

    __tablename__ = "directory"

    id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), primary_key=True)
    # `org_id` once more, for the walls and the indexes; set where names are sealed. It is no part of the join: a server
    # that knows nothing yet of a table just filled would look people up by their company, each among all.
    walled_by: Mapped[UUID] = mapped_column("org_id", ForeignKey("organizations.id"))
    email: Mapped[str | None] = mapped_column(String(254), info=personal(Category.IDENTITY))
    first_name: Mapped[str | None] = mapped_column(String(80), info=personal(Category.IDENTITY))
    last_name: Mapped[str | None] = mapped_column(String(80), info=personal(Category.IDENTITY))
    employee_id: Mapped[str | None] = mapped_column(String(64), info=personal(Category.IDENTITY))
    department: Mapped[str | None] = mapped_column(String(120), info=personal(Category.IDENTITY))
    idp_entity_id: Mapped[str | None] = mapped_column(String(512), info=personal(Category.IDENTITY))
    name_id: Mapped[str | None] = mapped_column(String(512), info=personal(Category.IDENTITY))
    place: Mapped[str | None] = mapped_column(String(6), info=personal(Category.IDENTITY))
    # By the database, of the names: for the order of lists and for searching them.
    sorted_as: Mapped[str] = mapped_column(
        Text(collation="C"),
        Computed(SORTED_AS, persisted=True),
        deferred=True,
        nullable=True,
        info=personal(Category.IDENTITY, _NOBODY),
    )
    found_by: Mapped[str] = mapped_column(
        Text(collation="C"),
        Computed(FOUND_BY, persisted=True),
        deferred=True,
        nullable=True,
        info=personal(Category.IDENTITY, ""),
    )

    __table_args__: Any = (
        Index("uq_directory_email", "org_id", text("lower(email)"), unique=True),
        UniqueConstraint("org_id", "idp_entity_id", "name_id", name="uq_directory_identity"),
        Index("uq_directory_employee_id", "org_id", "employee_id", unique=True),
        # What the release before lists people by.
        Index("ix_directory_in_order", "org_id", *IN_ORDER, "id"),
        Index("ix_directory_sorted", "org_id", "sorted_as", "id"),
        Index("ix_directory_department", "org_id", "department"),
        {"prefixes": ["UNLOGGED"]},
    )

    @property
    def full_name(self) -> str:
        """First and last name, or an empty string after erasure."""
        return f"{self.first_name or ''} {self.last_name or ''}".strip()

    @property
    def initials(self) -> str:
        """Up to two capital letters for the avatar that stands in for a photo."""
        letters = [name[0] for name in (self.first_name, self.last_name) if name]
        return "".join(letters).upper() or "–"


DIRECTORY: Final = cast("Table", Member.__table__)


class DirectoryState(Base):
    """One row while `directory` is whole; UNLOGGED as well, so a crash, a failover or a restore empties both."""

    __tablename__ = "directory_state"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    whole: Mapped[bool] = mapped_column(primary_key=True, default=True)
