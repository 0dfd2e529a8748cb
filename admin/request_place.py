"""Where the company answers requests: its country and zone of time, by which they are due."""

from __future__ import annotations

from zoneinfo import available_timezones

from flask import Blueprint, Response, request
from flask_babel import get_locale
from flask_babel import gettext as _

from compliance.requests import clocks, regimes
from core.db import transaction
from core.errors import InvalidInput
from core.people import organizations
from core.permissions import Permission
from core.web.answers import back, go, page
from core.web.guards import me, requires

bp = Blueprint("request_place", __name__)


@bp.get("/requests/place")
@requires(Permission.HANDLE_REQUESTS)
def show() -> Response:
    """Ask for country and zone of time."""
    with transaction(me().org_id) as session:
        return page(
            "admin/request_place.html",
            organization=organizations.current(session),
            countries=_countries(),
            zones=sorted(available_timezones()),
        )


@bp.post("/requests/place")
@requires(Permission.HANDLE_REQUESTS)
def set_place() -> Response:
    """Say in which country and zone of time the company answers; requests that come from now on are due by that."""
    try:
        with transaction(me().org_id) as session:
            regimes.set_place(
                session, request.form.get("country", ""), request.form.get("zone", ""), actor=me().actor
            )
    except InvalidInput as error:
        return back(error, "/admin/requests/place")
    return go("/admin/requests", _("Saved. Requests that come from now on are due by that."))


def _countries() -> list[tuple[str, str]]:
    locale = get_locale()
    named = locale.territories if locale is not None else {}
    found = [(one, str(named.get(one, one))) for one in clocks.countries()]
    return sorted(found, key=lambda one: one[1])
