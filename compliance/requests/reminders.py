"""Reminding who answers requests: a week and two days before one is due, and when it is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from compliance.log.alarm import plain
from compliance.requests import letters, regimes
from core.clock import now
from core.db import organization_of
from core.mail.message import Mail
from core.models import Member, Stage, SubjectRequest
from core.people import access, organizations
from core.people.access import STAFF
from core.queue import JobName, enqueue

STEPS: Final = (timedelta(days=7), timedelta(days=2), timedelta())
MOST_LISTED: Final = 50


def owe(session: Session) -> None:
    """Owe a mail where a request has come to its next reminder."""
    moment, due = now(), False
    for number, before in enumerate(STEPS, start=1):
        rows = _open().where(SubjectRequest.due_at <= moment + before, SubjectRequest.reminded < number)
        for row in session.scalars(rows):
            row.reminded, due = number, True
    if due:
        session.flush()
        enqueue(session, JobName.REQUEST_REMINDER, organization_of(session))


def mails(session: Session) -> list[Mail]:
    """Return the mails to all who answer requests: what is due, naming nobody; none where all is answered by now."""
    moment, organization = now(), organizations.current(session)
    place = regimes.place_of(session)
    asked = _open().where(SubjectRequest.due_at <= moment + STEPS[0]).order_by(SubjectRequest.due_at)
    rows = session.scalars(asked.limit(MOST_LISTED)).all()
    if not rows:
        return []
    staff = select(Member).where(Member.role.in_(STAFF), access.comes_in())
    made = []
    for one in session.scalars(staff.order_by(Member.id)):
        if not one.email:
            continue
        said = letters.words_in(organizations.spoken(session, one.language))
        lines = [
            said["reminder"]["overdue" if row.due_at < moment else "line"].format(
                right=said["rights"][row.type],
                due=letters.day_in(said, row.due_at, place),
            )
            for row in rows
        ]
        values = {
            "company": organization.name,
            "list": "\n".join(lines),
            "link": f"{letters.base()}/admin/requests",
        }
        reminder = said["reminder"]
        made.append(plain(one.email, reminder["subject"].format(**values), reminder["text"].format(**values)))
    return made


def _open() -> Select[SubjectRequest]:
    return select(SubjectRequest).where(
        SubjectRequest.decided_at.is_(None), SubjectRequest.state != Stage.UNCONFIRMED
    )
