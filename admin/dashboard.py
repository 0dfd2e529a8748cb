"""The first page: how far each shoot is, and what needs attention."""

from __future__ import annotations

from flask import Blueprint, Response

from compliance import ending, recall
from compliance.requests import inbox
from core.brand import styles
from core.db import transaction
from core.people import organizations
from core.permissions import Permission, allowed
from core.shoots import dashboard, shoots
from core.web.answers import page
from core.web.guards import me, requires

bp = Blueprint("dashboard", __name__)


@bp.get("/")
@requires(Permission.VIEW_DASHBOARD)
def index() -> Response:
    """Show every shoot, or the way to the first one: brand, style, shoot, people."""
    with transaction(me().org_id) as session:
        overviews = dashboard.overviews(session, shoots.listed(session))
        organization = organizations.current(session)
        return page(
            "admin/dashboard.html",
            overviews=overviews,
            has_brand=organization.logo_id is not None or organization.accent != "#2f4b6e",
            has_style=bool(styles.newest(session)),
            ending=ending.count(session) if allowed(me().role, Permission.DOWNLOAD) else 0,
            asked=inbox.load(session) if allowed(me().role, Permission.HANDLE_REQUESTS) else None,
            recalls=recall.waiting(session) if allowed(me().role, Permission.DOWNLOAD) else 0,
            invited=sum(one.counts.total for one in overviews),
        )
