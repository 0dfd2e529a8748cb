"""The brand studio: styles, their presets, and a preview that follows the sliders."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Blueprint, Response, abort, request
from flask_babel import gettext as _
from PIL import Image
from sqlalchemy.orm import Session

from admin.style_form import Fields, errors_of, fields_of, spec_of
from admin.style_words import LABELS
from admin.uploads import backdrop_sent, judged_backdrop
from admin.words import LOOKS, NO_LOOK, SIZES, Word
from core import uploads
from core.brand import files, looks, style_deletion, styles
from core.db import transaction
from core.errors import AppError, InvalidInput
from core.models import Style
from core.people import organizations
from core.permissions import Permission
from core.settings import diffusion_settings
from core.style.file import StyleUnusable, to_toml
from core.style.outputs import NAMED_OUTPUTS
from core.style.presets import SLATE, presets
from core.style.spec import ImageBackdrop, StyleSpec
from core.vault import vault
from core.web.answers import again, go, page, uuid_argument
from core.web.guards import me, requires

if TYPE_CHECKING:
    from workers.vision.geometry import Pixels

bp = Blueprint("styles", __name__)

PREVIEW_SIDE = 512  # pixels: sharp in the studio's column, and made within a fraction of a second
THUMBNAIL_SIDE = 192  # pixels
LONGEST_NAME = 80  # characters, as the style takes them


@bp.get("/styles")
@requires(Permission.EDIT_STYLE)
def index() -> Response:
    """List the newest version of each style."""
    with transaction(me().org_id) as session:
        accent = organizations.current(session).accent
        return page("admin/styles.html", listed=styles.newest(session), presets=presets(accent))


@bp.get("/styles/new")
@requires(Permission.EDIT_STYLE)
def new() -> Response:
    """Open the studio on a preset; a name that was typed before stays."""
    with transaction(me().org_id) as session:
        accent = organizations.current(session).accent
    chosen = request.args.get("preset", SLATE)
    spec = presets(accent).get(chosen)
    if spec is None:
        abort(404)
    typed = request.args.get("name", "").strip()[:LONGEST_NAME]
    return _studio(fields_of(spec) | {"name": typed or _(spec.name)} | _chosen(), preset=chosen)


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
        return _studio(fields_of(style.parsed) | _chosen(), style)


@bp.post("/styles/<uuid:style_id>")
@requires(Permission.EDIT_STYLE)
def change(style_id: UUID) -> Response:
    """Save a change: in place, or as a new version where a shoot uses this one."""
    return _save(style_id)


def _chosen() -> Fields:
    """Return what the form says of a picture that was sent before the page was loaded anew."""
    upload_id = uuid_argument("picture")
    return {"backdrop_kind": "image", "upload": str(upload_id)} if upload_id is not None else {}


def _studio(
    fields: Fields,
    style: Style | None = None,
    *,
    preset: str = "",
    error: AppError | None = None,
) -> Response:
    with transaction(me().org_id) as session:
        organization = organizations.current(session)
        offered = presets(organization.accent)
        values: dict[str, Any] = {
            "fields": fields,
            "style": style,
            "preset": preset,
            # A name that is a person's own stays when another preset is chosen.
            "typed": fields["name"] not in {_(one.name) for one in offered.values()},
            "presets": offered,
            "labels": LABELS,
            "has_logo": organization.logo_id is not None,
            "sizes": NAMED_OUTPUTS.values(),
            "size_names": SIZES,
            "look": _look(session, style),
            "can_delete": style is not None and style_deletion.is_possible(session, style),
            "errors": errors_of(error, fields) if error else {},
        }
    return again("admin/studio.html", error, **values) if error else page("admin/studio.html", **values)


def _look(session: Session, style: Style | None) -> Word | None:
    """Return how far the saved style's look is; `None` where none can be learned and there is none."""
    look = looks.of(session, style) if style is not None else None
    if look is not None:
        return LOOKS[looks.standing(look)]
    return NO_LOOK if style is not None and diffusion_settings().diffusion_base else None


def _save(style_id: UUID | None) -> Response:
    style = None
    # What the form says of its picture: the one that it has, and one that is being checked.
    sent = {"image_id": request.form.get("image_id", ""), "upload": ""}
    try:
        with transaction(me().org_id) as session:
            style = styles.get(session, style_id) if style_id else None
        # The picture stays though another field may be refused: a file cannot be put back into a form.
        if request.form.get("backdrop_kind") == "image" and (upload_id := backdrop_sent()) is not None:
            sent["upload"] = str(upload_id)
            sent = {"image_id": judged_backdrop(upload_id), "upload": ""}
        with transaction(me().org_id) as session:
            style = styles.get(session, style_id) if style_id else None
            before = style.parsed.backdrop if style is not None else None
            spec = spec_of(request.form, sent["image_id"])
            saved = styles.save(session, spec, style=style, actor=me().actor)
            shown = styles.picture(session, spec) if spec.backdrop != before else None
        is_soft = styles.is_picture_small(shown)
    except (InvalidInput, uploads.PictureRefused, uploads.StillChecking, styles.StyleNameTaken) as error:
        if isinstance(error, uploads.PictureRefused):
            sent["upload"] = ""
        kept = {name: "" for name in fields_of(StyleSpec()) if name.startswith("size-")}
        fields = fields_of(StyleSpec()) | kept | dict(request.form.items()) | sent
        return _studio(fields, style, preset=fields.get("preset", ""), error=error)
    message = (
        _("Saved as version %(number)s. Shoots that use an earlier version keep it.", number=saved.version)
        if saved.version > 1
        else _("Saved. Next: create a shoot with this style.")
    )
    if is_soft:
        message += " " + _(
            "The backdrop's picture has less than %(least)s pixels on its short side: it will look soft behind people.",
            least=styles.SMALL_PICTURE,
        )
    return go(
        f"/admin/styles/{saved.id}",
        message,
        "warn" if is_soft else "good",
        id=str(saved.id),
        version=saved.version,
    )


