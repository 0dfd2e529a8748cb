"""Finding people by what they are called, and the order in which they are listed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, String, case, false, func, literal, literal_column, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from core.models import Member

# Letters that no decomposition takes apart; the same in Python and in the database.
_WHOLE: Final = ("øØłŁđĐı", "oOlLdDi")
_ACCENTS: Final = "[\u0300-\u036f]"  # combining diacritical marks


def _bare(text: str) -> str:
    """Return a text without accents."""
    return re.sub(_ACCENTS, "", unicodedata.normalize("NFD", text)).translate(str.maketrans(*_WHOLE))


def _bared(column: InstrumentedAttribute[str | None]) -> ColumnElement[str | None]:
    """Return a column without accents; most values have none, and taking them apart costs more than asking for that."""
    apart = func.regexp_replace(func.normalize(column, literal_column("NFD")), _ACCENTS, "", "g")
    bare = func.translate(apart, *_WHOLE)
    return case((func.octet_length(column) > func.length(column), bare), else_=column)


def matches(words: str) -> ColumnElement[bool]:
    """Return the condition that each of `words` stands in a name, address or employee ID, whatever case and accents."""
    condition: ColumnElement[bool] = Member.id.is_not(None)
    for word in _bare(words).split()[:8]:
        pattern = "%" + word.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"
        condition &= or_(
            *(
                _bared(column).ilike(pattern, escape="\\")
                for column in (Member.first_name, Member.last_name, Member.email, Member.employee_id)
            )
        )
    return condition


# People in the order of their names, as the index `ix_directory_in_order` has it; an erased person has none and comes last.
_NOTHING: ColumnElement[str] = literal_column("''", String)
ORDER = (
    Member.last_name.is_(None),
    func.lower(func.coalesce(Member.last_name, _NOTHING)),
    func.lower(func.coalesce(Member.first_name, _NOTHING)),
    Member.id,
)


def after(session: Session, member_id: UUID) -> ColumnElement[bool]:
    """Return the condition that a member comes after `member_id` in the order of names.

    The place is known by id, so that no address in the browser or a log holds a name.
    """
    last = session.execute(select(*ORDER).where(Member.id == member_id)).first()
    if last is None:
        return false()
    # As values, which the server can hold against the index; a subquery it cannot.
    return tuple_(*ORDER) > tuple_(*(literal(value) for value in last))
