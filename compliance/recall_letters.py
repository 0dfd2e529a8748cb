"""The mail that asks a company to delete its copies: at once for the first, once a day at most for all that follow."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance import company_letters, recall
from core import owed
from core.clock import now
from core.db import Lookup, transaction
from core.mail.message import Mail
from core.models import Recall
from core.people import organizations
from core.queue import JobName, enqueue

EVERY: Final = timedelta(days=1)
WORDS: Final = Path(__file__).with_suffix(".toml")


def owe(session: Session) -> None:
    """Owe the session's organization a mail, where it has recalls that no mail was about and the last is of another day."""
    organization = organizations.current(session)
    newest = session.scalar(select(func.max(Recall.created_at)).where(Recall.ended_at.is_(None)))
    if newest is None:
        return
    last = owed.newest(session, JobName.RECALL_MAIL, organization.id)
    if last is None or (last.created_at < newest and last.created_at <= now() - EVERY):
        enqueue(session, JobName.RECALL_MAIL, organization.id)


def owe_all() -> None:
    """Owe each company its mail."""
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            owe(session)


def mails(session: Session) -> list[Mail]:
    """Return the mails: none, where everything is answered by now."""
    return company_letters.written(session, WORDS, "/admin/recalls", recall.waiting(session))
