"""The company's look: pictures that the image model learns a style from, how far it is, and their end."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin.words import LOOKS
from core import progress, uploads
from core.brand import look_pictures, looks, styles
from core.brand.files import smaller
from core.brand.looks import Standing
from core.db import transaction
from core.errors import InvalidInput, NotFound
from core.models import Look, Member, Style, Use
from core.permissions import Permission
from core.settings import diffusion_settings
from core.vault import vault
from core.web.answers import again, go, json_answer, page
from core.web.app import limiter
from core.web.checking import checked
from core.web.errors import wants_json
from core.web.guards import me, requires

bp = Blueprint("looks", __name__)

THUMBNAIL_SIDE = 320  # pixels: twice what the page shows, for sharp screens


@bp.get("/styles/<uuid:style_id>/look")
@requires(Permission.EDIT_STYLE)
def view(style_id: UUID) -> Response:
    """Show a style's look and how far it is; as JSON, the progress that the page polls."""
    with transaction(me().org_id) as session:
        style, look = _found(session, style_id)
        shown = _values(session, style, look)
    if wants_json():
        standing, far = shown["standing"], shown["progress"]
        return json_answer(
            {
                "standing": standing.value if standing is not None else None,
                "pictures": len(look.pictures) if look is not None else 0,
                "percent": far.percent if far is not None else None,
                "seconds_left": far.seconds_left if far is not None else None,
                "failure": look.failure_code if look is not None else None,
            }
        )
    return page("admin/look.html", **shown)


@bp.post("/styles/<uuid:style_id>/look")
@requires(Permission.EDIT_STYLE)
@limiter.limit("20 per hour")  # each may have a worker decode forty large pictures
def give(style_id: UUID) -> Response:
    """Take pictures for the style's look; once they were judged, it is learned."""
    files = [one.read() for one in request.files.getlist("pictures") if one.filename]
    try:
        with transaction(me().org_id) as session:
            style, look = _found(session, style_id)
            shown = _values(session, style, look)
            if not shown["is_on"]:
                raise InvalidInput(_("No image model is set up here any more, so nothing can be learned."))
            look_pictures.demand(len(files), rights="rights" in request.form)
            looks.demand_newest(session, style)
        # Whether each is a picture, the worker says, of all of them together.
        named = [(content, "application/octet-stream") for content in files]
        sealed = uploads.seal(me().org_id, Use.LOOK, named, sender_id=me().member_id)
        with transaction(me().org_id) as session:
            style, look = _found(session, style_id)
            looks.demand_newest(session, style)
            sender = session.get_one(Member, me().member_id)
            sent = uploads.receive(session, Use.LOOK, sealed, sender=sender, subject_id=style.id)
            upload_id = str(sent.id)
    except (InvalidInput, looks.NewerVersion) as error:
        return again("admin/look.html", error, **shown)
    return go(f"/admin/styles/{style_id}/look", upload=upload_id)


@bp.post("/styles/<uuid:style_id>/look/again")
@requires(Permission.EDIT_STYLE)
def try_again(style_id: UUID) -> Response:
    """Learn a look that could not be learned once more."""
    with transaction(me().org_id) as session:
        style, _look = _found(session, style_id)
        looks.try_again(session, style)
    return go(f"/admin/styles/{style_id}/look", _("The look is being learned."))


@bp.post("/styles/<uuid:style_id>/look/remove")
@requires(Permission.EDIT_STYLE)
def remove(style_id: UUID) -> Response:
    """Destroy the look with its pictures."""
    with transaction(me().org_id) as session:
        looks.remove(session, styles.get(session, style_id), actor=me().actor)
    return go(f"/admin/styles/{style_id}", _("The look and its pictures are removed."))


@bp.get("/styles/<uuid:style_id>/look/<uuid:picture_id>.jpg")
@requires(Permission.EDIT_STYLE)
def picture(style_id: UUID, picture_id: UUID) -> Response:
    """Return one of the look's pictures, small."""
    with transaction(me().org_id) as session:
        held = looks.picture(session, styles.get(session, style_id), picture_id)
    return Response(smaller(vault().open(held), THUMBNAIL_SIDE), mimetype="image/jpeg")


def _found(session: Session, style_id: UUID) -> tuple[Style, Look | None]:
    """Return a style and its look; without an image model only what has a look, so that it can be removed.

    Raises:
        NotFound: there is no such style, or nothing to be done for it.
    """
    style = styles.get(session, style_id)
    look = looks.of(session, style)
    if look is None and not diffusion_settings().diffusion_base:
        raise NotFound(_("There is no page at this address."))
    return style, look


def _values(session: Session, style: Style, look: Look | None) -> dict[str, Any]:
    sent = uploads.newest(session, Use.LOOK, subject_id=style.id)
    standing = looks.standing(look) if look is not None else None
    return {
        "style": style,
        "sent": checked(sent) if sent is not None else None,
        "sent_id": str(sent.id) if sent is not None else "",
        "sent_url": f"/admin/uploads/{sent.id}.json" if sent is not None else "",
        "look": look,
        "standing": standing,
        "word": LOOKS[standing] if standing is not None else None,
        "progress": progress.read(look.id) if look is not None and standing is Standing.LEARNING else None,
        "is_on": bool(diffusion_settings().diffusion_base),
        "least": look_pictures.LEAST,
        "most": look_pictures.MOST,
        "smallest": look_pictures.SMALLEST_SIDE,
    }
