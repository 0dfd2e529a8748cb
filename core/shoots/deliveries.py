"""How it stands with the mails about a shoot: owed, handed over, or come back. The one writer of `mail_state`.

What is said of a mail was answered by a mail server, or stood in a report with that mail's own sign. No picture in a mail
tells anybody that it was read.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.db import Lookup, organization_of, transaction
from core.logs import logger
from core.mail.returns import Report
from core.models import Delivery, MailKind, MailState, Member, Participation, Teller

REFUSED: Final = "mail_refused"  # how the code of refused work begins; the answer's own follows


@dataclass(frozen=True)
class Bounce:
    """The newest mail to somebody, which reached nobody; `status` as in `Delivery`."""

    status: str


def queued(participations: Sequence[Participation]) -> None:
    """Note that a mail to each is owed."""
    for one in participations:
        one.mail_state = MailState.QUEUED


def sent(session: Session, delivery_id: UUID, participation_id: UUID, kind: MailKind) -> None:
    """Note that the mail server took a mail; the caller has locked its person."""
    _row(session, delivery_id, participation_id, kind).sent_at = now()
    session.get_one(Participation, participation_id).mail_state = MailState.SENT


def unsent(
    session: Session, delivery_id: UUID, participation_id: UUID, kind: MailKind, code: str = ""
) -> None:
    """Note that a mail which was owed does not leave: it was refused, or nobody needs it any more.

    The caller has locked its person.

    Args:
        session: bound to the organization.
        delivery_id: the mail's.
        participation_id: whose.
        kind: what it was for.
        code: why it was given up, if it was.
    """
    participation = session.get_one(Participation, participation_id)
    if code.startswith(REFUSED):
        row = _row(session, delivery_id, participation_id, kind)
        row.bounced_at, row.told_by = now(), Teller.SERVER
        row.status = code.removeprefix(REFUSED).lstrip("_") or None
        participation.mail_state = MailState.BOUNCED
        return
    newest = _newest(session, participation_id)
    participation.mail_state = _state_of(newest) if newest is not None else None


def apply(report: Report, teller: Teller) -> bool:
    """Note what a report says, in a transaction of its own; return whether its mail is known.

    A mail is known once the work that sent it has ended, which may be a moment after the report.
    """
    org_id = Lookup.delivery(report.mail_id)
    if org_id is None:
        return False
    if report.failed:
        with transaction(org_id) as session:
            _bounced(session, report, teller)
    return True


def _bounced(session: Session, report: Report, teller: Teller) -> None:
    member_id = session.get_one(Delivery, report.mail_id).member_id
    locks.person(session, member_id)
    row = session.get_one(Delivery, report.mail_id, populate_existing=True)
    member = session.get_one(Member, member_id)
    if row.bounced_at is not None or member.erased_at is not None:
        return
    row.bounced_at, row.status, row.told_by = now(), report.status[:16], teller
    participation = session.get_one(Participation, row.participation_id)
    newest = _newest(session, participation.id)
    # Of an older mail nothing follows: a newer one waits, or has left, perhaps to another address.
    if participation.mail_state == MailState.SENT and newest is not None and newest.id == row.id:
        participation.mail_state = MailState.BOUNCED
    audit.record(
        session,
        audit.Tag.MAIL_BOUNCED,
        actor=audit.SYSTEM,
        subject=member,
        mail=str(row.id),
        status=row.status,
        told_by=teller.value,
    )
    logger().info("mail_bounced", code=row.status)


def bounces(session: Session, participation_ids: Collection[UUID]) -> dict[UUID, Bounce]:
    """Return for each of these people whose newest mail reached nobody why; the others are left out."""
    rows = session.scalars(
        select(Delivery)
        .join(Participation, Participation.id == Delivery.participation_id)
        .where(
            Participation.id.in_(participation_ids),
            Participation.mail_state == MailState.BOUNCED,
            Delivery.bounced_at.is_not(None),
        )
        .order_by(Delivery.id)
    )
    return {row.participation_id: Bounce(row.status or "") for row in rows}


def of_member(session: Session, member_id: UUID) -> dict[UUID, list[Delivery]]:
    """Return the mails about each shoot of a person, the newest first, by participation."""
    rows = session.scalars(
        select(Delivery)
        .join(Participation, Participation.id == Delivery.participation_id)
        .where(Participation.member_id == member_id)
        .order_by(Delivery.id.desc())
    )
    found: dict[UUID, list[Delivery]] = {}
    for row in rows:
        found.setdefault(row.participation_id, []).append(row)
    return found


def _row(session: Session, delivery_id: UUID, participation_id: UUID, kind: MailKind) -> Delivery:
    """Return a mail's row; a mail that is tried again after it was refused has one."""
    row = session.get(Delivery, delivery_id)
    if row is None:
        participation = session.get_one(Participation, participation_id)
        row = Delivery(
            id=delivery_id,
            org_id=organization_of(session),
            participation_id=participation_id,
            member_id=participation.member_id,
            kind=kind,
        )
        session.add(row)
    row.bounced_at = row.status = row.told_by = None
    return row


def _newest(session: Session, participation_id: UUID) -> Delivery | None:
    return session.scalar(
        select(Delivery)
        .where(Delivery.participation_id == participation_id)
        .order_by(Delivery.id.desc())
        .limit(1)
    )


def _state_of(row: Delivery) -> MailState:
    return MailState.BOUNCED if row.bounced_at is not None else MailState.SENT
