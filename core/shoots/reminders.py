"""No more reminders: the address in every reminder that ends them, and nothing else."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from core import audit
from core.clock import now
from core.errors import NotFound
from core.models import Member, Participation, State
from core.settings import settings
from core.shoots import participations
from core.vault import derive

# Who can still be reminded: also of choosing. Never someone who declined: that answer stands.
REMINDABLE = (
    State.INVITED,
    State.OPENED,
    State.CONSENTED,
    State.UPLOADING,
    State.READY,
    State.EXPIRED,
)
_PROOF_BYTES = (
    16  # of HMAC-SHA256; the shortest that NIST SP 800-107 §5.3.4 has for messages of any kind is 8
)
_TOKEN_BYTES = 2 * 16 + _PROOF_BYTES


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
    who = participation.org_id.bytes + participation.id.bytes
    token = base64.urlsafe_b64encode(who + _proof(who)).decode()
    return f"{settings().base_url.rstrip('/')}/reminders/{token}"


def find(token: str) -> Found:
    """Return whose reminders `token` ends; changes nothing.

    Raises:
        ReminderUnknown: no mail of ours carried it.
    """
    try:
        content = base64.urlsafe_b64decode(token.encode())
    except (binascii.Error, ValueError):
        content = b""
    who, proof = content[:32], content[32:]
    if len(content) != _TOKEN_BYTES or not hmac.compare_digest(proof, _proof(who)):
        raise ReminderUnknown("This address is not complete. Please copy the whole link from the mail.")
    return Found(UUID(bytes=who[:16]), UUID(bytes=who[16:]))


def _proof(who: bytes) -> bytes:
    return hmac.new(derive("reminder addresses"), who, hashlib.sha256).digest()[:_PROOF_BYTES]


def wanted(participation: Participation) -> bool:
    """Whether a reminder may be sent: the person has not finished, declined or asked for no more."""
    return participation.seen_by_company in REMINDABLE and participation.reminders_ended_at is None


def end(session: Session, participation_id: UUID) -> None:
    """Send this person no more reminders of this shoot; ending twice is fine.

    Their link, their data and their rights stay as they are.
    """
    participation = participations.get(session, participation_id, lock=True)
    if participation.reminders_ended_at is None:
        participation.reminders_ended_at = now()
        _record(session, participation, audit.Tag.REMINDERS_ENDED)


def resume(session: Session, participation_id: UUID) -> None:
    """Allow reminders again; doing so twice is fine."""
    participation = participations.get(session, participation_id, lock=True)
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
