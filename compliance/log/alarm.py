"""Telling that a log is not what was signed: into the log itself, and by mail to the company and to the operator."""

from __future__ import annotations

import html
import tomllib
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core import audit, formal, locks
from core.db import organization_of
from core.logs import logger
from core.mail.message import Mail
from core.models import Member, Organization, Role
from core.people import access, organizations
from core.queue import JobName, enqueue
from core.settings import settings
from core.vault import vault
from core.vault.watches import Difference

WORDS = Path(__file__).with_name("mails.toml")
OPERATORS_LANGUAGE = "en"


def tell(session: Session, found: Collection[Difference]) -> None:
    """Note what differs; where nothing did before, also write it into the log and owe the mails.

    Should the process die right after the commit, all is told once more.
    """
    if not found:
        return
    org_id = organization_of(session)
    locks.wait(session, locks.Space.LOG, org_id.bytes)
    watches = vault().keys.watches
    first = min(found)
    if not watches.differences(org_id, 1):
        audit.record(
            session,
            audit.Tag.LOG_DIFFERS,
            actor=audit.SYSTEM,
            what=first.what.value,
            position=first.position,
            count=len(found),
        )
        enqueue(session, JobName.LOG_MAIL, org_id)
        logger().error("log_differs", org=str(org_id), code=first.what.value, position=first.position)

    @event.listens_for(session, "after_commit", once=True)
    def note(_: Session) -> None:
        watches.note(org_id, found)


def mails(session: Session) -> list[Mail]:
    """Return the mails that tell of what differs now: none, if nothing does any more."""
    organization = organizations.current(session)
    known = vault().keys.watches.differences(organization.id, 1)
    if not known:
        return []
    ((first, since),) = known
    link = f"{settings().base_url.rstrip('/')}/admin/audit"
    made = []
    for to, language in addressees(session, organization):
        words = words_in(language)
        values = {
            "company": organization.name,
            "first": said(first, language),
            "since": f"{since:%Y-%m-%d %H:%M}",
            "link": link,
        }
        made.append(
            plain(to, words["differs"]["subject"].format(**values), words["differs"]["text"].format(**values))
        )
    return made


def addressees(session: Session, organization: Organization) -> list[tuple[str, str]]:
    """Return who is told, each with how they are spoken to: the operator, and the company's contact or else its owners."""
    found = [(settings().operator_email, OPERATORS_LANGUAGE)] if settings().operator_email else []
    if organization.contact_email:
        return [*found, (organization.contact_email, organizations.spoken(session, organization.language))]
    owners = session.scalars(select(Member).where(Member.role == Role.OWNER, access.comes_in()))
    return found + [(one.email, organizations.spoken(session, one.language)) for one in owners if one.email]


def said(one: Difference, language: str) -> str:
    """Return a difference in words, within a sentence."""
    text: str = words_in(language)["what"][one.what.value]
    return text.format(place=one.position + 1, size=one.position)


def words_in(language: str) -> dict[str, Any]:
    """Return what mails of the log say in a language; English, where there is none."""
    return formal.chosen(_load(), language)


@cache
def _load() -> dict[str, Any]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))


def plain(to: str, subject: str, text: str) -> Mail:
    """Return a mail of paragraphs, the same in HTML; one of several lines keeps them."""
    paragraphs = text.strip().split("\n\n")
    kinds = (("pre" if "\n" in one else "p", html.escape(one)) for one in paragraphs)
    rich = "\n".join(f"<{kind}>{one}</{kind}>" for kind, one in kinds)
    return Mail(to=to, subject=subject, text=text.strip() + "\n", html=rich)
