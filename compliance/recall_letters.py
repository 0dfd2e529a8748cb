"""The mail that asks a company to delete its copies: at once for the first, once a day at most for all that follow."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance import recall
from compliance.log import alarm
from core import owed
from core.clock import now
from core.db import Lookup, transaction
from core.mail.message import Mail
from core.models import Recall
from core.people import organizations
from core.queue import JobName, enqueue
from core.settings import settings

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
    organization = organizations.current(session)
    waiting = recall.waiting(session)
    if not waiting:
        return []
    operator = settings().operator_email
    made = []
    for to, language in alarm.addressees(session, organization):
        if to == operator and to != organization.contact_email:
            continue  # the company has the copies
        words = _load().get(language, _load()["en"])
        values = {
            "company": organization.name,
            "number": waiting,
            "link": f"{settings().base_url.rstrip('/')}/admin/recalls",
        }
        made.append(alarm.plain(to, words["subject"].format(**values), words["text"].format(**values)))
    return made


@cache
def _load() -> dict[str, Any]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))
