"""What a company knows of a person, as it is written down and changed: by a form, or by a directory that HR keeps."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, locks
from core.errors import Conflict, InvalidInput
from core.models import Member
from core.people import access, addresses, members, places, roster
from core.people.columns import Field
from core.people.members import NewMember
from core.people.rows import TEXTS, WARNINGS, Reason
from core.settings import settings
from core.words import N_


class Fact(StrEnum):
    """One of them, called as the attribute of a member."""

    EMAIL = "email"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EMPLOYEE_ID = "employee_id"
    DEPARTMENT = "department"
    PLACE = "place"
    LANGUAGE = "language"


Facts = Mapping[Fact, str | None]
_FIELDS: Final = {
    Fact.EMAIL: Field.EMAIL,
    Fact.FIRST_NAME: Field.FIRST_NAME,
    Fact.LAST_NAME: Field.LAST_NAME,
    Fact.EMPLOYEE_ID: Field.EMPLOYEE_ID,
    Fact.DEPARTMENT: Field.DEPARTMENT,
    Fact.LANGUAGE: Field.LANGUAGE,
}
# Beside which field of a form a reason belongs; any other is about the form as a whole.
_BESIDE: Final = {
    Reason.EMAIL_MISSING: Fact.EMAIL,
    Reason.EMAIL_INVALID: Fact.EMAIL,
    Reason.EMAIL_LETTERS: Fact.EMAIL,
    Reason.NAME_MISSING: Fact.FIRST_NAME,
}
# What may be without an answer.
_MAY_BE_EMPTY: Final = frozenset(
    {Fact.FIRST_NAME, Fact.LAST_NAME, Fact.EMPLOYEE_ID, Fact.DEPARTMENT, Fact.PLACE}
)


class FactUnusable(InvalidInput):
    """Something about a person cannot be written down like this."""

    code = "fact_unusable"


class FactTaken(Conflict):
    """Somebody else of the company has this address or employee ID."""

    code = "fact_taken"


def read(
    written: Mapping[Fact, str],
    *,
    texts: Mapping[Reason, str] = TEXTS,
    bearable: Collection[Reason] = WARNINGS,
) -> dict[Fact, str | None]:
    """Return facts as they are kept, of what a form says, by the rules that rows of a list are judged by.

    Args:
        written: what stands in the form.
        texts: what is said of each reason.
        bearable: for which nothing is refused.

    Raises:
        FactUnusable: one of them cannot be used; `field` says which, where it is one.
    """
    row = roster.judge_one(
        {_FIELDS[fact]: text for fact, text in written.items() if fact in _FIELDS},
        test_domains=not settings().is_production,
    )
    for reason in row.reasons:
        if reason in bearable:
            continue
        beside = {"field": _BESIDE[reason].value} if reason in _BESIDE else {}
        raise FactUnusable(texts[reason], letters=row.letters, place="", **beside)
    place = written.get(Fact.PLACE, "")
    if place and places.code(place) != place:
        raise FactUnusable(N_("Please choose a country from the list."), field=Fact.PLACE)
    values = {fact: str(getattr(row.values, fact)) for fact in _FIELDS} | {Fact.PLACE: place}
    return {fact: values[fact] or None for fact in written}


def new(facts: Facts, *, language: str) -> NewMember:
    """Return a person to add.

    Args:
        facts: theirs.
        language: of the company, for whom nothing else is said.
    """
    return NewMember(
        email=facts[Fact.EMAIL] or "",
        first_name=facts.get(Fact.FIRST_NAME) or "",
        last_name=facts.get(Fact.LAST_NAME) or "",
        employee_id=facts.get(Fact.EMPLOYEE_ID),
        department=facts.get(Fact.DEPARTMENT),
        language=facts.get(Fact.LANGUAGE) or language,
        place=facts.get(Fact.PLACE),
    )


def differing(member: Member, wanted: Facts) -> dict[Fact, tuple[str | None, str | None]]:
    """Return what is to change and how, before and after. What is not in `wanted` stays; addresses count in any spelling."""
    found = {}
    for fact, after in wanted.items():
        before = getattr(member, fact) or None
        if after is None and fact not in _MAY_BE_EMPTY:
            continue
        if fact is Fact.EMAIL and addresses.canonical(before or "") == addresses.canonical(after or ""):
            continue
        if before != after:
            found[fact] = (before, after)
    return found


def change(session: Session, member: Member, wanted: Facts, *, by: str, actor: audit.Actor) -> list[Fact]:
    """Change what is known of a person; return what changed.

    With another address, every link that went to the old one ends, and so does whatever began with one: it may have been
    somebody else's. The log has what changed and neither old nor new.

    Args:
        session: bound to the organization.
        member: who.
        wanted: fact → what it is; what is not there stays.
        by: who says so: `admin` or `roster`.
        actor: who does it.

    Raises:
        FactTaken: somebody else has this address or employee ID; nothing was changed.
    """
    locks.person(session, member.id)
    changes = differing(member, wanted)
    if not changes:
        return []
    _demand_free(session, member, {fact: after for fact, (_, after) in changes.items()})
    for fact, (_, after) in changes.items():
        setattr(
            member, fact, addresses.folded(after) if fact is Fact.EMAIL and after else after or _empty(fact)
        )
    try:
        session.flush()
    except IntegrityError as error:
        raise FactTaken(
            N_("Somebody was changed at this very moment. Nothing was changed: please try again.")
        ) from error
    if Fact.EMAIL in changes:
        access.end_what_was_mailed(session, member)
    audit.record(
        session,
        audit.Tag.MEMBER_FACTS_CHANGED,
        actor=actor,
        subject=member,
        changed=",".join(changes),
        by=by,
    )
    return list(changes)


def _empty(fact: Fact) -> str | None:
    return "" if fact in (Fact.FIRST_NAME, Fact.LAST_NAME) else None


def _demand_free(session: Session, member: Member, wanted: Facts) -> None:
    if email := wanted.get(Fact.EMAIL):
        other = members.by_email(session, email)
        if other is not None and other.id != member.id:
            raise FactTaken(N_("Somebody else of your company has this address."), field=Fact.EMAIL)
    if number := wanted.get(Fact.EMPLOYEE_ID):
        other = members.by_employee_id(session, number)
        if other is not None and other.id != member.id:
            raise FactTaken(N_("Somebody else of your company has this employee ID."), field=Fact.EMPLOYEE_ID)
