"""Requests that somebody else answers, asked by the person on “Your data”."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from compliance.requests import answers, desk
from compliance.requests.desk import Proof
from compliance.requests.words import Words
from core.db import transaction
from core.errors import InvalidInput
from core.models import Channel, Right
from core.web.answers import back, go
from core.web.app import limiter
from core.web.guards import me, signed_in
from portal.visit import visit

bp = Blueprint("own_requests", __name__)

# What people cannot do themselves on that page.
ASKED = (Right.RECTIFICATION, Right.RESTRICTION, Right.OBJECTION)
MOST_LETTERS = 4000


def _session_of() -> str:
    return f"request {me().session_id}"


@bp.post("/me/requests")
@signed_in
@limiter.limit("10 per hour", key_func=_session_of)
def send() -> Response:
    """Open a request; an objection stops at once what measures the face."""
    text = request.form.get("text", "").strip()
    try:
        right = Right(request.form.get("right", ""))
        if right not in ASKED:
            raise ValueError
    except ValueError:
        return back(InvalidInput(_("Say what you ask for, please.")), url_for("privacy.show"))
    if len(text) > MOST_LETTERS:
        too_long = InvalidInput(_("Something of this is too long. Nothing was sent: please shorten it."))
        return back(too_long, url_for("privacy.show"))
    if right is Right.RECTIFICATION and not text:
        return back(InvalidInput(_("Say what is wrong, and what is right.")), url_for("privacy.show"))
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        desk.open_for(
            session,
            right,
            Channel.SELF_SERVICE,
            member=place.member,
            asked=Words(text=text),
            language=place.member.language,
            actor=place.actor,
            proof=Proof.SIGNED_IN,
        )
        if right is Right.OBJECTION:
            answers.stop_measuring(session, place.member, actor=place.actor)
    return go(url_for("privacy.show"), _("Sent. Your company answers, and you are told by mail."))
