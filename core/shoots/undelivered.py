"""Mails that did not reach somebody yet, or never will: told to HR, who can have them tried again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, CompoundSelect, Uuid, any_, func, literal, select, union
from sqlalchemy.orm import Session

from core import owed
from core.errors import Conflict
from core.models import Invite, MailState, Outbox, Participation, State
from core.queue import JobName

_FAILING = (Outbox.first_failed_at.is_not(None), Outbox.done_at.is_(None))
# Invitations and reminders that could not be sent, of links that still lead somewhere.
_INVITATIONS: Final = (
    select(Invite.participation_id, Outbox)
    .join(Outbox, (Outbox.subject_id == Invite.id) & (Outbox.job == JobName.INVITE_MAIL))
    .where(*_FAILING, Invite.sent_at.is_(None), Invite.revoked_at.is_(None))
)
# Mails about headshots that wait, to people who have not come by themselves.
_READY: Final = (
    select(Participation.id, Outbox)
    .join(Outbox, (Outbox.subject_id == Participation.id) & (Outbox.job == JobName.READY_MAIL))
    .where(*_FAILING, Participation.state == State.READY)
)
# Mails that ask for another picture, to people who have not chosen one since.
_AGAIN: Final = (
    select(Participation.id, Outbox)
    .join(Outbox, (Outbox.subject_id == Participation.id) & (Outbox.job == JobName.AGAIN_MAIL))
    .where(*_FAILING, Participation.state == State.UPLOADING, Participation.chosen_headshot_id.is_(None))
)


class NothingUndelivered(Conflict):
    """No mail to this person waits or has failed; it may have left a moment ago."""

    code = "nothing_undelivered"


@dataclass(frozen=True)
class Undelivered:
    """A mail that has not left.

    Attributes:
        outbox_id: the work that sends it.
        code: why not; stable.
        final: it is not tried again by itself.
        since: when it first could not be sent.
    """

    outbox_id: UUID
    code: str
    final: bool
    since: datetime


def of(session: Session, participation_ids: Collection[UUID]) -> dict[UUID, Undelivered]:
    """Return for each of these participations the newest mail that did not leave; those whose mails did are left out."""
    these = literal(list(participation_ids), ARRAY(Uuid))
    questions = (
        _INVITATIONS.where(Invite.participation_id == any_(these)),
        _READY.where(Participation.id == any_(these)),
        _AGAIN.where(Participation.id == any_(these)),
    )
    rows = [(one, row) for question in questions for one, row in session.execute(question)]
    return {
        one: Undelivered(row.id, row.error_code or "", row.failed_at is not None, row.first_failed_at)
        for one, row in sorted(rows, key=lambda found: found[1].id)
        if row.first_failed_at is not None
    }


def unreached() -> CompoundSelect[UUID]:
    """Ask for the participations whose person a mail did not reach."""
    return union(
        _INVITATIONS.with_only_columns(Invite.participation_id),
        _READY.with_only_columns(Participation.id),
        _AGAIN.with_only_columns(Participation.id),
    )


def counts(session: Session, shoot_ids: Collection[UUID]) -> dict[UUID, int]:
    """Return for each of these shoots to how many people a mail has not left; a shoot without any is left out."""
    rows = session.execute(
        select(Participation.shoot_id, func.count())
        .where(
            Participation.shoot_id.in_(shoot_ids),
            Participation.id.in_(unreached()),
            Participation.mail_state.is_distinct_from(MailState.BOUNCED),  # counted as that
        )
        .group_by(Participation.shoot_id)
    )
    return {row[0]: row[1] for row in rows}


def send_again(session: Session, participation: Participation) -> None:
    """Have the mail that did not reach somebody tried again now, with the link that it has.

    Raises:
        NothingUndelivered: there is none.
    """
    found = of(session, [participation.id]).get(participation.id)
    row = (
        session.get(Outbox, found.outbox_id, with_for_update={"key_share": True}, populate_existing=True)
        if found
        else None
    )
    if row is None or row.done_at is not None:
        raise NothingUndelivered("Every mail to this person has left.")
    owed.take_up(session, row)
