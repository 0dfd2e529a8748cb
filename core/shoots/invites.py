"""Invitation links: made, found, accepted, renewed, revoked."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select, update
from sqlalchemy.orm import Session

from core import audit
from core.clock import end_of_day, now
from core.db import Lookup, organization_of
from core.errors import Gone, NotFound
from core.ids import new_id
from core.models import Invite, Member, Participation, Shoot, State
from core.queue import JobName, enqueue_all
from core.settings import settings
from core.shoots import deliveries, participations
from core.vault import derive

# Of links that are asked for by whoever holds an address or an old link: nobody can fill a mailbox with them.
AGAIN_AFTER: Final = timedelta(minutes=10)


class InviteUnknown(NotFound):
    """No invitation has this token."""

    code = "invite_unknown"


class InviteExpired(Gone):
    """The link's time is over; the person can ask for a new one with one click."""

    code = "invite_expired"


class InviteRevoked(Gone):
    """The link was replaced by a newer one, or the company withdrew it."""

    code = "invite_revoked"


class InviteEnded(InviteRevoked):
    """The shoot has ended, the invitation was withdrawn or a newer link was sent; the person's data is still theirs."""


@dataclass(frozen=True)
class Found:
    """Where a token leads."""

    org_id: UUID
    invite_id: UUID


def token_of(invite: Invite) -> str:
    """Return the invite's token: 192 bits of HMAC-SHA256 over its id and random nonce."""
    digest = hmac.new(derive("invite tokens"), invite.id.bytes + invite.nonce, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest[:24]).decode()


def link_of(invite: Invite) -> str:
    """Return the address that the mail carries."""
    return f"{settings().base_url.rstrip('/')}/i/{token_of(invite)}"


def join(
    session: Session, shoot: Shoot, people: Sequence[Member], *, actor: audit.Actor, by_day: bool = False
) -> list[Invite]:
    """Invite people who are not in the shoot yet; `by_day` as in `create_all`."""
    moment = now()
    joined = [
        Participation(
            id=new_id(),
            org_id=organization_of(session),
            created_at=moment,
            shoot_id=shoot.id,
            member_id=member.id,
            state=State.INVITED,
            changed_at=moment,
        )
        for member in people
    ]
    session.add_all(joined)
    session.flush()
    return create_all(session, shoot, joined, actor=actor, by_day=by_day)


def create(session: Session, participation: Participation, *, actor: audit.Actor) -> Invite:
    """Make a new link for the participation and owe its mail; older links end when that has left."""
    shoot = session.get_one(Shoot, participation.shoot_id)
    return create_all(session, shoot, [participation], actor=actor)[0]


def create_all(
    session: Session,
    shoot: Shoot,
    people: Sequence[Participation],
    *,
    actor: audit.Actor,
    reminder: bool = False,
    by_day: bool = False,
) -> list[Invite]:
    """Make new links for many people of one shoot in a few statements, and owe their mails.

    The older links work until the mail with the new one has left (`left`): somebody who has a mail in hand is not
    shut out while the next one waits for its server.

    Args:
        session: bound to the organization.
        shoot: theirs.
        people: who gets a link.
        actor: who sends it.
        reminder: whether the mails say that they remind; see `core.shoots.reminders`.
        by_day: whether they wait for the day where their readers are.
    """
    moment = now()
    subjects = {
        member.id: member
        for member in session.scalars(select(Member).where(Member.id.in_([one.member_id for one in people])))
    }
    made = []
    for participation in people:
        invite = Invite(
            id=new_id(),
            org_id=organization_of(session),
            created_at=moment,
            participation_id=participation.id,
            member_id=participation.member_id,
            nonce=os.urandom(16),
            expires_at=_expiry(shoot, moment),
            reminder=reminder,
            by_day=by_day,
        )
        invite.token_sha256 = hashlib.sha256(token_of(invite).encode()).digest()
        made.append(invite)
    session.add_all(made)
    session.flush()
    for invite in made:
        audit.record(
            session,
            audit.Tag.INVITE_CREATED,
            actor=actor,
            subject=subjects[invite.member_id],
            invite=str(invite.id),
        )
    deliveries.queued(people)
    enqueue_all(session, JobName.INVITE_MAIL, [invite.id for invite in made])
    return made


def left(session: Session, invite: Invite) -> None:
    """Note that the link's mail has left; the older links of its person in this shoot end."""
    invite.sent_at = now()
    session.execute(
        update(Invite)
        .where(
            Invite.participation_id == invite.participation_id,
            Invite.id < invite.id,
            Invite.revoked_at.is_(None),
        )
        .values(revoked_at=invite.sent_at)
        .execution_options(synchronize_session=False)
    )


