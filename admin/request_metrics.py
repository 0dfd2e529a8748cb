"""What a year's requests came to, as a page and as JSON."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response
from flask_babel import gettext as _

from admin import request_words
from compliance.requests import metrics
from core.clock import now
from core.db import transaction
from core.errors import NotFound
from core.permissions import Permission, allowed
from core.web.answers import json_answer, page
from core.web.guards import me, requires

bp = Blueprint("request_metrics", __name__)

FIRST_YEAR = 2020


def _figures(year: int) -> list[metrics.Figures]:
    if not FIRST_YEAR <= year <= now().year:
        raise NotFound(_("There are no figures of this year."))
    of_people = allowed(me().role, Permission.VIEW_EVENTS_OF_PEOPLE)
    with transaction(me().org_id) as session:
        return metrics.of_year(session, year, of_people=of_people)


@bp.get("/requests/metrics/<int:year>")
@requires(Permission.VIEW_REQUESTS)
def show(year: int) -> Response:
    """Show a year's figures."""
    return page("admin/request_metrics.html", year=year, figures=_figures(year), rights=request_words.RIGHTS)


@bp.get("/requests/metrics/<int:year>.json")
@requires(Permission.VIEW_REQUESTS)
def data(year: int) -> Response:
    """Return a year's figures as JSON."""
    return json_answer({"year": year, "requests": [asdict(one) for one in _figures(year)]})
