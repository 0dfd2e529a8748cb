"""Who is signed in: sessions on the server, found by a hashed token, ended at any time."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import locks
from core.audit import Actor, actor_for
from core.clock import now
from core.db import Lookup, organization_of, transaction
from core.errors import Gone
from core.ids import new_id
from core.models import App, Member, Participation, Role, SignInMethod, WebSession
from core.people import organizations
from core.settings import settings

# Writing `seen_at` on every request would make each read a write; once a minute is exact enough.
SEEN_EVERY = timedelta(minutes=1)


class AccessOver(Gone):
    """The person was erased or switched off before a session of theirs could begin."""

    code = "access_over"


@dataclass(frozen=True)
class SignedIn:
    """Who makes a request. Fits Flask-Login's idea of a user."""

    session_id: UUID
    org_id: UUID
    member_id: UUID
    participation_id: UUID | None  # what an address without a shoot means: the first opened here
    role: Role
    method: SignInMethod
    language: str
    formal: bool  # whether their company says "Sie" in German
    actor: Actor

    is_authenticated = True
    is_active = True
    is_anonymous = False

    def get_id(self) -> str:
        """Return the session's id; the secret token never leaves the cookie."""
        return str(self.session_id)


def start(
    session: Session,
    member: Member,
    method: SignInMethod,
    *,
    participation: Participation | None = None,
    saml_session_index: str | None = None,
    not_after: datetime | None = None,
) -> str:
    """Start a session for `member`; return its token (256 bits), which only the browser keeps.

    It opens the one app that `method` leads to. A session that began with the link of a shoot stays in that shoot.
    It ends at `not_after`, where the identity provider says so and our own limit is later, and in the company's pages
    with the day until which the person may enter them.

    The person is locked: whoever ends all of their sessions does so before, and then none begins, or afterwards,
    and then this one ends too. What led here, such as a link, is to be checked behind the same lock.

    Raises:
        AccessOver: the person was erased or switched off, or their time in the company's pages is over.
    """
    locks.person(session, member.id)
    if member.erased_at is not None or member.disabled_at is not None:
        raise AccessOver("Your access has ended, so nobody can sign in with it any more.")
    token = secrets.token_urlsafe(32)
    moment = now()
    ends = [moment + timedelta(hours=settings().session_hours)]
    if not_after is not None:
        ends.append(not_after)
    if method.opens is App.ADMIN and member.access_until is not None:
        if member.access_until <= moment:
            raise AccessOver(
                "Your access ended on the day that was set for it. Ask your company’s HR for more time."
            )
        ends.append(member.access_until)
    session.add(
        WebSession(
            id=new_id(),
            org_id=organization_of(session),
            created_at=moment,
            member_id=member.id,
            participation_id=participation.id if participation else None,
            token_sha256=hashlib.sha256(token.encode()).digest(),
            method=method,
            app=method.opens,
            saml_session_index=saml_session_index,
            seen_at=moment,
            expires_at=min(ends),
        )
    )
    session.flush()
    return token


def find(token: str, app: App) -> SignedIn | None:
    """Return who the token belongs to, or `None` if the session ended, expired, never was or opens another app."""
    found = Lookup.session(hashlib.sha256(token.encode()).digest(), app)
    if found is None:
        return None
    org_id, session_id = found
    with transaction(org_id) as session:
        row = session.get(WebSession, session_id)
        if row is None or row.ended_at is not None:
            return None
        if row.app != app or SignInMethod(row.method).opens is not app:
            return None
        moment = now()
        if moment >= row.expires_at or moment - row.seen_at > timedelta(
            minutes=settings().session_idle_minutes
        ):
            return None
        member = session.get(Member, row.member_id)
        if member is None or member.erased_at is not None or member.disabled_at is not None:
            return None
        if moment - row.seen_at > SEEN_EVERY:
            row.seen_at = moment
        return SignedIn(
            session_id=row.id,
            org_id=org_id,
            member_id=member.id,
            participation_id=row.participation_id,
            role=Role(member.role),
            method=SignInMethod(row.method),
            language=member.language,
            formal=organizations.current(session).formal_german,
            actor=actor_for(member),
        )


def row_of(session: Session, token: str) -> WebSession:
    """Return the row of a session that has just begun."""
    digest = hashlib.sha256(token.encode()).digest()
    return session.execute(select(WebSession).where(WebSession.token_sha256 == digest)).scalar_one()


def end(session: Session, session_id: UUID) -> None:
    """End one session."""
    session.execute(
        update(WebSession)
        .where(WebSession.id == session_id, WebSession.ended_at.is_(None))
        .values(ended_at=now())
    )


def end_everybodys(session: Session) -> None:
    """End every session of the organization: after a restore, which may have brought back what somebody had ended."""
    session.execute(update(WebSession).where(WebSession.ended_at.is_(None)).values(ended_at=now()))


def end_by(session: Session, member_id: UUID, until: datetime) -> None:
    """Let no session of a member in the company's pages last longer than `until`."""
    session.execute(
        update(WebSession)
        .where(
            WebSession.member_id == member_id,
            WebSession.app == App.ADMIN,
            WebSession.ended_at.is_(None),
            WebSession.expires_at > until,
        )
        .values(expires_at=until)
    )


def end_all(session: Session, member_id: UUID, app: App | None = None) -> None:
    """End every session of a member, or those of one app: on erasure, deprovisioning, or a stolen device."""
    theirs = update(WebSession).where(WebSession.member_id == member_id, WebSession.ended_at.is_(None))
    if app is not None:
        theirs = theirs.where(WebSession.app == app)
    session.execute(theirs.values(ended_at=now()))