def is_overtaken(session: Session, invite: Invite) -> bool:
    """Whether a newer link was made meanwhile, so that the mail with this one would only be replaced."""
    newer = select(Invite.id).where(
        Invite.participation_id == invite.participation_id,
        Invite.id > invite.id,
        Invite.revoked_at.is_(None),
    )
    return session.scalar(newer.limit(1)) is not None


def follow_deadline(session: Session, shoot: Shoot) -> tuple[int, int]:
    """Have every link of a shoot end as its deadline now says, earlier or later; withdrawn ones stay so.

    The caller has locked the shoot's people.

    Returns:
        How many links now end with the deadline, and how many before, since none lives longer than `invite_days`.
    """
    day = func.date_trunc("day", Invite.created_at)
    of_shoot = Invite.participation_id.in_(
        select(Participation.id).where(Participation.shoot_id == shoot.id)
    ) & Invite.revoked_at.is_(None)
    # A link's end depends on the day it was made, and a shoot's were made on a few.
    for (made,) in session.execute(select(func.max(Invite.created_at)).where(of_shoot).group_by(day)).all():
        session.execute(
            update(Invite)
            .where(of_shoot, day == func.date_trunc("day", literal(made)))
            .values(expires_at=_expiry(shoot, made))
        )
    ends = select(
        func.count().filter(Invite.expires_at >= shoot.deadline),
        func.count().filter(Invite.expires_at < shoot.deadline),
    )
    with_it, before = session.execute(ends.where(of_shoot)).one()
    return with_it, before


def _expiry(shoot: Shoot, moment: datetime) -> datetime:
    """Links end with the shoot's last day, at most after `invite_days`; one made after it with the next day."""
    if shoot.deadline <= moment:
        return end_of_day((moment + timedelta(days=1)).date())
    return min(shoot.deadline, end_of_day((moment + timedelta(days=settings().invite_days)).date()))


def last_moment(shoot: Shoot, invite: Invite | None) -> datetime:
    """Return until when somebody has: the shoot's deadline, and after it the end of the link that they got."""
    return invite.expires_at if invite and shoot.deadline <= now() else shoot.deadline


def find(token: str) -> Found:
    """Return where `token` leads; changes nothing, so link scanners may prefetch.

    Raises:
        InviteUnknown: no such link.
    """
    found = Lookup.invite(hashlib.sha256(token.encode()).digest())
    if found is None:
        raise InviteUnknown(
            "This invitation link is not complete or does not exist. Please copy the whole link from the mail."
        )
    return Found(*found)


def usable(session: Session, invite_id: UUID) -> Invite:
    """Return the invite if it can be accepted now.

    Raises:
        InviteRevoked: a newer link was sent, the company withdrew it or ended the shoot; the message says which.
        InviteExpired: its time is over, and that of the shoot is not.
    """
    invite = session.get_one(Invite, invite_id)
    participation = participations.get(session, invite.participation_id)
    if participation.state == State.ERASED:
        raise InviteRevoked("Everything about you has been erased, so this link leads nowhere any more.")
    # In a shoot that has ended a link still leads to what came of it, and to nothing that would begin.
    unfinished = participation.state in (*participations.BEGUN, State.EXPIRED)
    if invite.revoked_at is not None or (unfinished and _is_closed(session, participation)):
        raise _revoked(session, participation)
    if invite.expires_at <= now():
        if _is_closed(session, participation):
            raise _revoked(session, participation)
        raise InviteExpired("This link has expired. Nothing is lost: ask for a new one with one click.")
    return invite


def _is_closed(session: Session, participation: Participation) -> bool:
    return session.get_one(Shoot, participation.shoot_id).closed_at is not None


def _revoked(session: Session, participation: Participation) -> InviteEnded:
    """Return why a link of the participation has ended, and what to do."""
    if _is_closed(session, participation):
        return InviteEnded(
            "This shoot has ended, so its links lead nowhere any more. "
            "If you would still like a headshot, ask whoever organises them in your company."
        )
    if is_withdrawn(session, participation):
        return InviteEnded(
            "Your company has withdrawn this invitation, so you need not do anything. "
            "If you think that this is a mistake, ask whoever organises the headshots in your company."
        )
    return InviteEnded("This link was replaced by a newer one. Please use the link in the newest mail.")


