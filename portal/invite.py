"""The invitation link: looking changes nothing, accepting is a POST, an expired one is renewed by mail."""

from __future__ import annotations

from flask import Blueprint, Response, g, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from core import audit
from core.db import transaction
from core.models import EngineName, Invite, Member, Participation, Shoot, SignInMethod, State
from core.people import sessions
from core.people.sessions import SignedIn
from core.portraits import adapters
from core.shoots import invites, participations
from core.web.answers import go, page
from core.web.app import counted_by_token, limiter
from core.web.errors import answer, wants_json
from core.web.visitor import visitor
from portal import words
from portal.entry import enter
from portal.strangers import note_device
from portal.visit import company, speak, step_url

bp = Blueprint("invite", __name__)

# Where there are headshots to choose from or to download.
SHOWN = frozenset({State.READY, *participations.SETTLED})


@bp.errorhandler(invites.InviteEnded)
def _ended(error: invites.InviteEnded) -> Response:
    return answer(error) if wants_json() else page("ended.html", error.status, problem=error, by_mail=True)


@bp.get("/i/<token>")
@limiter.limit("300 per minute")
def show(token: str) -> Response:
    """Show who invites and what will happen; link scanners may open it as often as they like."""
    found = invites.find(token)
    with transaction(found.org_id) as session:
        company(session)
        speak(session, session.get_one(Invite, found.invite_id).member_id)
        try:
            invite = invites.usable(session, found.invite_id)
        except invites.InviteExpired:
            if wants_json():
                raise
            return page("invite_expired.html", 410, token_value=token)
        member = session.get_one(Member, invite.member_id)
        participation = session.get_one(Participation, invite.participation_id)
        shoot = session.get_one(Shoot, participation.shoot_id)
        return page(
            "invite.html",
            token_value=token,
            member=member,
            shoot=shoot,
            result=State(participation.state) in SHOWN,
            expires=invite.expires_at,
            takes=words.takes(adapters.usual_seconds(session, shoot.engine))
            if EngineName(shoot.engine).needs_gpu
            else "",
        )


@bp.post("/i/<token>/accept")
@limiter.limit("20 per minute", key_func=counted_by_token)
def accept(token: str) -> Response:
    """Accept the invitation and sign the person in."""
    found = invites.find(token)
    if before := visitor():  # whoever used this browser before is signed out; no token is used twice
        with transaction(before.org_id) as session:
            sessions.end(session, before.session_id)
    with transaction(found.org_id) as session:
        company(session)
        speak(session, session.get_one(Invite, found.invite_id).member_id)
        invite = invites.usable(session, found.invite_id)
        member = session.get_one(Member, invite.member_id)
        if member.disabled_at is not None:
            raise invites.InviteRevoked(
                _("Your company has switched off your account, so this link leads nowhere any more.")
            )
        participation = invites.accept(session, invite)
        own = _own(session, before, participation)
        secret = sessions.start(session, member, SignInMethod.INVITE, participation=own)
        audit.record(
            session,
            audit.Tag.SIGNED_IN,
            actor=audit.actor_for(member),
            subject=member,
            method=SignInMethod.INVITE.value,
        )
        g.shoot = None if own.id == participation.id else participation.id
        response = go(step_url(State(participation.state)))
        note_device(session, response, sessions.row_of(session, secret))
    return enter(response, member.id, secret, own.id)


def _own(session: Session, before: SignedIn | None, opened: Participation) -> Participation:
    """Return the shoot that addresses without one mean: that of the tabs which are open already, if there are any."""
    if before is None or before.participation_id is None or before.member_id != opened.member_id:
        return opened
    found = participations.one_of_member(session, before.member_id, before.participation_id)
    return found[0] if found else opened


@bp.post("/i/<token>/renew")
@limiter.limit("6 per hour", key_func=counted_by_token)
def renew(token: str) -> Response:
    """Mail a new link to the address the old one went to; this page never signs anybody in."""
    found = invites.find(token)
    with transaction(found.org_id) as session:
        company(session)
        speak(session, session.get_one(Invite, found.invite_id).member_id)
        invites.renew(session, found.invite_id)
    return go(url_for("invite.renewed", token=token))


@bp.get("/i/<token>/renewed")
@limiter.limit("300 per minute")
def renewed(token: str) -> Response:
    """Say that the mail is on its way; the same words whether or not one was owed."""
    found = invites.find(token)
    with transaction(found.org_id) as session:
        company(session)
        speak(session, session.get_one(Invite, found.invite_id).member_id)
        return page("invite_renewed.html")
