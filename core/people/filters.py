"""Whom a list of people shows: by what they are called, where they work and how far they are."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, Select, select, true
from sqlalchemy.orm import Session

from core.clock import now
from core.db import organization_of
from core.models import MailState, Member, Participation, Shoot, State
from core.models.member import DIRECTORY
from core.people import finding
from core.shoots import undelivered
from core.shoots.participations import seen_by_company
from core.vault import derive

# Nothing more is expected of these.
ANSWERED: Final = (State.APPROVED, State.DELIVERED, State.DECLINED, State.ERASED)
_KEY_BYTES: Final = 9


class Access(StrEnum):
    """Whether people can come in, and whether they were ever invited."""

    OFF = "off"
    UNINVITED = "uninvited"


@dataclass(frozen=True)
class Filter:
    """What somebody must have to be shown; what is empty asks nothing.

    Several of state, shoot, style, `is_overdue`, `is_unreached` and `mail` are about one and the same participation.

    Attributes:
        department: its name.
        style: the name of a style, in any version.
        is_overdue: the deadline has passed and an answer is still to come.
        is_unreached: a mail to them has not left.
        mail: how it stands with the newest mail to them.
    """

    words: str = ""
    department: str | None = None
    state: State | None = None
    shoot_id: UUID | None = None
    style_id: UUID | None = None
    access: Access | None = None
    is_overdue: bool = False
    is_unreached: bool = False
    mail: MailState | None = None

    @property
    def asks_of_names(self) -> bool:
        """Whether it asks for something that only the directory has."""
        return bool(self.words.strip()) or self.department is not None

    @property
    def asks_of_shoots(self) -> bool:
        """Whether it asks for something that only a participation has."""
        return any((self.state, self.shoot_id, self.style_id, self.is_overdue, self.is_unreached, self.mail))


def parts(wanted: Filter) -> Select[Participation]:
    """Ask for the participations that a filter is about."""
    query = select(Participation)
    if wanted.style_id is not None or wanted.is_overdue:
        query = query.join(Shoot, Shoot.id == Participation.shoot_id)
    if wanted.state is not None:
        query = query.where(seen_by_company == wanted.state)
    if wanted.shoot_id is not None:
        query = query.where(Participation.shoot_id == wanted.shoot_id)
    if wanted.style_id is not None:
        query = query.where(Shoot.style_id == wanted.style_id)
    if wanted.is_overdue:
        query = query.where(
            Shoot.closed_at.is_(None), Shoot.deadline < now(), seen_by_company.not_in(ANSWERED)
        )
    if wanted.mail is not None:
        query = query.where(Participation.mail_state == wanted.mail)
    if wanted.is_unreached:
        query = query.where(Participation.id.in_(undelivered.unreached()))
    return query


def names(wanted: Filter) -> ColumnElement[bool]:
    """Return the condition that somebody is called, and works, as asked; of the directory alone."""
    condition: ColumnElement[bool] = true()
    if wanted.words.strip():
        condition &= finding.matches(wanted.words)
    if wanted.department is not None:
        condition &= Member.department == wanted.department
    return condition


def people(wanted: Filter) -> ColumnElement[bool]:
    """Return the condition that somebody is shown; who was erased never is."""
    condition = Member.erased_at.is_(None) & names(wanted)
    if wanted.access is Access.OFF:
        condition &= Member.disabled_at.is_not(None)
    if wanted.access is Access.UNINVITED:
        condition &= ~select(true()).where(Participation.member_id == Member.id).exists()
    if wanted.asks_of_shoots:
        condition &= Member.id.in_(parts(wanted).with_only_columns(Participation.member_id))
    return condition


def departments(session: Session) -> list[tuple[str, str]]:
    """Return the company's departments in order, each with the key that stands for it in an address."""
    column = DIRECTORY.c.department
    # From one to the next by the index: of a hundred thousand people, only as many rows are read as there are departments.
    first = select(column).where(column > "").order_by(column).limit(1).subquery()
    found = select(first.c.department).cte("found", recursive=True)
    following = select(column).where(column > found.c.department).order_by(column).limit(1).scalar_subquery()
    found = found.union_all(select(following).where(found.c.department.is_not(None)))
    names = session.scalars(select(found.c.department).where(found.c.department.is_not(None)))
    return sorted(
        ((department_key(session, one), one) for one in names if one), key=lambda one: finding.bare(one[1])
    )


def department_key(session: Session, department: str) -> str:
    """Return what stands for a department in an address: its name would say where somebody works."""
    said = organization_of(session).bytes + department.encode()
    return hmac.new(derive("department addresses"), said, hashlib.sha256).digest()[:_KEY_BYTES].hex()