def withdrawn() -> ColumnElement[bool]:
    """Return the condition that every link which a participation of an open shoot ever had was withdrawn."""
    links = select(Invite.id).where(Invite.participation_id == Participation.id)
    return links.exists() & ~links.where(Invite.revoked_at.is_(None)).exists()


def is_withdrawn(session: Session, participation: Participation) -> bool:
    """Whether the company has withdrawn every link that a participation of an open shoot ever had."""
    found = select(Participation.id).where(Participation.id == participation.id, withdrawn())
    return session.scalar(found) is not None


def accept(session: Session, invite: Invite) -> Participation:
    """Note that the person has accepted; accepting again on a second device is fine.

    Raises:
        InviteRevoked, InviteExpired: it cannot be accepted any more, see `usable`.
    """
    participation = participations.get(session, invite.participation_id, lock=True)
    session.refresh(invite)  # a second tap may have accepted it while this one waited
    usable(session, invite.id)  # or somebody ended it: asked once nobody can any more
    member = session.get_one(Member, invite.member_id)
    if invite.accepted_at is None:
        invite.accepted_at = now()
        audit.record(
            session,
            audit.Tag.INVITE_ACCEPTED,
            actor=audit.actor_for(member),
            subject=member,
            invite=str(invite.id),
        )
    if participation.state in (State.INVITED, State.EXPIRED):
        participations.move(session, participation, State.OPENED, actor=audit.actor_for(member))
    return participation


def renew(session: Session, invite_id: UUID) -> Invite | None:
    """Send a new link to the address the old one went to; the old link alone never gives a new session.

    Returns the new invite, or the still unsent newest one when asked twice; `None` if there is nothing to renew
    because the person was erased, the shoot is closed or the company has withdrawn the invitation.
    """
    old = session.get_one(Invite, invite_id)
    participation = participations.get(session, old.participation_id, lock=True)
    newest = _newest(session, participation)
    # A second click on a link that was already renewed sends nothing more.
    if newest is not None and newest.id != old.id and newest.expires_at > now():
        return None if _leads_nowhere(session, participation) else newest
    member = session.get_one(Member, participation.member_id)
    return send_again(session, participation, actor=audit.actor_for(member))


def send_again(session: Session, participation: Participation, *, actor: audit.Actor) -> Invite | None:
    """Mail a person of a shoot a new link, at most once in `AGAIN_AFTER`, whoever asks for it.

    Returns the new invite, or the newest one where it is younger than that; `None` if there is nothing to send because
    the person was erased, the shoot is closed or the company has withdrawn the invitation.
    """
    participation = participations.get(session, participation.id, lock=True)
    if _leads_nowhere(session, participation):
        return None
    newest = _newest(session, participation)
    if newest is not None and newest.created_at > now() - AGAIN_AFTER:
        return newest
    member = session.get_one(Member, participation.member_id)
    invite = create(session, participation, actor=actor)
    audit.record(session, audit.Tag.INVITE_RENEWED, actor=actor, subject=member, invite=str(invite.id))
    return invite


def _newest(session: Session, participation: Participation) -> Invite | None:
    return session.scalar(
        select(Invite)
        .where(Invite.participation_id == participation.id, Invite.revoked_at.is_(None))
        .order_by(Invite.id.desc())
        .limit(1)
    )


def _leads_nowhere(session: Session, participation: Participation) -> bool:
    """Whether no link of a participation is sent anew."""
    over = participation.state == State.ERASED or _is_closed(session, participation)
    return over or is_withdrawn(session, participation)


def take_back(invite: Invite) -> None:
    """End a link whose mail was not sent after all; the one that it was to replace works on."""
    if invite.revoked_at is None:
        invite.revoked_at = now()


def revoke(session: Session, participation_id: UUID, *, actor: audit.Actor) -> None:
    """Make every link of a participation useless."""
    revoke_all(session, [participations.get(session, participation_id, lock=True)], actor=actor)


def revoke_all(session: Session, rows: Sequence[Participation], *, actor: audit.Actor) -> None:
    """Make every link of participations useless, whose people the caller has locked."""
    session.execute(
        update(Invite)
        .where(Invite.participation_id.in_([row.id for row in rows]), Invite.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    of = select(Member).where(Member.id.in_([row.member_id for row in rows]))
    subjects = {member.id: member for member in session.scalars(of)}
    for row in rows:
        audit.record(
            session,
            audit.Tag.INVITE_REVOKED,
            actor=actor,
            subject=subjects[row.member_id],
            participation=str(row.id),
        )
