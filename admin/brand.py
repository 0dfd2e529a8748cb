"""The company's name, colour and logo."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from core import uploads
from core.brand import brands, files
from core.db import transaction
from core.errors import InvalidInput
from core.models import Member, Use
from core.people import organizations
from core.permissions import Permission
from core.vault import vault
from core.web.answers import again, go, page
from core.web.checking import checked
from core.web.guards import me, requires

bp = Blueprint("brand_page", __name__)


@bp.get("/brand")
@requires(Permission.EDIT_STYLE)
def edit() -> Response:
    """Show the brand, and what is with the logo that was sent last."""
    with transaction(me().org_id) as session:
        organization = organizations.current(session)
        label = organization.label_models
    return page(
        "admin/brand.html", name=organization.name, accent=organization.accent, label=label, **_logo()
    )


@bp.post("/brand")
@requires(Permission.EDIT_STYLE)
def save() -> Response:
    """Save the brand; a new logo is shown once it was judged, and until then the one before."""
    name, accent = request.form.get("name", ""), request.form.get("accent", "")
    label = "label" in request.form
    upload = request.files.get("logo")
    logo = upload.read() if upload is not None and upload.filename else None
    sent = None
    user = me()
    try:
        given = [(logo, files.glance(logo))] if logo is not None else []
        sealed = uploads.seal(user.org_id, Use.LOGO, given, sender_id=user.member_id)
        with transaction(user.org_id) as session:
            brands.save(
                session,
                name=name,
                accent=accent,
                remove_logo="remove_logo" in request.form,
                actor=user.actor,
            )
            if "label_asked" in request.form:
                brands.label_models(session, label, actor=user.actor)
            if sealed:
                sender = session.get_one(Member, user.member_id)
                sent = str(uploads.receive(session, Use.LOGO, sealed, sender=sender).id)
    except InvalidInput as error:
        return again("admin/brand.html", error, name=name, accent=accent, label=label, **_logo())
    return go(
        "/admin/brand",
        _("Saved. Your new logo follows as soon as it is checked.")
        if sent
        else _("Saved. This is how your people see you from now on."),
        upload=sent,
    )


def _logo() -> dict[str, Any]:
    """Return what the page says of the logo: how far the one is that was sent, and whether there are enough pixels."""
    with transaction(me().org_id) as session:
        sent = uploads.newest(session, Use.LOGO)
        shown = checked(sent) if sent is not None else None
        logo_id = organizations.current(session).logo_id
        held = vault().find(session, logo_id) if logo_id is not None else None
    side = max(files.size(vault().open(held))) if held is not None else None
    return {
        "sent": shown,
        "sent_url": f"/admin/uploads/{sent.id}.json" if sent is not None else "",
        "least": brands.SMALL_LOGO,
        "is_blurred": side is not None and side < brands.SMALL_LOGO,
    }
