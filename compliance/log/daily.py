"""The newest checkpoint, mailed each day to addresses that a company names: copies that nobody who rewrites the database reaches."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.log import alarm, witnesses
from core import audit, owed
from core.clock import now
from core.db import Lookup, transaction
from core.errors import InvalidInput
from core.mail.message import Mail, can_be_addressed
from core.models import Checkpoint
from core.people import organizations
from core.queue import JobName, enqueue
from core.settings import settings

MOST = 10  # addresses
EVERY = timedelta(hours=24)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST = 254  # RFC 3696 erratum 1690


def name(session: Session, text: str, *, actor: audit.Actor) -> None:
    """Have the newest checkpoint mailed to the addresses in `text`, one a line, each day from now on; to nobody, if there is none.

    Raises:
        InvalidInput: one is no address, or there are too many; nothing was changed.
    """
    given = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if len(given) > MOST:
        raise InvalidInput(
            "Checkpoints are mailed to at most %(most)s addresses. Nothing was changed.", most=MOST
        )
    for number, one in enumerate(given, 1):
        if len(one) > _LONGEST or not (_ADDRESS.fullmatch(one) and can_be_addressed(one)):
            raise InvalidInput("Line %(number)s is no mail address. Nothing was changed.", number=number)
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    joined = "\n".join(given)
    if organization.checkpoint_emails == joined:
        return
    organization.checkpoint_emails = joined
    audit.record(session, audit.Tag.CHECKPOINT_MAIL_CHANGED, actor=actor, count=len(given))
    session.flush()


def owe_all() -> None:
    """Owe each company that named addresses its mail, once a day."""
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            if not organizations.current(session).checkpoint_emails:
                continue
            last = owed.newest(session, JobName.CHECKPOINT_MAIL, org_id)
            if last is None or last.created_at <= now() - EVERY:
                enqueue(session, JobName.CHECKPOINT_MAIL, org_id)


def mails(session: Session) -> list[Mail]:
    """Return the mails with the newest checkpoint: none, if nobody is named any more or nothing is signed yet."""
    organization = organizations.current(session)
    newest = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    if newest is None:
        return []
    words = alarm.words_in(organizations.spoken(session, organization.language))["daily"]
    values = {
        "company": organization.name,
        "size": newest.size,
        "at": f"{newest.created_at:%Y-%m-%d %H:%M}",
        "proof": f"{settings().base_url.rstrip('/')}/trust/{organization.slug}/log/consistency/",
    }
    text = words["text"].format(**values).strip() + "\n\n" + witnesses.cosigned(session, newest)
    return [
        alarm.plain(to, words["subject"].format(**values), text)
        for to in organization.checkpoint_emails.splitlines()
    ]
