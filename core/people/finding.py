"""Finding people by what they are called, and the order in which they are listed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Text, false, literal, literal_column, select, tuple_
from sqlalchemy.orm import Session

from core.models import Member
from core.models.member import DOUBLE_LETTERS, NAMES_WRITTEN_OUT, PLAIN_LETTERS, WRITTEN_OUT

_PLAIN: Final = str.maketrans(*PLAIN_LETTERS)
_WRITTEN_OUT: Final = str.maketrans(WRITTEN_OUT)
_TWO_LETTERS: Final = re.compile("[aou]e|aa")


def bare(text: str) -> str:
    """Return a text in small letters without accents, as `Member.found_by` has it."""
    for letter, letters in DOUBLE_LETTERS:
        text = text.replace(letter, letters)
    apart = re.sub("[\u0300-\u036f]", "", unicodedata.normalize("NFD", text))
    return apart.translate(_PLAIN)


def matches(words: str) -> ColumnElement[bool]:
    """Return the condition that each of `words` stands in a name, address or employee ID, whatever case and accents."""
    condition: ColumnElement[bool] = Member.id.is_not(None)
    for word in words.split()[:8]:
        condition &= _has(word)
    return condition


def _has(word: str) -> ColumnElement[bool]:
    """Return the condition that a word stands there as it is, or as keyboards without its letters write it.

    “Özdemir” finds Oezdemir and the other way round; “Joel” finds no Jolanda.
    """
    lower = unicodedata.normalize("NFC", word).lower()
    found = Member.found_by.contains(bare(lower), autoescape=True)
    written = bare(lower.translate(_WRITTEN_OUT))
    if not _TWO_LETTERS.search(written):
        return found
    return found | literal_column(NAMES_WRITTEN_OUT, Text).contains(written, autoescape=True)


# People in the order of their names, as the index `ix_directory_sorted` has it; an erased person comes last.
ORDER = (Member.sorted_as, Member.id)


def after(session: Session, member_id: UUID) -> ColumnElement[bool]:
    """Return the condition that a member comes after `member_id` in the order of names.

    The place is known by id, so that no address in the browser or a log holds a name.
    """
    last = session.execute(select(*ORDER).where(Member.id == member_id)).first()
    if last is None:
        return false()
    # As values, which the server can hold against the index; a subquery it cannot.
    return tuple_(*ORDER) > tuple_(*(literal(value) for value in last))
