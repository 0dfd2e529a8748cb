"""Where a request stands: whose it is, in which company and shoot, and which step comes next.

The shoot belongs to the request. An address that names none means the session's own, whose link was opened
first; every address on a page of another shoot names that one, so that two tabs never act on each other's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import current_app, g, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from core import locks
from core.audit import Actor
from core.errors import NotFound
from core.models import Member, Organization, Participation, Shoot, State
from core.people import members, organizations
from core.people.sessions import SignedIn
from core.shoots import participations
from core.web.answers import uuid_argument
from core.web.brand import dress
from core.web.guards import me

STEPS: dict[State, str] = {
    State.INVITED: "consent.show",
    State.OPENED: "consent.show",
    State.CONSENTED: "upload.show",
    State.UPLOADING: "upload.show",
    State.SUBMITTED: "progress.show",
    State.RENDERING: "progress.show",
    State.FAILED: "progress.show",
    State.READY: "gallery.show",
    State.APPROVED: "gallery.show",
    State.DELIVERED: "gallery.show",
    State.DECLINED: "declined.show",
    State.EXPIRED: "consent.ended",
    State.ERASED: "consent.ended",
}
OF_A_PERSON = "/me/"  # how every address begins that is about one shoot


@dataclass(frozen=True)
class Visit:
    """The signed-in person's place."""

    organization: Organization
    member: Member
    participation: Participation
    shoot: Shoot
    actor: Actor

    @property
    def state(self) -> State:
        """How far they are."""
        return State(self.participation.state)


def company(session: Session) -> Organization:
    """Return the session's organization, and dress the page of this request in its brand."""
    organization = organizations.current(session)
    dress(organization)
    g.slug = organization.slug
    return organization


def speak(session: Session, member_id: UUID) -> None:
    """Go on in the language of the mail that carried an address, unless another one is asked for."""
    g.language = session.get_one(Member, member_id).language


def visit(session: Session, *, lock: bool = False) -> Visit:
    """Return where the signed-in person stands, and dress the page in the company's brand.

    Args:
        session: bound to the organization.
        lock: hold what belongs to the person until the transaction ends, for a page that changes it.

    Raises:
        NotFound: they were never invited to a shoot, are not in the one that the address names, or have been
            erased.
    """
    user = me()
    organization = company(session)
    if lock:
        locks.people(session, [user.member_id])
    member = members.get(session, user.member_id)
    participation, shoot = _place(session, user)
    g.shoot_name = shoot.name
    g.person = member.full_name or member.email
    g.shoot = None if participation.id == user.participation_id else participation.id
    return Visit(organization, member, participation, shoot, user.actor)


def _place(session: Session, user: SignedIn) -> tuple[Participation, Shoot]:
    named = uuid_argument("shoot")
    # A form acts on the shoot that its page showed, also when that has ended meanwhile, and on no other.
    meant = named or (None if request.method in ("GET", "HEAD") else user.participation_id)
    if meant is not None and (exactly := participations.one_of_member(session, user.member_id, meant)):
        return exactly
    if named is not None:
        raise NotFound(_("You are not part of this shoot. Go to the start to see yours."))
    found = participations.of_member(session, user.member_id, user.participation_id)
    if found is None:
        raise NotFound(_("You are not invited to a shoot yet. Your company sends you a link when you are."))
    return found


def stay(endpoint: str, values: dict[str, Any]) -> None:
    """Let an address that is written on a page of a shoot lead to that shoot."""
    if any(rule.rule.startswith(OF_A_PERSON) for rule in current_app.url_map.iter_rules(endpoint)):
        shoot = g.get("shoot") or request.args.get("shoot", type=UUID)
        if shoot is not None:
            values.setdefault("shoot", shoot)


def step_url(state: State) -> str:
    """Return the address of the page that belongs to `state`."""
    return url_for(STEPS[state])
