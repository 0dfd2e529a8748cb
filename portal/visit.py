"""Where a request stands: whose it is, in which company and shoot, and which step comes next."""

from __future__ import annotations

from dataclasses import dataclass

from flask import g, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from core import locks
from core.audit import Actor
from core.errors import NotFound
from core.models import Member, Organization, Participation, Shoot, State
from core.people import members, organizations
from core.shoots import participations
from core.web.brand import brand_of
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
    g.brand = brand_of(organization)
    g.slug = organization.slug
    return organization


def visit(session: Session, *, lock: bool = False) -> Visit:
    """Return where the signed-in person stands, and dress the page in the company's brand.

    Args:
        session: bound to the organization.
        lock: hold what belongs to the person until the transaction ends, for a page that changes it.

    Raises:
        NotFound: they were never invited to a shoot, or have been erased.
    """
    user = me()
    organization = company(session)
    if lock:
        locks.people(session, [user.member_id])
    member = members.get(session, user.member_id)
    found = participations.of_member(session, member.id, user.participation_id)
    if found is None:
        raise NotFound(_("You are not invited to a shoot yet. Your company sends you a link when you are."))
    participation, shoot = found
    g.shoot_name = shoot.name
    return Visit(organization, member, participation, shoot, user.actor)


def step_url(state: State) -> str:
    """Return the address of the page that belongs to `state`."""
    return url_for(STEPS[state])
