"""A person's address corrected, and what was meant for them sent there."""

from __future__ import annotations

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from core import audit, locks
from core.clock import now
from core.errors import Conflict, InvalidInput
from core.models import Invite, Member, Participation, Shoot, SignInMethod, WebSession
from core.people import addresses, members
from core.settings import settings
from core.shoots import invites, reminders
from core.words import N_


class AddressTaken(Conflict):
    """Somebody else of the company has this address."""

    code = "address_taken"


class AddressUnusable(InvalidInput):
    """No mail can go to this address, or it is the one that is known already."""

    code = "address_unusable"


def correct(session: Session, member: Member, typed: str, *, actor: audit.Actor) -> int:
    """Give a person another address, and send what was meant for them there; return how many mails.

    Whoever reads the mailbox before loses every link of theirs and is signed out, since it may never have been the
    person's. Invitations of open shoots that waited for an answer are sent anew; nobody who answered is asked again.

    Raises:
        AddressUnusable: it is no address, or the one that is known.
        AddressTaken: somebody else has it.
    """
    address = _checked(typed)
    locks.person(session, member.id)
    if addresses.canonical(address) == addresses.canonical(member.email or ""):
        raise AddressUnusable(
            N_("This is the address that is known already. Nothing was changed."), field="email"
        )
    other = members.by_email(session, address)
    if other is not None and other.id != member.id:
        raise AddressTaken(N_("Somebody else of your company has this address. Nothing was changed."))
    waiting = session.execute(
        select(Participation, Shoot)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(
            Participation.member_id == member.id,
            Participation.state.in_(reminders.REMINDABLE),
            Shoot.closed_at.is_(None),
            ~invites.withdrawn(),
        )
    ).all()
    member.email = addresses.folded(address)
    _end_links(session, member)
    audit.record(session, audit.Tag.MEMBER_ADDRESS_CORRECTED, actor=actor, subject=member)
    reachable = member.disabled_at is None and member.restricted_at is None
    for participation, shoot in waiting if reachable else ():
        invites.create_all(session, shoot, [participation], actor=actor)
    return len(waiting) if reachable else 0


def _checked(typed: str) -> str:
    try:
        found = validate_email(
            typed.strip(), check_deliverability=False, test_environment=not settings().is_production
        )
    except EmailNotValidError:
        found = None
    if found is None or found.smtputf8:
        raise AddressUnusable(
            N_("Please give a complete email address, like ada@example.com."), field="email"
        )
    return f"{found.local_part}@{found.ascii_domain}"


def _end_links(session: Session, member: Member) -> None:
    moment = now()
    member.links_ended_at = moment
    session.execute(
        update(Invite)
        .where(Invite.member_id == member.id, Invite.revoked_at.is_(None))
        .values(revoked_at=moment)
    )
    session.execute(
        update(WebSession)
        .where(
            WebSession.member_id == member.id,
            WebSession.method != SignInMethod.SAML,
            WebSession.ended_at.is_(None),
        )
        .values(ended_at=moment)
    )
    session.flush()
