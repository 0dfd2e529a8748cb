"""On which devices a person's links were opened; the mail about a new one, and the way to shut everybody out.

A link is forwarded, or lies where others read. Whoever opens it where the person never was is named in a mail
to the address that the link went to, and an address in that mail ends all links and brings new ones.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.errors import Gone, NotFound
from core.models import Invite, Member, Participation, Shoot, SignInMethod, WebSession
from core.people import access, sessions
from core.queue import JobName, enqueue
from core.settings import settings
from core.shoots import addresses, invites

MOST_MAILS_AN_HOUR: Final = 5  # to one person: whoever holds a link cannot fill a mailbox
MOST_NAMED: Final = 3  # earlier devices in one mail
# Words of a browser's `User-Agent`, the telling ones first: an Android phone says Linux too.
SYSTEMS: Final = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "CrOS": "ChromeOS",
    "Windows": "Windows",
    "Macintosh": "Mac",
    "Linux": "Linux",
}
_PURPOSE: Final = "device addresses"


class DeviceUnknown(NotFound):
    """No mail about a device carried this address."""

    code = "device_unknown"


@dataclass(frozen=True)
class Found:
    """Which session a mail was about."""

    org_id: UUID
    session_id: UUID


def arrive(session: Session, row: WebSession, *, secret: str, agent: str) -> None:
    """Note on which device a link's session began; owe its person a mail if they never used that one.

    The first device of all is no news. Should that have been a stranger's, the mail about the person's own
    names it.

    Args:
        session: bound to the organization.
        row: the session that has just begun.
        secret: what this device's browser keeps, whoever uses it.
        agent: its `User-Agent`; only the kind of its system is kept.
    """
    row.device_sha256 = hashlib.sha256(secret.encode() + row.member_id.bytes).digest()
    row.system = next((name for word, name in SYSTEMS.items() if word in agent), None)
    session.flush()
    earlier = _openings(row)
    known = earlier.where(WebSession.device_sha256 == row.device_sha256)
    if session.scalar(select(earlier.exists())) and not session.scalar(select(known.exists())):
        _tell(session, row)


def disown(session: Session, session_id: UUID) -> bool:
    """End a session whose user says that they are somebody else, tell the person whose link it was, and return whether.

    One that has ended meanwhile, with its person's erasure too, is no news; nor is one that a mail was about already.
    """
    row = session.get_one(WebSession, session_id)
    locks.person(session, row.member_id)
    if row.ended_at is not None:
        return False
    row.disowned_at = now()
    sessions.end(session, session_id)
    is_told = _tell(session, row)
    member = session.get_one(Member, row.member_id)
    audit.record(session, audit.Tag.SIGNED_OUT, actor=audit.actor_for(member), subject=member, disowned=True)
    return is_told


def _tell(session: Session, row: WebSession) -> bool:
    recently = select(func.count()).where(
        WebSession.member_id == row.member_id, WebSession.told_at > now() - timedelta(hours=1)
    )
    if row.told_at is None and (session.scalar(recently) or 0) < MOST_MAILS_AN_HOUR:
        row.told_at = now()
        enqueue(session, JobName.DEVICE_MAIL, row.id)
        return True
    return False


def _openings(row: WebSession) -> Select[WebSession]:
    """Return the question for the sessions that links of the same person began before."""
    return select(WebSession).where(
        WebSession.member_id == row.member_id,
        WebSession.method.in_((SignInMethod.INVITE, SignInMethod.DATA)),
        WebSession.id < row.id,
    )


def before(session: Session, row: WebSession) -> list[WebSession]:
    """Return where links of the same person were opened first on each other device, latest first."""
    others = _openings(row).where(
        WebSession.device_sha256.is_not(None), WebSession.device_sha256 != row.device_sha256
    )
    firsts: dict[bytes | None, WebSession] = {}
    for one in session.scalars(others.order_by(WebSession.id)):
        firsts.setdefault(one.device_sha256, one)
    return list(reversed(firsts.values()))[:MOST_NAMED]


def link_of(row: WebSession) -> str:
    """Return the address with which the person shuts out whoever opened their links; it signs nobody in."""
    token = addresses.token_of(_PURPOSE, row.org_id, row.id)
    return f"{settings().base_url.rstrip('/')}/not-me/{token}"


def find(token: str) -> Found:
    """Return which session the mail with `token` was about; changes nothing.

    Raises:
        DeviceUnknown: no mail of ours carried it.
    """
    found = addresses.find(_PURPOSE, token)
    if found is None:
        raise DeviceUnknown("This address is not complete. Please copy the whole link from the mail.")
    return Found(*found)


def is_shut_out(session: Session, session_id: UUID) -> bool:
    """Whether this was answered: the device is forgotten, and every link of that time has ended.

    Raises:
        Gone: the person was erased, or may not come in any more, so that no link leads anywhere.
    """
    row = session.get_one(WebSession, session_id)
    member = session.get_one(Member, row.member_id)
    if member.erased_at is not None or member.disabled_at is not None:
        raise Gone("Every link of yours has ended already, so nobody comes in with one.")
    return row.device_sha256 is None


def shut_out(session: Session, session_id: UUID) -> None:
    """End every session and link of the person, and mail new links of the shoots that are open.

    Doing so twice with one mail does nothing more.

    Raises:
        Gone: there is nothing to end.
    """
    row = session.get_one(WebSession, session_id)
    locks.person(session, row.member_id)
    session.refresh(row)
    if is_shut_out(session, session_id):
        return
    member = session.get_one(Member, row.member_id)
    _forget(session, member.id)
    live = session.execute(
        select(Participation, Shoot)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(
            Participation.member_id == member.id,
            Shoot.closed_at.is_(None),
            select(Invite.id)
            .where(Invite.participation_id == Participation.id, Invite.revoked_at.is_(None))
            .exists(),
        )
    ).all()
    access.end_all(session, member)
    actor = audit.actor_for(member)
    for participation, shoot in live:
        (invite,) = invites.create_all(session, shoot, [participation], actor=actor)
        audit.record(session, audit.Tag.INVITE_RENEWED, actor=actor, subject=member, invite=str(invite.id))


def _forget(session: Session, member_id: UUID) -> None:
    """Know none of the person's devices any more."""
    session.execute(
        update(WebSession).where(WebSession.member_id == member_id).values(device_sha256=None, system=None)
    )
