"""The brand studio: styles, their presets, and a preview that follows the sliders."""

from __future__ import annotations

import io
from uuid import UUID

import numpy as np
from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _
from PIL import Image

from admin.answers import again, done, page
from admin.style_form import Fields, fields_of, has_image, spec_of
from core.db import transaction
from core.errors import InvalidInput
from core.models import Style
from core.permissions import Permission
from core.services import pictures, styles
from core.style import ImageBackdrop, StyleSpec
from core.web.guards import me, requires
from workers.studio.preview import preview
from workers.vision.geometry import Pixels

bp = Blueprint("styles", __name__)

PREVIEW_SIDE = 512  # pixels: sharp in the studio's column, and made within a fraction of a second


@bp.get("/styles")
@requires(Permission.EDIT_STYLE)
def index() -> Response:
    """List the newest version of each style."""
    with transaction(me().org_id) as session:
        return page("styles.html", listed=styles.newest(session), presets=styles.PRESETS)


@bp.get("/styles/new")
@requires(Permission.EDIT_STYLE)
def new() -> Response:
    """Open the studio on a preset."""
    chosen = request.args.get("preset", "studio-grey")
    if chosen not in styles.PRESETS:
        abort(404)
    spec = styles.PRESETS[chosen]
    return _studio(fields_of(spec) | {"name": _(spec.name)}, None, chosen)


@bp.post("/styles/new")
@requires(Permission.EDIT_STYLE)
def create() -> Response:
    """Save a new style."""
    return _save(None)


@bp.get("/styles/<uuid:style_id>")
@requires(Permission.EDIT_STYLE)
def edit(style_id: UUID) -> Response:
    """Open the studio on a style."""
    with transaction(me().org_id) as session:
        style = styles.get(session, style_id)
        return _studio(fields_of(style.parsed), style, "")


@bp.post("/styles/<uuid:style_id>")
@requires(Permission.EDIT_STYLE)
def change(style_id: UUID) -> Response:
    """Save a change: in place, or as a new version where a shoot uses this one."""
    return _save(style_id)


def _studio(fields: Fields, style: Style | None, preset: str) -> Response:
    return page("studio.html", fields=fields, style=style, preset=preset, presets=styles.PRESETS)


def _save(style_id: UUID | None) -> Response:
    style = None
    try:
        with transaction(me().org_id) as session:
            style = styles.get(session, style_id) if style_id else None
            upload = _upload()
            image_id = request.form.get("image_id", "")
            if upload is not None and request.form.get("backdrop_kind") == "image":
                image_id = str(styles.keep_picture(session, upload))
            spec = spec_of(request.form, image_id)
            if has_image(spec) and styles.picture(session, spec) is None:
                raise InvalidInput(_("The backdrop's picture is gone. Please choose it again."))
            saved = styles.save(session, spec, style=style, actor=me().actor)
    except (InvalidInput, styles.StyleNameTaken) as error:
        fields = fields_of(StyleSpec()) | dict(request.form.items())
        return again("studio.html", error, fields=fields, style=style, preset="", presets=styles.PRESETS)
    message = (
        _("Saved as version %(number)s. Shoots that use an earlier version keep it.", number=saved.version)
        if saved.version > 1
        else _("Saved. Next: create a shoot with this style.")
    )
    return done(f"/admin/styles/{saved.id}", message, id=str(saved.id), version=saved.version)


@bp.post("/styles/preview.jpg")
@requires(Permission.EDIT_STYLE)
def show() -> Response:
    """Return a portrait in the style that the form describes; saves nothing."""
    upload = _upload()
    image_id = request.form.get("image_id", "")
    backdrop: Pixels | None = None
    if request.form.get("backdrop_kind") == "image" and upload is not None:
        backdrop = _pixels(pictures.backdrop_jpeg(upload, PREVIEW_SIDE * 2))
        image_id = image_id or "upload"
    # A name is asked for on saving; a preview does without.
    spec = spec_of({**request.form.to_dict(), "name": request.form.get("name", "").strip() or "–"}, image_id)
    if isinstance(spec.backdrop, ImageBackdrop) and backdrop is None:
        with transaction(me().org_id) as session:
            kept = styles.picture(session, spec)
        if kept is None:
            raise InvalidInput(_("Please choose a picture for the backdrop."))
        backdrop = _pixels(kept)
    return Response(preview(spec, backdrop, PREVIEW_SIDE), mimetype="image/jpeg")


def _upload() -> bytes | None:
    file = request.files.get("image")
    content = file.read() if file is not None and file.filename else b""
    return content or None


def _pixels(jpeg: bytes) -> Pixels:
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        return np.asarray(picture.convert("RGB"))
