"""What the clock does with requests: it ends what nobody confirmed, closes what was answered, and forgets in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from compliance.requests import desk, moves, reminders, words
from core import audit, turns
from core.clock import now
from core.db import Lookup, transaction
from core.models import Erasure, Right, Stage, SubjectRequest

UNCONFIRMED_HOURS: Final = 24
OPEN_TO_QUESTIONS_DAYS: Final = 30  # after an answer, while who asked is still known
KEPT_DAYS: Final = 2 * 366  # § 7101: 24 months at least, from the end of the request
AT_ONCE: Final = 200


def sweep_all() -> None:
    """Do what is due in each company.

    Raises:
        Exception: the last that one of them failed with; the next hour tries again.
    """

    def once(org_id: UUID) -> None:
        with transaction(org_id) as session:
            sweep(session)

    failures = turns.each(Lookup.organizations(), once)
    if failures:
        raise failures[-1]


def sweep(session: Session) -> None:
    """End, close, forget and remind in the session's company, some at a time."""
    moment = now()
    _drop(session, Stage.UNCONFIRMED, SubjectRequest.created_at < moment - timedelta(hours=UNCONFIRMED_HOURS))
    _drop(session, Stage.CLOSED, SubjectRequest.closed_at < moment - timedelta(days=KEPT_DAYS))
    for row in _of_erased(session):
        _end_of_erased(session, row)
    answered = select(SubjectRequest.id).where(
        SubjectRequest.state.in_(moves.DECIDED),
        SubjectRequest.decided_at < moment - timedelta(days=OPEN_TO_QUESTIONS_DAYS),
        SubjectRequest.held_at.is_(None) | SubjectRequest.lifted_at.is_not(None),
    )
    for request_id in session.scalars(answered.order_by(SubjectRequest.member_id).limit(AT_ONCE)).all():
        desk.close(session, moves.get(session, request_id), actor=audit.SYSTEM)
    reminders.owe(session)


def end_all(session: Session) -> int:
    """End what is open in a company that leaves, some at a time; return how many that were."""
    rows = session.scalars(
        select(SubjectRequest)
        .where(SubjectRequest.state != Stage.CLOSED)
        .order_by(SubjectRequest.member_id, SubjectRequest.id)
        .limit(AT_ONCE)
    ).all()
    for row in rows:
        if row.state == Stage.UNCONFIRMED:
            words.forget(session, row)
            session.delete(row)
            continue
        if moves.is_held(row):
            desk.lift(session, row, actor=audit.SYSTEM)
        _end_of_erased(session, row)
        desk.close(session, row, actor=audit.SYSTEM)
    session.flush()
    return len(rows)


def _drop(session: Session, state: Stage, old: ColumnElement[bool]) -> None:
    rows = select(SubjectRequest).where(SubjectRequest.state == state, old)
    for row in session.scalars(rows.limit(AT_ONCE)).all():
        words.forget(session, row)
        session.delete(row)
    session.flush()


def _of_erased(session: Session) -> list[SubjectRequest]:
    open_ones = select(SubjectRequest).where(
        SubjectRequest.decided_at.is_(None),
        SubjectRequest.member_id.in_(select(Erasure.member_id)),
    )
    return list(session.scalars(open_ones.limit(AT_ONCE)))


def _end_of_erased(session: Session, row: SubjectRequest) -> None:
    """Answer what an erasure has answered, or made pointless."""
    if row.state in moves.OVER:
        return
    erased = session.scalar(select(Erasure.id).where(Erasure.member_id == row.member_id))
    if row.type == Right.ERASURE and erased is not None:
        row.erasure_id, row.delivered_at = erased, now()
        moves.move(session, row, Stage.FULFILLED, actor=audit.SYSTEM)
    else:
        moves.move(session, row, Stage.CANCELLED, actor=audit.SYSTEM)
