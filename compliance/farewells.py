"""Telling somebody that others had them erased: one mail, whose address is destroyed with its sending.

The directory's row and the person's keys end with the press of the button, so the letter lies sealed under a key of its
own from then until it was handed to the mail server, for a day at most. The erasure is certified only after that: the
address is gone by then, and its key with it, whoever was told and whoever could not be.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.ids import new_id
from core.logs import logger
from core.mail.message import Mail
from core.models import Erasure, Farewell, Member
from core.queue import JobName, enqueue
from core.settings import settings
from core.shoots import letters
from core.vault import vault

# A mail server that is down for a night is back by then; the certificate waits as long.
PATIENCE: Final = timedelta(days=1)
NO_ADDRESS: Final = "no_address"
TOO_LATE: Final = "mail_away"


def begin(session: Session, erasure: Erasure, member: Member, receipt: str) -> None:
    """Owe the mail, before the person's address leaves the rows; whoever has none cannot be told, which is noted.

    Args:
        session: bound to the organization.
        erasure: what they are told of; asking again for the same one changes nothing.
        member: who is erased.
        receipt: secret part of the link under which they follow it.
    """
    if of(session, erasure.id) is not None:
        return
    row = Farewell(id=new_id(), org_id=erasure.org_id, created_at=now(), erasure_id=erasure.id)
    session.add(row)
    if not member.email:
        _end(session, row, member, failure=NO_ADDRESS)
        return
    letter = {"to": member.email, "first_name": member.first_name, "receipt": receipt}
    row.sealed = vault().seal_alone(row.id, json.dumps(letter).encode())
    session.flush()
    enqueue(session, JobName.FAREWELL_MAIL, row.id)


def of(session: Session, erasure_id: UUID) -> Farewell | None:
    """Return the farewell of an erasure, if there is one."""
    return session.scalar(select(Farewell).where(Farewell.erasure_id == erasure_id))


def is_over(row: Farewell) -> bool:
    """Whether it is too late for the mail: the certificate has waited long enough."""
    return row.created_at + PATIENCE <= now()


def mail(session: Session, row: Farewell) -> Mail:
    """Return the mail.

    Raises:
        KeyErased: the letter's key is gone, as after a restore.
    """
    assert row.sealed is not None, "what has ended is not written"
    said = json.loads(vault().open_alone(row.id, row.sealed))
    erasure = session.get_one(Erasure, row.erasure_id)
    link = f"{settings().base_url.rstrip('/')}/erased/{said['receipt']}"
    return letters.farewell(
        session, to=said["to"], first_name=said["first_name"], language=erasure.language, link=link
    )


def end(session: Session, row: Farewell, *, failure: str | None = None) -> None:
    """Note that the person was told, or why not, and forget where the mail went; the erasure goes on. Again is fine."""
    if row.ended_at is not None:
        return
    erasure = session.get_one(Erasure, row.erasure_id)
    _end(session, row, session.get_one(Member, erasure.member_id), failure=failure)
    enqueue(session, JobName.ERASE, erasure.id)


def _end(session: Session, row: Farewell, member: Member, *, failure: str | None) -> None:
    row.ended_at, row.sealed, row.failure = now(), None, failure
    row.told_at = row.ended_at if failure is None else None
    tag = audit.Tag.ERASURE_TOLD if failure is None else audit.Tag.ERASURE_UNTOLD
    code = {} if failure is None else {"code": failure}
    audit.record(session, tag, actor=audit.SYSTEM, subject=member, erasure=str(row.erasure_id), **code)
    session.flush()
    key = row.id

    @event.listens_for(session, "after_commit", once=True)
    def destroy(_: Session) -> None:
        try:
            vault().keys.forget([key])
        except Exception as error:  # noqa: BLE001 - the `erase` job, which is owed with this, does it again
            logger().error("farewell_key_left_to_the_job", farewell=str(key), exc_info=error)
