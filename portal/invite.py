"""The invitation link: looking changes nothing, accepting is a POST, an expired one is renewed by mail."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, current_app, g, request, url_for
from flask import session as form
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from core import audit
from core.db import transaction
from core.models import EngineName, Invite, Member, Participation, Shoot, SignInMethod, State
from core.people import sessions
from core.people.sessions import SignedIn
from core.portraits import adapters
from core.shoots import invites, participations
from core.web import brand
from core.web.answers import go, page
from core.web.app import limiter, remember
from core.web.errors import wants_json
from core.web.visitor import visitor
from portal import words
from portal.visit import company, step_url

bp = Blueprint("invite", __name__)

WHOSE = "whose"  # in the form secrets: the id of the member whose pages they are for


def _speak(session: Session, found: invites.Found) -> None:
    """Go on in the language of the mail that carried the link, unless another one is asked for."""
    invite = session.get_one(Invite, found.invite_id)
    g.language = session.get_one(Member, invite.member_id).language


def _hashed_token() -> str:
    """Limits count per link; the link's secret itself never goes into Redis."""
    token = str((request.view_args or {}).get("token", ""))
    return "invite " + hashlib.sha256(token.encode()).hexdigest()


@bp.get("/i/<token>")
@limiter.limit("300 per minute")
def show(token: str) -> Response:
    """Show who invites and what will happen; link scanners may open it as often as they like."""
    found = invites.find(token)
    with transaction(found.org_id) as session:
        company(session)
        _speak(session, found)
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
            expires=invite.expires_at,
            takes=words.takes(adapters.usual_seconds(session, shoot.engine))
            if EngineName(shoot.engine).needs_gpu
            else "",
        )


@bp.post("/i/<token>/accept")
@limiter.limit("20 per minute", key_func=_hashed_token)
def accept(token: str) -> Response:
    """Accept the invitation and sign the person in."""
    found = invites.find(token)
    if before := visitor():  # whoever used this browser before is signed out; no token is used twice
        with transaction(before.org_id) as session:
            sessions.end(session, before.session_id)
    with transaction(found.org_id) as session:
        company(session)
        _speak(session, found)
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
        state = State(participation.state)
    if form.get(WHOSE) not in (None, str(member.id)):
        form.clear()  # the pages of whoever was here before can send nothing any more
    form[WHOSE] = str(member.id)
    response = go(step_url(state))
    remember(response, current_app, secret)
    brand.remember(response, g.slug)
    return response


def _own(session: Session, before: SignedIn | None, opened: Participation) -> Participation:
    """Return the shoot that addresses without one mean: that of the tabs which are open already, if there are any."""
    if before is None or before.participation_id is None or before.member_id != opened.member_id:
        return opened
    found = participations.one_of_member(session, before.member_id, before.participation_id)
    return found[0] if found else opened


@bp.post("/i/<token>/renew")
@limiter.limit("6 per hour", key_func=_hashed_token)
def renew(token: str) -> Response:
    """Mail a new link to the address the old one went to; this page never signs anybody in."""
    found = invites.find(token)
    with transaction(found.org_id) as session:
        company(session)
        _speak(session, found)
        invites.renew(session, found.invite_id)
    return go(url_for("invite.renewed", token=token))


@bp.get("/i/<token>/renewed")
@limiter.limit("300 per minute")
def renewed(token: str) -> Response:
    """Say that the mail is on its way; the same words whether or not one was owed."""
    found = invites.find(token)
    with transaction(found.org_id) as session:
        company(session)
        _speak(session, found)
        return page("invite_renewed.html")
