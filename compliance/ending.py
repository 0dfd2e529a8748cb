"""Headshots that end within a week and that nobody has downloaded: said on the first page, and by mail to the company.

The mail goes once for what comes within the week, once a day at most.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import Session

from compliance import company_letters, schedule
from core import owed
from core.clock import now
from core.db import Lookup, transaction
from core.mail.message import Mail
from core.models import Headshot, Organization, Participation, State
from core.people import organizations
from core.queue import JobName, enqueue

AHEAD: Final = timedelta(days=7)
EVERY: Final = timedelta(days=1)
WORDS: Final = Path(__file__).with_suffix(".toml")


def count(session: Session) -> int:
    """Return of how many people the session's company loses an approved headshot within a week unless it downloads it."""
    organization = organizations.current(session)
    return _people(session, organization, schedule.headshot_ends(organization) <= now() + AHEAD)


def _people(session: Session, organization: Organization, when: ColumnElement[bool]) -> int:
    ending = schedule.headshots_held(func.count()).where(
        Headshot.id == Participation.chosen_headshot_id,
        Participation.state == State.APPROVED,  # whoever downloads it moves it on
        schedule.headshot_ends(organization) > now(),
        when,
    )
    return session.scalar(ending) or 0


def owe_all() -> None:
    """Owe each company its mail."""
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            owe(session)


def owe(session: Session) -> None:
    """Owe the session's organization a mail, where more has come within the week than the last one was about."""
    organization = organizations.current(session)
    moment = now()
    last = owed.newest(session, JobName.ENDING_MAIL, organization.id)
    if last is not None and last.created_at > moment - EVERY:
        return
    ends = schedule.headshot_ends(organization)
    fresh: ColumnElement[bool] = ends <= moment + AHEAD
    if last is not None:
        fresh &= ends > last.created_at + AHEAD
    if _people(session, organization, fresh):
        enqueue(session, JobName.ENDING_MAIL, organization.id)


def mails(session: Session) -> list[Mail]:
    """Return the mails: none, where everything was downloaded by now."""
    return company_letters.written(session, WORDS, "/admin/", count(session))
