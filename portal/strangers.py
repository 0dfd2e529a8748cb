"""A link in the wrong hands: "not you?" on every page, and the answer to the mail about a new device."""

from __future__ import annotations

import re
import secrets

from flask import Blueprint, Response, current_app, request, url_for
from sqlalchemy.orm import Session

from core.db import transaction
from core.models import WebSession
from core.shoots import devices
from core.web.answers import go, page
from core.web.app import counted_by_token, forget, limiter
from core.web.cookies import keep, name_of
from core.web.guards import me, signed_in
from portal.visit import company, speak, visit

bp = Blueprint("strangers", __name__)

DEVICE = "device"
DEVICE_SECONDS = 31_536_000  # a year: as long as a browser is asked to know a company
LEFT = "left"
LEFT_SECONDS = 300
_SECRET = re.compile(r"[\w-]{43}", re.ASCII)  # `secrets.token_urlsafe(32)`


def note_device(session: Session, response: Response, row: WebSession) -> None:
    """Note on which device a link's session began, and let its browser be known again."""
    kept = request.cookies.get(name_of(DEVICE), "")
    secret = kept if _SECRET.fullmatch(kept) else secrets.token_urlsafe(32)
    devices.arrive(session, row, secret=secret, agent=request.headers.get("User-Agent", ""))
    keep(response, name_of(DEVICE), secret, seconds=DEVICE_SECONDS)


@bp.get("/me/not-you")
@signed_in
def ask() -> Response:
    """Say whose pages these are."""
    with transaction(me().org_id) as session:
        return page("not_you.html", place=visit(session))


@bp.post("/me/not-you")
@signed_in
def leave() -> Response:
    """End the session of whoever is not the person, who gets a mail about it."""
    with transaction(me().org_id) as session:
        is_told = devices.disown(session, me().session_id)
    response = go(url_for("strangers.left"))
    forget(response, current_app)
    keep(response, name_of(LEFT), "told" if is_told else "untold", seconds=LEFT_SECONDS)
    return response


@bp.get("/not-you")
def left() -> Response:
    """Say what to do with a link that is somebody else's; what has happened only to the browser that it happened in."""
    return page("left.html", left=request.cookies.get(name_of(LEFT), ""))


@bp.get("/not-me/<token>")
@limiter.limit("300 per minute")
def show(token: str) -> Response:
    """Ask whether to end all links; link scanners may open it as often as they like."""
    found = devices.find(token)
    with transaction(found.org_id) as session:
        company(session)
        speak(session, session.get_one(WebSession, found.session_id).member_id)
        done = devices.is_shut_out(session, found.session_id)
        return page("not_me.html", token_value=token, done=done)


@bp.post("/not-me/<token>")
@limiter.limit("20 per minute", key_func=counted_by_token)
def shut_out(token: str) -> Response:
    """End every session and link of the person, and mail new links."""
    found = devices.find(token)
    with transaction(found.org_id) as session:
        devices.shut_out(session, found.session_id)
    return go(url_for("strangers.show", token=token))
