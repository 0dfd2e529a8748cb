"""A link to "your data" that people ask for by mail: it works whatever became of shoots and invitations.

As long as anything is held about somebody, their rights outlive the invitation that brought them here.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import locks, tokens
from core.clock import now
from core.errors import Gone, NotFound
from core.ids import new_id
from core.models import Member, Participation
from core.people import members
from core.queue import JobName, enqueue
from core.settings import settings
from core.vault import derive

VALID = timedelta(hours=24)
_PROOF_BYTES = 32  # HMAC-SHA256, whole: the link signs in
_TOKEN_BYTES = 2 * 16 + 4 + _PROOF_BYTES


class DataLinkUnknown(NotFound):
    """No mail of ours carried this link."""

    code = "data_link_unknown"


class DataLinkOver(Gone):
    """Its time is over, or the person has no access any more."""

    code = "data_link_over"


@dataclass(frozen=True)
class Found:
    """What a link says; believed by `open_with` alone."""

    org_id: UUID
    member_id: UUID
    until: datetime
    proof: bytes


def ask(session: Session, email: str) -> None:
    """Owe a link to whoever has this address in the session's organization.

    The same is written where nobody has it, so that neither the answer nor its time tells who is known here.
    """
    member = members.by_email(session, email)
    enqueue(session, JobName.DATA_MAIL, member.id if member else new_id())


def reachable(session: Session, member_id: UUID) -> Member | None:
    """Return the person if there is something to see and they may see it by mail.

    None for somebody unknown or erased, who was never in a shoot, or whose access the company switched off.
    """
    member = session.get(Member, member_id)
    if member is None or member.erased_at is not None or member.disabled_at is not None or not member.email:
        return None
    taken_part = select(Participation.id).where(Participation.member_id == member_id).limit(1)
    return member if session.scalar(taken_part) is not None else None


def link_of(member: Member) -> str:
    """Return a link for somebody who is `reachable`: it works for `VALID`, and while they have this address."""
    until = int((now() + VALID).timestamp())
    who = member.org_id.bytes + member.id.bytes + until.to_bytes(4)
    token = tokens.encode(who + _proof(who, member))
    return f"{settings().base_url.rstrip('/')}/your-data/{token}"


def find(token: str) -> Found:
    """Return what `token` says; changes nothing, so link scanners may prefetch.

    Raises:
        DataLinkUnknown: it is no token at all.
    """
    content = tokens.decode(token)
    if content is None or len(content) != _TOKEN_BYTES:
        raise _unknown()
    until = datetime.fromtimestamp(int.from_bytes(content[32:36]), UTC)
    return Found(UUID(bytes=content[:16]), UUID(bytes=content[16:32]), until, content[36:])


def open_with(session: Session, found: Found, *, lock: bool = False) -> Member:
    """Return whose data a link opens; with `lock` after locking the person, so that nobody ends it meanwhile.

    Raises:
        DataLinkUnknown: we never wrote it, the person has another address or ended it, or was erased.
        DataLinkOver: it does not work any more; a new one can be asked for.
    """
    if lock:
        locks.person(session, open_with(session, found).id)  # nobody is locked for a link that we never wrote
    member = session.get(Member, found.member_id)
    if member is None or member.erased_at is not None or not member.email:
        raise _unknown()
    who = found.org_id.bytes + found.member_id.bytes + int(found.until.timestamp()).to_bytes(4)
    if not hmac.compare_digest(found.proof, _proof(who, member)):
        raise _unknown()
    if found.until <= now() or reachable(session, member.id) is None:
        raise DataLinkOver("This link has expired. Nothing is lost: ask for a new one.")
    return member


def _unknown() -> DataLinkUnknown:
    return DataLinkUnknown(
        "This link is not complete, or leads nowhere any more. Please copy the whole link from the newest mail."
    )


def _proof(who: bytes, member: Member) -> bytes:
    """Bind a link to its address too, and to the last time that the person ended all their links."""
    assert member.email
    ended = member.links_ended_at.isoformat() if member.links_ended_at else ""
    bound_to = f"{member.email.strip().lower()} {ended}".encode()
    return hmac.new(derive("links to one's data"), who + bound_to, hashlib.sha256).digest()
