"""A receipt for each decision about consents: what was decided, in which words, and what stands in instead.

The row names answers and texts that nothing changes, so that what a receipt says is the same whenever it is opened.
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from babel.dates import format_datetime
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from compliance.consent.texts import Notice
from compliance.log.alarm import plain
from core import audit, formal
from core.clock import now
from core.db import organization_of
from core.errors import NotFound
from core.ids import new_id
from core.mail.message import Mail
from core.models import Act, Alternative, ConsentReceipt, Member, ShownNotice
from core.people import data_links, organizations
from core.queue import JobName, enqueue
from core.settings import settings
from core.words import N_

WORDS: Final = Path(__file__).with_suffix(".toml")


def issue(
    session: Session,
    member: Member,
    act: Act,
    *,
    actor: audit.Actor,
    consents: Sequence[UUID] = (),
    notice: Notice | None = None,
    participation_id: UUID | None = None,
    alternative: Alternative | None = None,
) -> ConsentReceipt:
    """Keep a decision, and owe its person the mail that says where the receipt lies.

    Args:
        session: bound to the organization.
        member: whose decision.
        act: what it was.
        actor: who entered it; the company where that was somebody else.
        consents: the answers that were given, or those that were taken back.
        notice: what was open on the page.
        participation_id: the part of the shoot that asked, where one did.
        alternative: what stands in for a headshot from now on.
    """
    if notice is not None:
        keep(session, notice)
    row = ConsentReceipt(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        member_id=member.id,
        participation_id=participation_id,
        act=act,
        language=notice.language if notice is not None else organizations.spoken(session, member.language),
        consents=list(consents),
        notice_sha256=notice.sha256 if notice is not None else None,
        alternative=alternative,
        by_company=actor.member_id != member.id,
    )
    session.add(row)
    session.flush()
    enqueue(session, JobName.RECEIPT_MAIL, row.id)
    return row


def keep(session: Session, notice: Notice) -> None:
    """Keep a text once; two people who answer it first at the same time keep it once, too."""
    if session.scalar(select(ShownNotice.id).where(ShownNotice.sha256 == notice.sha256)) is not None:
        return
    row = {"id": new_id(), "created_at": now(), "org_id": organization_of(session), "sha256": notice.sha256}
    session.execute(
        insert(ShownNotice)
        .values(**row, content=notice.content.decode())
        .on_conflict_do_nothing(index_elements=["org_id", "sha256"])
    )


def of_person(session: Session, member_id: UUID) -> Sequence[ConsentReceipt]:
    """Return somebody's receipts, newest first."""
    own = select(ConsentReceipt).where(ConsentReceipt.member_id == member_id)
    return session.scalars(own.order_by(ConsentReceipt.id.desc())).all()


def find(session: Session, member_id: UUID, receipt_id: UUID) -> ConsentReceipt:
    """Return one of somebody's receipts.

    Raises:
        NotFound: they have none of this number.
    """
    row = session.get(ConsentReceipt, receipt_id)
    if row is None or row.member_id != member_id:
        raise NotFound(N_("There is no such receipt here."))
    return row


def mail(session: Session, receipt_id: UUID) -> Mail | None:
    """Return the mail that says that a receipt is there; `None` where its person is out of reach by now.

    It tells neither what was decided nor about what: that lies behind the link.
    """
    row = session.get_one(ConsentReceipt, receipt_id)
    member = session.get(Member, row.member_id)
    if member is None or member.erased_at is not None or not member.email:
        return None
    organization = organizations.current(session)
    base = settings().base_url.rstrip("/")
    reachable = data_links.reachable(session, member.id) is not None
    said = formal.chosen(_load(), row.language)
    values = {
        "company": organization.name,
        "at": format_datetime(row.created_at, said["moment"], locale=said["language"]),
        "link": data_links.link_of(member) if reachable else f"{base}/trust/{organization.slug}/data",
    }
    text = said["by_company" if row.by_company else "text"].format(**values)
    letter = plain(member.email, said["subject"].format(**values), text)
    return replace(letter, reply_to=organization.contact_email or None)


@cache
def _load() -> dict[str, Any]:
    return tomllib.loads(WORDS.read_text(encoding="utf-8"))
