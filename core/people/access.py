"""Who may come in: a person's access switched off and on, and the rule that somebody can always manage."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import end_of_day, now
from core.db import organization_of
from core.errors import Conflict, InvalidInput
from core.models import App, Invite, Member, Organization, Role
from core.people import sessions
from core.words import N_

STAFF = (Role.OWNER, Role.HR_ADMIN)


class LastAdmin(Conflict):
    """Without this person nobody could manage the organization."""

    code = "last_admin"


class OwnTime(Conflict):
    """Nobody gives themselves more time than others gave them."""

    code = "own_time"


def keep_an_admin(session: Session, member: Member) -> None:
    """Do nothing if somebody else can manage the organization without `member`, who is about to go, and for good.

    Two admins who take each other out at the same time follow each other here: the organization's row is
    locked until the transaction ends, before any person's.

    Raises:
        LastAdmin: there is nobody else.
    """
    session.execute(
        select(Organization.id)
        .where(Organization.id == organization_of(session))
        .with_for_update(key_share=True)
    )
    session.refresh(member)  # what went before us may have changed it
    if member.role not in STAFF or member.disabled_at is not None or member.erased_at is not None:
        return
    others = select(Member.id).where(
        Member.id != member.id,
        Member.role.in_(STAFF),
        Member.erased_at.is_(None),
        Member.disabled_at.is_(None),
        Member.access_until.is_(None),  # after the day that is set for somebody, they manage nothing
    )
    if session.scalar(others.limit(1)) is None:
        raise LastAdmin("This is your company's last admin. Appoint another one first. Nothing was changed.")


def is_over(member: Member) -> bool:
    """Whether a person enters the company's pages no more: erased, switched off, or after the day that was set."""
    until = member.access_until
    return (
        member.erased_at is not None
        or member.disabled_at is not None
        or (until is not None and until <= now())
    )


def comes_in() -> ColumnElement[bool]:
    """Return the condition that a person who has a role there enters the company's pages."""
    return (
        Member.erased_at.is_(None)
        & Member.disabled_at.is_(None)
        & (Member.access_until.is_(None) | (Member.access_until > now()))
    )


def end_all(session: Session, member: Member) -> None:
    """End every session and every link of a person; what is mailed to them afterwards works."""
    sessions.end_all(session, member.id)
    _end_links(session, member)


def end_what_was_mailed(session: Session, member: Member) -> None:
    """End every link that was mailed to a person, and every session that began with one: the address was not theirs."""
    sessions.end_all(session, member.id, App.PORTAL)
    _end_links(session, member)


def _end_links(session: Session, member: Member) -> None:
    member.links_ended_at = now()
    session.execute(
        update(Invite)
        .where(Invite.member_id == member.id, Invite.revoked_at.is_(None))
        .values(revoked_at=member.links_ended_at)
    )
    session.flush()


def disable(session: Session, member: Member, *, actor: audit.Actor) -> None:
    """Switch off a person's access: every session and link of theirs ends, and no sign-in begins one.

    Nothing of theirs is deleted. Switching off twice does nothing.

    Raises:
        LastAdmin: nobody else can manage the organization.
    """
    keep_an_admin(session, member)
    locks.person(session, member.id)
    if member.disabled_at is not None:
        return
    member.disabled_at = now()
    end_all(session, member)
    audit.record(session, audit.Tag.MEMBER_DISABLED, actor=actor, subject=member)


def limit(session: Session, member: Member, last_day: date | None, *, actor: audit.Actor) -> None:
    """Let a person enter the company's pages until the end of a day (UTC) and no longer; `None` takes the end away.

    An auditor's time is over by itself then. What is about themselves stays open to them, as to everybody.

    Raises:
        InvalidInput: the day is over.
        LastAdmin: nobody else could manage the organization afterwards.
        OwnTime: it is one's own day, and a later one.
    """
    until = end_of_day(last_day) if last_day is not None else None
    if until is not None:
        if until <= now():
            raise InvalidInput(
                N_("That day is over. Switch access off instead, or choose a later day."), field="last_day"
            )
        keep_an_admin(session, member)
    locks.person(session, member.id)
    if member.access_until == until:
        return
    before = member.access_until
    if actor.member_id == member.id and before is not None and (until is None or until > before):
        raise OwnTime(N_("Somebody else of your company has to give you more time. Nothing was changed."))
    member.access_until = until
    session.flush()
    if until is not None:
        sessions.end_by(session, member.id, until)
    audit.record(
        session,
        audit.Tag.MEMBER_ACCESS_LIMITED,
        actor=actor,
        subject=member,
        until=last_day.isoformat() if last_day else "",
    )


def enable(session: Session, member: Member, *, actor: audit.Actor) -> None:
    """Let a person in again; their old links and sessions stay ended. Switching on twice does nothing."""
    locks.person(session, member.id)
    if member.disabled_at is None:
        return
    member.disabled_at = None
    session.flush()
    audit.record(session, audit.Tag.MEMBER_ENABLED, actor=actor, subject=member)
