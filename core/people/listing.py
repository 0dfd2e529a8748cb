"""The people of an organization, as its admins list and find them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Uuid, any_, distinct, func, literal, select
from sqlalchemy.orm import Session

from core.models import Invite, Member, Participation, Person, Shoot, State
from core.models.member import DIRECTORY
from core.people import filters, finding
from core.people.filters import Filter

PAGE = 25
_FEW = 500  # that are sooner sorted than met in an order


@dataclass(frozen=True)
class Listed:
    """A person and their newest participation, if any."""

    member: Member
    participation: Participation | None
    shoot: Shoot | None


@dataclass(frozen=True)
class Page:
    """A page of people; `after` leads to the next one, `None` on the last."""

    people: list[Listed]
    after: UUID | None


@dataclass(frozen=True)
class Part:
    """One shoot of a person, and when their current link ends."""

    participation: Participation
    shoot: Shoot
    link_ends_at: datetime | None


def count(session: Session, wanted: Filter | None = None) -> int:
    """Return how many people a filter finds; without one, how many there are who have not been erased."""
    if wanted is None or wanted == Filter():
        return session.scalar(select(func.count()).select_from(Person).where(Person.erased_at.is_(None))) or 0
    # Of one table where that says it all: of a hundred thousand people, to look each up in another is most of the time. Who
    # was erased has no names, and every part of theirs says so.
    if wanted.access is not None or (wanted.asks_of_names and wanted.asks_of_shoots):
        query = select(func.count()).select_from(Member).where(filters.people(wanted))
    elif wanted.asks_of_names:
        query = select(func.count()).select_from(DIRECTORY).where(filters.names(wanted))
    else:
        asked = filters.parts(wanted).where(Participation.state != State.ERASED)
        query = asked.with_only_columns(func.count(distinct(Participation.member_id)))
    return session.scalar(query) or 0


def page(
    session: Session, wanted: Filter | None = None, *, after_member: UUID | None = None, most: int = PAGE
) -> Page:
    """Return a page of the people whom a filter finds, in the order of their names.

    Each has their newest participation among those that it is about.
    """
    wanted = wanted or Filter()
    query = select(Member).where(filters.people(wanted)).order_by(*finding.ORDER).limit(most + 1)
    if wanted.asks_of_shoots:
        asked = filters.parts(wanted).with_only_columns(Participation.member_id).limit(_FEW + 1)
        few = session.scalars(asked).all()
        if len(few) <= _FEW:
            # Or a server that expects many would go through everybody in the order of their names to find these.
            query = query.where(Member.id == any_(literal(few, ARRAY(Uuid))))
    if after_member is not None:
        query = query.where(finding.after(session, after_member))
    found = session.scalars(query).all()
    people = found[:most]
    about = filters.parts(wanted).where(Participation.member_id.in_([one.id for one in people])).subquery()
    newest = {
        participation.member_id: (participation, shoot)
        for participation, shoot in session.execute(
            select(Participation, Shoot)
            .join(Shoot, Shoot.id == Participation.shoot_id)
            .where(Participation.id.in_(select(about.c.id)))
            .order_by(Participation.id)  # the newest is the one that stays
        )
    }
    rows = [Listed(one, *newest.get(one.id, (None, None))) for one in people]
    return Page(rows, people[-1].id if len(found) > most else None)


def parts(session: Session, member_id: UUID) -> list[Part]:
    """Return every shoot that a person is in, newest first."""
    link = (
        select(func.max(Invite.expires_at))
        .where(Invite.participation_id == Participation.id, Invite.revoked_at.is_(None))
        .correlate(Participation)
        .scalar_subquery()
    )
    rows = session.execute(
        select(Participation, Shoot, link)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.member_id == member_id)
        .order_by(Participation.id.desc())
    )
    return [Part(*row) for row in rows]
