"""Adding people and finding them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, InvalidInput, NotFound
from core.ids import new_id
from core.models import Member, Organization, Role
from core.people import addresses, places
from core.vault import vault
from core.words import N_


class CompanyLeft(Conflict):
    """The company has left: everybody of it was erased, and nobody is added any more."""

    code = "company_left"

    def __init__(self) -> None:
        super().__init__(N_("This company has left the platform. Nobody can be added any more."))


@dataclass(frozen=True)
class NewMember:
    """A person to add."""

    email: str
    first_name: str
    last_name: str
    employee_id: str | None = None
    department: str | None = None
    language: str | None = None  # their company's, where nobody has said
    role: Role = Role.EMPLOYEE
    idp_entity_id: str | None = None
    name_id: str | None = None
    place: str | None = None  # where they work, an ISO 3166 code


def add(session: Session, people: Sequence[NewMember], *, actor: audit.Actor, tag: audit.Tag) -> list[Member]:
    """Add people, each with a data key of their own; one event each, under `tag`.

    The keys are made in one round trip before the rows: a rolled back transaction leaves keys that
    seal nothing.

    Raises:
        CompanyLeft: the company has left, also where a restored database does not know that.
    """
    # The ledger beside the keys is what no backup of the database takes back.
    org_id = organization_of(session)
    if vault().keys.erasures.among([org_id]):
        raise CompanyLeft
    usual = session.get_one(Organization, org_id).language
    ids = [new_id() for _ in people]
    keys = vault().keys.create(ids)
    created = now()
    members = [
        Member(
            id=member_id,
            org_id=org_id,
            created_at=created,
            pseudonym=vault().subject_pseudonym(member_id, keys[member_id]),
            email=addresses.folded(person.email),
            first_name=person.first_name.strip(),
            last_name=person.last_name.strip(),
            employee_id=person.employee_id,
            department=person.department,
            language=person.language or usual,
            role=person.role,
            idp_entity_id=person.idp_entity_id,
            name_id=person.name_id,
            place=person.place,
        )
        for member_id, person in zip(ids, people, strict=True)
    ]
    session.add_all(members)
    session.flush()
    for member in members:
        audit.record(session, tag, actor=actor, subject=member, role=member.role)
    return members


def get(session: Session, member_id: UUID) -> Member:
    """Return a member who has not been erased.

    Raises:
        NotFound: there is no such member.
    """
    member = session.get(Member, member_id)
    if member is None or member.erased_at is not None:
        raise NotFound("This person is not in your organization, or has been erased.")
    return member


def by_identity(
    session: Session, idp_entity_id: str, name_id: str, *, is_address: bool = False
) -> Member | None:
    """Return the member whom an identity provider knows as `name_id`.

    Args:
        session: bound to the organization.
        idp_entity_id: of the provider.
        name_id: letter for letter, for most providers' names tell capitals apart.
        is_address: it is an address, which counts in any spelling.
    """
    same = Member.name_id == name_id
    if is_address:
        same = func.lower(Member.name_id).in_(addresses.spellings(name_id))
    return session.scalar(
        select(Member)
        .where(Member.idp_entity_id == idp_entity_id, same)
        .order_by(Member.name_id != name_id, Member.id)
        .limit(1)
    )


def by_email(session: Session, email: str) -> Member | None:
    """Return the member with this address, in any spelling; the one in its canonical spelling first."""
    one, *others = addresses.spellings(email)
    kept = func.lower(Member.email)
    return session.scalar(
        select(Member).where(kept.in_([one, *others])).order_by(kept != one, Member.id).limit(1)
    )


def prefer(session: Session, member_id: UUID, language: str) -> None:
    """Have mails to somebody be in the language that they chose for their pages; an erased person chooses nothing."""
    locks.person(session, member_id)
    member = session.get(Member, member_id)
    if member is not None and member.erased_at is None:
        member.language = language
        session.flush()


def by_employee_id(session: Session, employee_id: str) -> Member | None:
    """Return the member with this employee ID."""
    return session.scalar(select(Member).where(Member.employee_id == employee_id))


def works_in(session: Session, member: Member, place: str, *, by: str, actor: audit.Actor) -> None:
    """Note where a person works, which decides by whose law they are asked.

    Args:
        session: bound to the organization.
        member: the person.
        place: an ISO 3166 code such as `DE` or `US-IL`.
        by: who says so: `self` or `roster`. The log has that and not the place.
        actor: who does it.

    Raises:
        InvalidInput: there is no such place; nothing was changed.
    """
    if not place or places.code(place) != place:
        raise InvalidInput(N_("Please choose a country from the list. Nothing was changed."))
    if member.place == place:
        return
    member.place = place
    session.flush()
    audit.record(session, audit.Tag.MEMBER_PLACE_SAID, actor=actor, subject=member, by=by)
