"""One person, by hand: added and invited, or corrected, with links that follow the address."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from core import audit, locks
from core.errors import Conflict
from core.models import Invite, Member, Participation, Shoot
from core.people import facts, members, organizations
from core.people.facts import Fact, Facts, FactTaken
from core.shoots import invites, shoots
from core.shoots.reminders import REMINDABLE
from core.words import N_


class NotInvitable(Conflict):
    """They are in the shoot already, or nothing may be mailed to them."""

    code = "not_invitable"


def add(
    session: Session,
    wanted: Facts,
    *,
    shoot: Shoot | None,
    actor: audit.Actor,
    tag: audit.Tag = audit.Tag.MEMBER_IMPORTED,
) -> Member:
    """Add one person, and invite them where a shoot is given.

    Args:
        session: bound to the organization.
        wanted: what is known of them.
        shoot: to invite them to, locked by the caller.
        actor: who does it.
        tag: how they come in, for the log.

    Raises:
        FactTaken: the company has somebody with this address or employee ID.
        ShootClosed: nobody can be invited any more.
    """
    if shoot is not None:
        shoots.open_or_refuse(shoot)
    email, number = wanted[Fact.EMAIL], wanted.get(Fact.EMPLOYEE_ID)
    if email and members.by_email(session, email) is not None:
        raise FactTaken(
            N_("This person is in your company already: find them by their address."), field=Fact.EMAIL
        )
    if number and members.by_employee_id(session, number) is not None:
        raise FactTaken(N_("Somebody else of your company has this employee ID."), field=Fact.EMPLOYEE_ID)
    person = facts.new(wanted, language=organizations.current(session).language)
    try:
        (member,) = members.add(session, [person], actor=actor, tag=tag)
    except IntegrityError as error:
        raise FactTaken(N_("Somebody added this person at this very moment.")) from error
    if shoot is not None:
        invites.join(session, shoot, [member], actor=actor)
    return member


def can_be_mailed(member: Member) -> bool:
    """Whether links are mailed to somebody: not after erasure, without access, or while their data is restricted."""
    return member.disabled_at is None and member.restricted_at is None and member.erased_at is None


def invitable_to(session: Session, member: Member) -> list[Shoot]:
    """Return the open shoots that a person is not in; none for somebody who cannot be mailed."""
    if not can_be_mailed(member):
        return []
    theirs = select(Participation.shoot_id).where(Participation.member_id == member.id)
    asked = select(Shoot).where(Shoot.closed_at.is_(None), Shoot.id.not_in(theirs)).order_by(Shoot.id.desc())
    return list(session.scalars(asked))


def invite(session: Session, member: Member, shoot: Shoot, *, actor: audit.Actor) -> None:
    """Invite one person to a shoot.

    Raises:
        ShootClosed: nobody can be invited any more.
        NotInvitable: they are in it, or cannot be mailed.
    """
    shoots.open_or_refuse(shoot)
    locks.person(session, member.id)
    session.refresh(member)
    if shoot not in invitable_to(session, member):
        raise NotInvitable(
            N_("This person is in this shoot already, or has no access. No mail was sent: please look again.")
        )
    invites.join(session, shoot, [member], actor=actor)


def correct(
    session: Session, member: Member, wanted: Facts, *, by: str, actor: audit.Actor
) -> tuple[list[Fact], int]:
    """Change what is known of a person; where the address changes, whoever had a link gets a new one there.

    Returns:
        What changed, and how many new links are on their way.

    Raises:
        FactTaken: somebody else has this address or employee ID; nothing was changed.
    """
    linked = _linked(session, member) if Fact.EMAIL in facts.differing(member, wanted) else []
    changed = facts.change(session, member, wanted, by=by, actor=actor)
    if Fact.EMAIL not in changed or not can_be_mailed(member):
        return changed, 0
    for participation in linked:
        invites.create(session, participation, actor=actor)
    return changed, len(linked)


def _linked(session: Session, member: Member) -> list[Participation]:
    """Return where a link leads them to something that they can still do."""
    theirs = select(Invite.id).where(Invite.participation_id == Participation.id, Invite.revoked_at.is_(None))
    rows = session.scalars(
        select(Participation)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Participation.member_id == member.id, Shoot.closed_at.is_(None), theirs.exists())
        .order_by(Participation.id)
    )
    return [row for row in rows if row.seen_by_company in REMINDABLE]
