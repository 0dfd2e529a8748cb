"""No more reminders: the address in every reminder that ends them, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import Gone, NotFound
from core.models import Member, Participation, State
from core.settings import settings
from core.shoots import addresses, participations

# Who can still be reminded: also of choosing. Never someone who declined: that answer stands.
REMINDABLE = (
    State.INVITED,
    State.OPENED,
    State.CONSENTED,
    State.UPLOADING,
    State.READY,
    State.EXPIRED,
)
_PURPOSE = "reminder addresses"


class ReminderUnknown(NotFound):
    """No reminder carried this address."""

    code = "reminder_unknown"


@dataclass(frozen=True)
class Found:
    """Whose reminders an address ends."""

    org_id: UUID
    participation_id: UUID


def link_of(participation: Participation) -> str:
    """Return the address that ends the reminders of one person in one shoot; it signs nobody in.

    It outlives every invitation link, so that an old reminder still works.
    """
    token = addresses.token_of(_PURPOSE, participation.org_id, participation.id)
    return f"{settings().base_url.rstrip('/')}/reminders/{token}"


def find(token: str) -> Found:
    """Return whose reminders `token` ends; changes nothing.

    Raises:
        ReminderUnknown: no mail of ours carried it.
    """
    found = addresses.find(_PURPOSE, token)
    if found is None:
        raise ReminderUnknown("This address is not complete. Please copy the whole link from the mail.")
    return Found(*found)


def wanted(participation: Participation) -> bool:
    """Whether a reminder may be sent: the person has not finished, declined or asked for no more."""
    return participation.seen_by_company in REMINDABLE and participation.reminders_ended_at is None


def about(session: Session, participation_id: UUID, *, lock: bool = False) -> Participation:
    """Return whose reminders these are; with `lock` after locking the person.

    Raises:
        Gone: the person was erased, so there is nothing to remind them of.
    """
    participation = participations.get(session, participation_id, lock=lock)
    if participation.state == State.ERASED:
        raise Gone("Everything about you has been erased, so this link leads nowhere any more.")
    return participation


def end(session: Session, participation_id: UUID) -> None:
    """Send this person no more reminders of this shoot; ending twice is fine.

    Their link, their data and their rights stay as they are.

    Raises:
        Gone: the person was erased.
    """
    participation = about(session, participation_id, lock=True)
    if participation.reminders_ended_at is None:
        participation.reminders_ended_at = now()
        _record(session, participation, audit.Tag.REMINDERS_ENDED)


def resume(session: Session, participation_id: UUID) -> None:
    """Allow reminders again; doing so twice is fine.

    Raises:
        Gone: the person was erased.
    """
    participation = about(session, participation_id, lock=True)
    if participation.reminders_ended_at is not None:
        participation.reminders_ended_at = None
        _record(session, participation, audit.Tag.REMINDERS_RESUMED)


def _record(session: Session, participation: Participation, tag: audit.Tag) -> None:
    member = session.get_one(Member, participation.member_id)
    audit.record(
        session,
        tag,
        actor=audit.actor_for(member),
        subject=member,
        participation=str(participation.id),
    )
