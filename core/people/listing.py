"""The people of an organization, as its admins list and find them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Invite, Member, Participation, Person, Shoot
from core.people import finding

PAGE = 50


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


def count(session: Session) -> int:
    """Return how many people there are who have not been erased."""
    return session.scalar(select(func.count()).select_from(Person).where(Person.erased_at.is_(None))) or 0


def page(session: Session, *, words: str = "", after_member: UUID | None = None, most: int = PAGE) -> Page:
    """Return a page of people in the order of their names; erased ones are not among them."""
    query = select(Member).where(Member.erased_at.is_(None)).order_by(*finding.ORDER).limit(most + 1)
    if words.strip():
        query = query.where(finding.matches(words))
    if after_member is not None:
        query = query.where(finding.after(session, after_member))
    found = session.scalars(query).all()
    people = found[:most]
    newest = {
        participation.member_id: (participation, shoot)
        for participation, shoot in session.execute(
            select(Participation, Shoot)
            .join(Shoot, Shoot.id == Participation.shoot_id)
            .where(Participation.member_id.in_([one.id for one in people]))
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
