"""Finding people by what they are called, and the order in which they are listed."""

from __future__ import annotations

import re
import unicodedata
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, false, func, literal, or_, select, tuple_
from sqlalchemy.orm import Session

from core.models import Member
from core.models.member import DOUBLE_LETTERS, PLAIN_LETTERS

_PLAIN: Final = str.maketrans(*PLAIN_LETTERS)
_WRITTEN_OUT: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_TWO_LETTERS: Final = re.compile("([aou])e|(?<=a)a")


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

    “Özdemir” finds Oezdemir too. “Oezdemir” finds Özdemir, but “Joel” no Jolanda: only where there is such a letter.
    """
    lower = unicodedata.normalize("NFC", word).lower()
    kept = {bare(lower), bare(lower.translate(_WRITTEN_OUT))}
    found = or_(*(Member.found_by.contains(one, autoescape=True) for one in sorted(kept)))
    if (short := _TWO_LETTERS.sub(r"\1", bare(lower))) not in kept:
        names = func.normalize(func.concat(Member.first_name, " ", Member.last_name))
        found |= Member.found_by.contains(short, autoescape=True) & names.regexp_match("[äöüÄÖÜøØåÅ]")
    return found


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
