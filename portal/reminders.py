"""No more reminders: for mail programs with one click and without cookies, for people with a page that says what stays."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request, url_for
from sqlalchemy.orm import Session

from core.db import transaction
from core.models import Shoot
from core.shoots import reminders
from core.web.answers import go, page
from core.web.app import counted_by_token, csrf, limiter
from portal.visit import company, speak

bp = Blueprint("reminders", __name__)


def _page(session: Session, token: str, participation_id: UUID) -> Response:
    """Say how it stands, in the language of the mail that carried the address, in the company's brand."""
    company(session)
    participation = reminders.about(session, participation_id)
    speak(session, participation.member_id)
    return page(
        "reminders.html",
        token_value=token,
        shoot=session.get_one(Shoot, participation.shoot_id),
        ended=participation.reminders_ended_at is not None,
    )


@bp.get("/reminders/<token>")
@limiter.limit("300 per minute")
def show(token: str) -> Response:
    """Ask; link scanners may open it as often as they like."""
    found = reminders.find(token)
    with transaction(found.org_id) as session:
        return _page(session, token, found.participation_id)


@bp.post("/reminders/<token>")
@csrf.exempt  # type: ignore[untyped-decorator]  # Flask-WTF ships no types; mail programs send no cookie (RFC 8058 §3.2)
@limiter.limit("20 per minute", key_func=counted_by_token)
def change(token: str) -> Response:
    """End the reminders of this shoot, or allow them again; nothing else changes."""
    found = reminders.find(token)
    with transaction(found.org_id) as session:
        if request.form.get("again") == "yes":
            reminders.resume(session, found.participation_id)
        else:
            reminders.end(session, found.participation_id)
        if "List-Unsubscribe" in request.form:
            return _page(session, token, found.participation_id)  # no redirect for programs (RFC 8058 §3.1)
    return go(url_for("reminders.show", token=token))
