"""Copies of people who were erased: what the company still has to delete, and that it has."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from compliance import recall
from core.db import transaction
from core.errors import InvalidInput
from core.permissions import Permission
from core.web.answers import go, page
from core.web.guards import me, requires

bp = Blueprint("recalls", __name__)


@bp.get("/recalls")
@requires(Permission.DOWNLOAD)
def index() -> Response:
    """List what is asked, and what was answered."""
    with transaction(me().org_id) as session:
        return page("admin/recalls.html", recalls=recall.listed(session), most=recall.AT_ONCE)


@bp.get("/recalls/<uuid:recall_id>")
@requires(Permission.DOWNLOAD)
def view(recall_id: UUID) -> Response:
    """Show which files to delete."""
    with transaction(me().org_id) as session:
        return page("admin/recall.html", one=recall.read(session, recall_id))


@bp.post("/recalls/<uuid:recall_id>/confirm")
@requires(Permission.DOWNLOAD)
def confirm(recall_id: UUID) -> Response:
    """Note that the copies are deleted; their names are forgotten."""
    if "deleted" not in request.form:
        raise InvalidInput(_("Please delete the files first, and then tick that they are deleted."))
    with transaction(me().org_id) as session:
        recall.confirm(session, recall_id, actor=me().actor)
    return go(
        "/admin/recalls",
        _("Thank you. It is written into the log, and the file names are forgotten here too."),
    )