@bp.post("/styles/<uuid:style_id>/delete")
@requires(Permission.EDIT_STYLE)
def delete(style_id: UUID) -> Response:
    """Delete a style that no shoot uses."""
    with transaction(me().org_id) as session:
        style_deletion.delete(session, styles.get(session, style_id), actor=me().actor)
    return go("/admin/styles", _("The style and its pictures are deleted."))


@bp.get("/styles/<uuid:style_id>/style.toml")
@requires(Permission.EDIT_STYLE)
def toml(style_id: UUID) -> Response:
    """Return the style as the file that `headshots render --style` reads."""
    with transaction(me().org_id) as session:
        text = to_toml(styles.get(session, style_id).parsed)
    response = Response(text, mimetype="application/toml")
    response.headers.set("Content-Disposition", "attachment", filename="style.toml")
    return response


@bp.post("/styles/preview.jpg")
@requires(Permission.EDIT_STYLE)
def show() -> Response:
    """Return a portrait in the style that the form describes; saves nothing."""
    # Only where a picture is made: they bring a hundred megabytes of libraries along.
    from workers.studio.preview import preview

    image_id = request.form.get("image_id", "")
    if request.form.get("backdrop_kind") == "image" and (upload_id := backdrop_sent()) is not None:
        image_id = judged_backdrop(upload_id)
    # A name is asked for on saving; a preview does without.
    form = {**request.form.to_dict(), "name": request.form.get("name", "").strip() or "–"}
    try:
        spec = spec_of(form, image_id)
    except StyleUnusable as error:
        wrong = errors_of(error, form)
        raise InvalidInput(
            "Something in this style cannot be used; it is marked.",
            marked=list(wrong),
            said=list(wrong.values()),
        ) from error
    with transaction(me().org_id) as session:
        logo = styles.logo(session, spec)
        kept = styles.picture(session, spec)
    if isinstance(spec.backdrop, ImageBackdrop) and kept is None:
        raise InvalidInput(_("Please choose a picture for the backdrop."))
    backdrop = _pixels(files.smaller(vault().open(kept), PREVIEW_SIDE * 2)) if kept is not None else None
    drawn = files.rgba(vault().open(logo)) if logo is not None else None
    jpeg = preview(spec, backdrop, PREVIEW_SIDE, drawn)
    return Response(jpeg, mimetype="image/jpeg")


@bp.get("/styles/presets/<key>.jpg")
@requires(Permission.EDIT_STYLE)
def thumbnail(key: str) -> Response:
    """Return a small portrait in a preset, in the company's colour where the preset takes it."""
    with transaction(me().org_id) as session:
        spec = presets(organizations.current(session).accent).get(key)
    if spec is None:
        abort(404)
    response = Response(_thumbnail(spec), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, max-age=600"
    return response


@bp.get("/styles/<uuid:style_id>.jpg")
@requires(Permission.EDIT_STYLE)
def card(style_id: UUID) -> Response:
    """Return a small portrait in a style, before its own backdrop; a browser that has it already gets 304."""
    with transaction(me().org_id) as session:
        spec = styles.get(session, style_id).parsed
    response = Response(_thumbnail(spec, me().org_id), mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-cache"  # a style that no shoot uses changes in place
    response.add_etag()
    response.make_conditional(request)
    return response


@lru_cache(maxsize=256)  # 10 kB each; a changed style is another key
def _thumbnail(spec: StyleSpec, org_id: UUID | None = None) -> bytes:
    from workers.studio.preview import preview

    backdrop = None
    if org_id is not None and isinstance(spec.backdrop, ImageBackdrop):
        with transaction(org_id) as session:
            kept = styles.picture(session, spec)
        # Small at once: all that it shows is as large as a stamp.
        if kept is not None:
            backdrop = _pixels(files.smaller(vault().open(kept), THUMBNAIL_SIDE * 2))
    return preview(spec, backdrop, THUMBNAIL_SIDE)


def _pixels(jpeg: bytes) -> Pixels:
    import numpy as np

    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        return np.asarray(picture.convert("RGB"))
