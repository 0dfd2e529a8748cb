"""Reminding the company of breaches whose 72 hours run: a day before they are over, six hours before, and once they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import company_letters
from compliance.breaches import register
from core.clock import now
from core.db import Lookup, organization_of, transaction
from core.mail.message import Mail
from core.models import Breach, Told
from core.queue import JobName, enqueue

WORDS: Final = Path(__file__).parent / "reminders.toml"
STEPS: Final = (timedelta(hours=24), timedelta(hours=6), timedelta())


def owe_all() -> None:
    """Owe each company its mail."""
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            owe(session)


def owe(session: Session) -> None:
    """Owe a mail where a breach has come to its next reminder."""
    moment, due = now(), False
    for row in _waiting(session):
        passed = sum(register.due_at(row) <= moment + before for before in STEPS)
        if passed > row.reminded:
            row.reminded, due = passed, True
    if due:
        session.flush()
        enqueue(session, JobName.BREACH_REMINDER, organization_of(session))


def mails(session: Session) -> list[Mail]:
    """Return the mails, which say no more than how many wait: none, where all is decided and told by now."""
    soon = [row for row in _waiting(session) if register.due_at(row) <= now() + STEPS[0]]
    return company_letters.written(session, WORDS, "/admin/breaches", len(soon))


def _waiting(session: Session) -> Iterator[Breach]:
    asked = select(Breach).where(
        Breach.closed_at.is_(None),
        Breach.authority_told_at.is_(None),
        Breach.authority.is_distinct_from(Told.NO),
    )
    return iter(session.scalars(asked.order_by(Breach.number)))
