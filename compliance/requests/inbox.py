"""The desk's list, by what is due, and one request with all that happened to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, not_, select, tuple_
from sqlalchemy.orm import Session

from compliance.requests import moves, words
from compliance.requests.words import Words
from core.audit import Tag
from core.clock import now
from core.errors import InvalidInput
from core.models import (
    AuditEvent,
    Certificate,
    Channel,
    LogLeaf,
    Person,
    Right,
    Stage,
    SubjectRequest,
)
from core.models.member import DIRECTORY
from core.words import N_

PAGE: Final = 50
SOON: Final = timedelta(days=7)


@dataclass(frozen=True)
class Listed:
    """A request and whom it is of: a name for those who answer it, a pseudonym for auditors; empty where nobody is known."""

    row: SubjectRequest
    who: str


@dataclass(frozen=True)
class Load:
    """How many requests are open, how many of them are overdue, and how many due within `SOON`."""

    open: int
    overdue: int
    soon: int


@dataclass(frozen=True)
class Page:
    """A page of requests; `after` leads to the next, `None` on the last."""

    listed: list[Listed]
    after: UUID | None


@dataclass(frozen=True)
class Wanted:
    """Which requests.

    Attributes:
        of_people: whether those that people answered themselves are among them, as they are for auditors: whoever works
            with people every day would learn from them who took what back.
        state: only those; all that are open if not given.
        right: only this kind.
    """

    of_people: bool
    state: Stage | None = None
    right: Right | None = None


@dataclass(frozen=True)
class Happened:
    """One event of a request.

    Attributes:
        what: `received`, the state that it went to, or what else was noted.
        by: who did it: `person`, `system`, or a name or pseudonym.
        position: in the signed log, from 0; `None` while it waits for the next checkpoint.
    """

    at: datetime
    what: str
    by: str
    facts: dict[str, Any]
    position: int | None


@dataclass(frozen=True)
class Shown:
    """One request as a page shows it; `asked` is empty for auditors, and once it is closed."""

    row: SubjectRequest
    who: str
    asked: Words
    happened: list[Happened]
    certificate_id: UUID | None
    proposer: str


def page(session: Session, wanted: Wanted, *, after: UUID | None = None, most: int = PAGE) -> Page:
    """Return a page: what is open by when it is due, the soonest first; what is over the other way round.

    Raises:
        InvalidInput: `after` is no request.
    """
    over = wanted.state in moves.OVER
    place = tuple_(SubjectRequest.due_at, SubjectRequest.id)
    query = select(SubjectRequest).where(*_conditions(wanted)).limit(most + 1)
    query = query.order_by(
        *(one.desc() if over else one for one in (SubjectRequest.due_at, SubjectRequest.id))
    )
    if after is not None:
        last = session.get(SubjectRequest, after)
        if last is None:
            raise InvalidInput(N_("This address is not complete. Please go back and try again."))
        here = tuple_(last.due_at, last.id)
        query = query.where(place < here if over else place > here)
    rows = session.scalars(query).all()
    found = rows[:most]
    names = _names(session, found, of_people=wanted.of_people)
    listed = [Listed(row, names.get(row.id, "")) for row in found]
    return Page(listed, found[-1].id if len(rows) > most else None)


def load(session: Session) -> Load:
    """Count the requests that are open."""
    moment, is_open = now(), _conditions(Wanted(of_people=True))
    overdue = func.count().filter(SubjectRequest.due_at < moment)
    soon = func.count().filter(SubjectRequest.due_at.between(moment, moment + SOON))
    counted = select(func.count(), overdue, soon).select_from(SubjectRequest).where(*is_open)
    return Load(*session.execute(counted).one())


def read(session: Session, request_id: UUID, *, of_people: bool) -> Shown:
    """Return a request with its timeline.

    Raises:
        NotFound: there is none of this id.
    """
    row = moves.get(session, request_id)
    events = session.execute(
        select(AuditEvent, LogLeaf.position)
        .outerjoin(LogLeaf, LogLeaf.event_id == AuditEvent.id)
        .where(AuditEvent.id.in_(row.events))
        .order_by(AuditEvent.id)
    ).all()
    actors = {event.actor_id for event, _ in events if event.actor_id is not None}
    people = _people(session, [*actors, *([row.proposed_by] if row.proposed_by else [])], of_people=of_people)
    happened = [
        Happened(event.created_at, _what(event), _by(event, row, people), event.facts, position)
        for event, position in events
    ]
    certificate = (
        select(Certificate.id).where(Certificate.erasure_id == row.erasure_id).order_by(Certificate.id.desc())
    )
    return Shown(
        row=row,
        who=_names(session, [row], of_people=of_people).get(row.id, ""),
        asked=Words() if of_people else words.read(row),
        happened=happened,
        certificate_id=session.scalar(certificate.limit(1)) if row.erasure_id is not None else None,
        proposer=people.get(row.proposed_by, "") if row.proposed_by is not None else "",
    )


def of_person(session: Session, member_id: UUID, most: int = PAGE) -> list[SubjectRequest]:
    """Return somebody's own requests, newest first."""
    own = select(SubjectRequest).where(SubjectRequest.member_id == member_id)
    return list(session.scalars(own.order_by(SubjectRequest.id.desc()).limit(most)))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [SubjectRequest.state != Stage.UNCONFIRMED]
    if wanted.state is not None:
        found.append(SubjectRequest.state == wanted.state)
    else:
        found.append(SubjectRequest.decided_at.is_(None))
    if wanted.right is not None:
        found.append(SubjectRequest.type == wanted.right)
    if not wanted.of_people:
        alone = SubjectRequest.channel == Channel.SELF_SERVICE
        found.append(not_(and_(alone, SubjectRequest.state == Stage.CLOSED)))
    return found


def _names(session: Session, rows: Sequence[SubjectRequest], *, of_people: bool) -> dict[UUID, str]:
    people = _people(
        session, [row.member_id for row in rows if row.member_id is not None], of_people=of_people
    )
    found = {row.id: people.get(row.member_id, "") for row in rows if row.member_id is not None}
    if not of_people:
        asked = words.read_all([row for row in rows if row.member_id is None])
        found |= {key: one.name or one.address for key, one in asked.items()}
    return found


def _people(session: Session, ids: Sequence[UUID], *, of_people: bool) -> dict[UUID, str]:
    """Return what people are called: by pseudonym for those who may follow people and know nobody."""
    if of_people:
        pseudonyms = select(Person.id, Person.pseudonym).where(Person.id.in_(set(ids)))
        return {row.id: row.pseudonym[:8] for row in session.execute(pseudonyms)}
    names = DIRECTORY.c
    named = select(names.id, names.first_name, names.last_name, names.email).where(names.id.in_(set(ids)))
    return {
        one.id: f"{one.first_name or ''} {one.last_name or ''}".strip() or one.email or ""
        for one in session.execute(named)
    }


def _what(event: AuditEvent) -> str:
    if event.tag == Tag.REQUEST_RECEIVED:
        return "received"
    found: str = event.facts["after"] if event.tag == Tag.REQUEST_MOVED else event.facts["what"]
    return found


def _by(event: AuditEvent, row: SubjectRequest, people: dict[UUID, str]) -> str:
    if event.actor_id is None:
        return "system"
    return "person" if event.actor_id == row.member_id else people.get(event.actor_id, "")
