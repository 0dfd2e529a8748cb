"""What an auditor reads: events, the signed log's newest checkpoint, deletion certificates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from core.audit import Tag
from core.db import organization_of, transaction
from core.errors import InvalidInput, NotFound
from core.ids import first_of
from core.models import AuditEvent, Certificate, Checkpoint, Erasure, LogLeaf, Member, Statement
from core.vault import vault

PAGE = 50
PART = 2000  # events of an export that are read at once


@dataclass(frozen=True)
class Event:
    """One event; people are known by pseudonym. `position` is its place in the signed log, if it has one."""

    id: UUID
    created_at: datetime
    tag: str
    leaf: bytes
    position: int | None


@dataclass(frozen=True)
class Wanted:
    """Which events.

    Attributes:
        of_people: whether events about a person are among them, for somebody who may follow people.
        tag: only this kind.
        since: the first day, UTC.
        until: the last day, UTC, in full.
        person: only those about whom this pseudonym, or its beginning, stands for; empty for everybody.
    """

    of_people: bool
    tag: Tag | None = None
    since: date | None = None
    until: date | None = None
    person: str = ""


@dataclass(frozen=True)
class EventPage:
    """A page of events, newest first; `before` leads to older ones, `None` on the last."""

    events: list[Event]
    before: UUID | None


@dataclass(frozen=True)
class LogState:
    """How far the signed log is."""

    checkpoint: Checkpoint | None
    waiting: int  # events that a checkpoint does not cover yet
    total: int


@dataclass(frozen=True)
class ListedCertificate:
    """A certificate without its bytes."""

    id: UUID
    created_at: datetime
    status: str
    sha256: str
    erasure_id: UUID
    reason: str
    requested_at: datetime


@dataclass(frozen=True)
class Handed:
    """A certificate as it was handed out."""

    erasure_id: UUID
    status: str
    pdf: bytes


def events(session: Session, wanted: Wanted, *, before: UUID | None = None, most: int = PAGE) -> EventPage:
    """Return a page of events, newest first.

    Args:
        session: bound to the organization.
        wanted: which.
        before: only older ones than this event.
        most: on a page.
    """
    query = _read(session, wanted).order_by(AuditEvent.id.desc()).limit(most + 1)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    rows = [Event(*row) for row in session.execute(query)]
    return EventPage(rows[:most], rows[most - 1].id if len(rows) > most else None)


def all_events(org_id: UUID, wanted: Wanted) -> Iterator[list[Event]]:
    """Yield events in parts, oldest first, each read in a transaction of its own."""
    after: UUID | None = None
    while True:
        with transaction(org_id) as session:
            query = _read(session, wanted).order_by(AuditEvent.id).limit(PART)
            if after is not None:
                query = query.where(AuditEvent.id > after)
            rows = [Event(*row) for row in session.execute(query)]
        if rows:
            yield rows
        if len(rows) < PART:
            return
        after = rows[-1].id


def _read(session: Session, wanted: Wanted) -> Select[UUID, datetime, str, bytes, int]:
    query = select(
        AuditEvent.id, AuditEvent.created_at, AuditEvent.tag, AuditEvent.leaf, LogLeaf.position
    ).outerjoin(LogLeaf, LogLeaf.event_id == AuditEvent.id)
    if not wanted.of_people:
        query = query.where(AuditEvent.subject_id.is_(None))
    if wanted.tag is not None:
        query = query.where(AuditEvent.tag == wanted.tag)
    # An event's id begins with its time and is what the index is in order of.
    if wanted.since is not None:
        query = query.where(AuditEvent.id >= first_of(datetime.combine(wanted.since, time(), UTC)))
    if wanted.until is not None:
        query = query.where(
            AuditEvent.id < first_of(datetime.combine(wanted.until + timedelta(days=1), time(), UTC))
        )
    if wanted.person:
        subjects = session.scalars(
            select(Member.id).where(Member.pseudonym.startswith(wanted.person, autoescape=True)).limit(2)
        ).all()
        if not subjects:  # of an erased person, entries from before go by another hash than those since
            named = AuditEvent.leaf.like(b'%"subject":"' + wanted.person.encode() + b"%")
            of_one = select(AuditEvent.subject_id).where(AuditEvent.subject_id.is_not(None), named)
            subjects = [one for one in session.scalars(of_one.distinct().limit(2)) if one is not None]
        if len(subjects) > 1:
            raise InvalidInput("This pseudonym is too short: it fits several people.")
        query = query.where(AuditEvent.subject_id.in_(subjects))
    return query


def log_state(session: Session) -> LogState:
    """Return the newest checkpoint and how many events wait for the next."""
    newest = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    total, waiting = session.execute(
        select(func.count(), func.count().filter(~AuditEvent.sequenced)).select_from(AuditEvent)
    ).one()
    return LogState(newest, waiting, total)


def checkpoint(session: Session, size: int) -> Checkpoint:
    """Return the checkpoint over `size` events.

    Raises:
        NotFound: none was signed at this size.
    """
    found = session.get(Checkpoint, (organization_of(session), size))
    if found is None:
        raise NotFound("There is no checkpoint of this size.")
    return found


def certificates(session: Session, *, most: int = 100) -> list[ListedCertificate]:
    """Return the newest certificates."""
    rows = session.execute(
        select(
            Certificate.id,
            Certificate.created_at,
            Certificate.status,
            Certificate.sha256,
            Certificate.erasure_id,
            Erasure.reason,
            Erasure.created_at,
        )
        .join(Erasure, Erasure.id == Certificate.erasure_id)
        .order_by(Certificate.id.desc())
        .limit(most)
    )
    return [ListedCertificate(*row) for row in rows]


def statements(session: Session, *, most: int = 36) -> list[tuple[UUID, str, datetime]]:
    """Return (id, month, time) of the newest monthly statements."""
    asked = select(Statement.id, Statement.month, Statement.created_at)
    return [
        (one.id, one.month, one.created_at)
        for one in session.execute(asked.order_by(Statement.month.desc()).limit(most))
    ]


def statement(session: Session, statement_id: UUID) -> tuple[str, bytes]:
    """Return the month and the file of a monthly statement.

    Raises:
        NotFound: there is none of this id.
    """
    found = session.get(Statement, statement_id)
    if found is None:
        raise NotFound("This statement does not exist.")
    return found.month, found.pdf


def certificate(session: Session, certificate_id: UUID) -> Handed:
    """Return a certificate; one that a restored database forgot from beside the keys.

    Raises:
        NotFound: there is none of this id.
    """
    found = session.get(Certificate, certificate_id) or vault().keys.certificates.find(
        organization_of(session), certificate_id
    )
    if found is None:
        raise NotFound("This certificate does not exist.")
    return Handed(found.erasure_id, found.status, found.pdf)


def forgotten(session: Session, *, most: int = 100) -> list[tuple[UUID, datetime, str]]:
    """Return (id, time, status) of the newest certificates that were signed before a restore and are only kept beside the keys."""
    org_id = organization_of(session)
    kept = vault().keys.certificates.ids(org_id)
    there = set(session.scalars(select(Certificate.id).where(Certificate.id.in_(kept)))) if kept else set()
    return vault().keys.certificates.without(org_id, there, most) if kept - there else []
