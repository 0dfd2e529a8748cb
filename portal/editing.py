"""A headshot made once more, a little different, where the company's style allows that."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from compliance import consent as consents
from core.db import transaction
from core.errors import NotFound
from core.models import State
from core.portraits import edits, headshots
from core.web.answers import go
from core.web.app import limiter
from core.web.guards import me, signed_in
from portal.visit import step_url, visit

bp = Blueprint("editing", __name__)


@bp.post("/me/headshots/<uuid:headshot_id>/edit")
@signed_in
@limiter.limit("20 per hour")  # each is seconds of the studio's work
def edit(headshot_id: UUID) -> Response:
    """Ask for a headshot a little closer or wider, lighter or darker, or further to a side."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        headshot = headshots.get(session, place.member.id, headshot_id)
        if headshot.participation_id != place.participation.id:
            raise NotFound(_("This headshot does not exist any more."))
        consents.require(session, place.member.id)
        edits.ask(
            session,
            place.participation,
            headshot,
            closer=_step("closer"),
            lighter=_step("lighter"),
            right=_step("right"),
            actor=place.actor,
        )
        address = step_url(State(place.participation.state))
    return go(address, _("Thank you. The studio makes it again."))


def _step(name: str) -> int:
    given = request.form.get(name, default=0, type=int)
    return max(-1, min(1, given))
