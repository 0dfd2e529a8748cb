"""The company's name, colour and logo."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from core.brand import brands, pictures
from core.db import transaction
from core.errors import InvalidInput
from core.people import organizations
from core.permissions import Permission
from core.web.answers import again, go, page
from core.web.guards import me, requires

bp = Blueprint("brand_page", __name__)


@bp.get("/brand")
@requires(Permission.EDIT_STYLE)
def edit() -> Response:
    """Show the brand."""
    with transaction(me().org_id) as session:
        organization = organizations.current(session)
        return page("admin/brand.html", name=organization.name, accent=organization.accent)


@bp.post("/brand")
@requires(Permission.EDIT_STYLE)
def save() -> Response:
    """Save the brand; a file that is no picture changes nothing."""
    name, accent = request.form.get("name", ""), request.form.get("accent", "")
    upload = request.files.get("logo")
    logo = upload.read() if upload is not None and upload.filename else None
    try:
        with transaction(me().org_id) as session:
            brands.save(
                session,
                name=name,
                accent=accent,
                logo=logo,
                remove_logo="remove_logo" in request.form,
                actor=me().actor,
            )
    except InvalidInput as error:
        return again("admin/brand.html", error, name=name, accent=accent)
    message = _("Saved. This is how your people see you from now on.")
    is_blurred = logo is not None and max(pictures.size(logo)) < brands.SMALL_LOGO
    if is_blurred:
        message += " " + _(
            "The logo has less than %(least)s pixels on its longer side: it will look blurred on pages and files.",
            least=brands.SMALL_LOGO,
        )
    return go("/admin/brand", message, "warn" if is_blurred else "good")
