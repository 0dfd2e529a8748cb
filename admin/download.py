"""Downloading a shoot: its pictures as one archive, in the sizes and of the departments that are chosen."""

from __future__ import annotations

import re
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import get_translations

from admin import delivery
from core.db import transaction
from core.errors import InvalidInput
from core.models import Shoot
from core.permissions import Permission
from core.portraits import downloads, gallery
from core.portraits.downloads import Choice, NothingToDownload
from core.shoots import department_styles, shoots
from core.web import archive
from core.web.answers import back, page
from core.web.guards import me, requires
from core.words import N_

bp = Blueprint("download", __name__)


class NoSizeChosen(InvalidInput):
    """A form was sent with no size ticked: which one is meant nobody knows."""

    code = "no_size_chosen"


@bp.get("/shoots/<uuid:shoot_id>/deliver")
@requires(Permission.DOWNLOAD)
def deliver(shoot_id: UUID) -> Response:
    """Show what of a shoot can be downloaded, and in which form."""
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        number, waiting = gallery.count(session, shoot_id), gallery.waiting(session, shoot)
        departments = downloads.departments(session, shoot_id)
        return page(
            "admin/deliver.html",
            shoot=shoot,
            number=number,
            waiting=waiting,
            people=sum(some for _name, some in departments),
            fresh=downloads.fresh(session, shoot_id),
            departments=departments,
            outputs=department_styles.outputs(session, shoot),
        )


@bp.route("/shoots/<uuid:shoot_id>/download.zip", methods=["GET", "POST"])
@requires(Permission.DOWNLOAD)
def shoot_zip(shoot_id: UUID) -> Response:
    """Send every approved headshot in the sizes that are chosen, and alternatives in a folder.

    An address without sizes means the style's first. Departments come with a form alone: their names belong in no address.
    """
    user = me()
    if request.method == "POST" and not request.values.getlist("size"):
        nothing = N_("No size is ticked, so nothing was downloaded. Tick at least one, and download again.")
        return back(NoSizeChosen(nothing, field="size"), f"/admin/shoots/{shoot_id}/deliver")
    choice = Choice(
        outputs=tuple(request.values.getlist("size")),
        departments=frozenset(request.form.getlist("department")),
        only_new="new" in request.values,
    )
    with transaction(user.org_id) as session:
        name = name_of(shoots.get(session, shoot_id))
    try:
        made = delivery.files_of(user.org_id, shoot_id, user.actor, get_translations().gettext, choice)
    except NothingToDownload as error:
        if request.method == "POST":
            return back(error, f"/admin/shoots/{shoot_id}/deliver")
        raise
    return archive.send(made, name)


def name_of(shoot: Shoot) -> str:
    """Return what a shoot's archive is called."""
    return f"{re.sub(r'[^a-z0-9]+', '-', shoot.name.lower()).strip('-') or 'headshots'}.zip"
