"""The page Controls: what an auditor's catalogue asks for, and what shows here that it works."""

from __future__ import annotations

from functools import partial

from flask import Blueprint, Response

from admin import control_words
from compliance import controls
from core.clock import now
from core.db import transaction
from core.people import organizations
from core.permissions import Permission, allowed
from core.web.answers import page
from core.web.app import limiter
from core.web.guards import me, requires

bp = Blueprint("controls", __name__)


@bp.get("/controls")
@requires(Permission.VIEW_AUDIT)
@limiter.limit("120 per hour")
def index() -> Response:
    """Look at every control's evidence now."""
    with transaction(me().org_id) as session:
        found = controls.read(session)
        slug = organizations.current(session).slug
        return page(
            "admin/controls.html",
            controls=found,
            shown=sum(one.standing is controls.Standing.SHOWN for one in found),
            standings=control_words.STANDINGS,
            questions=control_words.QUESTIONS,
            in_words=control_words.found,
            address=partial(
                control_words.address,
                slug=slug,
                of_people=allowed(me().role, Permission.VIEW_EVENTS_OF_PEOPLE),
            ),
            at=now(),
        )
