"""“This is not me”, “this is not good”: said by a reason from a list, and another try follows."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from compliance import consent as consents
from core.db import transaction
from core.errors import InvalidInput, NotFound
from core.models import State
from core.portraits import headshots, rejections, submission
from core.web.answers import go
from core.web.guards import me, signed_in
from portal.visit import step_url, visit

bp = Blueprint("rejecting", __name__)


@bp.post("/me/headshots/<uuid:headshot_id>/reject")
@signed_in
def reject(headshot_id: UUID) -> Response:
    """Keep what is wrong with a headshot, and go on with a photo that was not tried, or to adding others."""
    try:
        reason = rejections.Reason(request.form.get("reason", ""))
    except ValueError as error:
        raise InvalidInput(_("Say first what is wrong with it.")) from error
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        headshot = headshots.get(session, place.member.id, headshot_id)
        if headshot.participation_id != place.participation.id:
            raise NotFound(_("This headshot does not exist any more."))
        consents.require(session, place.member.id)
        rejections.reject(session, place.participation, headshot, reason, actor=place.actor)
        again = submission.another(session, place.participation, actor=place.actor)
        address = step_url(State(place.participation.state))
    if again:
        return go(address, _("Thank you. The studio takes another of your photos now."))
    return go(address, _("Thank you. Add other photos, and the studio tries again with those."))
