"""Whether the company may put photos in for somebody: allowed apart from everything else, and taken back at any time."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from compliance import consent as consents
from core.db import transaction
from core.portraits import on_behalf, photos
from core.web.answers import go
from core.web.app import limiter
from core.web.guards import me, signed_in
from portal.visit import step_url, visit

bp = Blueprint("by_company", __name__)


@bp.post("/me/photos/company")
@signed_in
@limiter.limit("60 per hour")
def allow() -> Response:
    """Let the company put photos in, and send them to the studio where that is ticked too."""
    sends = request.form.get("sends") == "yes"
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        consents.require(session, place.member.id)
        on_behalf.allow(session, place.participation, sends=sends, actor=place.actor)
    return go(url_for("upload.show"), _("Noted. You can take it back here at any time."))


@bp.post("/me/photos/company/end")
@signed_in
def end() -> Response:
    """Take it back; whatever was put in stays until it is removed, which the page offers."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        on_behalf.take_back(session, place.participation, actor=place.actor)
        left = on_behalf.of_participation(session, place.participation.id)
        can_remove = place.state in photos.OPEN
        after = step_url(place.state) if can_remove else url_for("privacy.show")
    message = _("Taken back: your company can put no more photos in.")
    if left and can_remove:
        message += " " + ngettext(
            "The photo that it put in is still here; you can keep it or remove it.",
            "The %(num)s photos that it put in are still here; you can keep or remove them.",
            len(left),
        )
    return go(after, message)


@bp.post("/me/photos/company/remove")
@signed_in
def remove() -> Response:
    """Delete for good what the company put in."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        gone = on_behalf.remove_all(session, place.participation, actor=place.actor)
    return go(
        url_for("upload.show"),
        ngettext("%(num)s photo was removed.", "%(num)s photos were removed.", gone),
        removed=gone,
    )
