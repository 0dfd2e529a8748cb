"""Pictures that were sent for the brand: how far their check is, and those of a form that cannot go on without."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from core import uploads
from core.brand import files, styles
from core.db import transaction
from core.errors import AppError, InvalidInput, NotFound
from core.models import Member, Use
from core.permissions import Permission
from core.web.answers import json_answer
from core.web.app import limiter
from core.web.checking import checked
from core.web.guards import me, requires

bp = Blueprint("uploads", __name__)


@bp.get("/uploads/<uuid:upload_id>.json")
@requires(Permission.EDIT_STYLE)
def poll(upload_id: UUID) -> Response:
    """Return how far an upload is, for the page that waits for it; never one in place of a headshot."""
    with transaction(me().org_id) as session:
        upload = uploads.get(session, upload_id)
        if upload.use == Use.OWN_PICTURE:
            raise NotFound(_("There is no page at this address."))
        shown = checked(upload)
        # Where a shoot uses the version that a look was given for, a further one has it.
        moved = upload.use == Use.LOOK and shown.result is not None
    return json_answer(
        {**shown.as_json(), **({"next": f"/admin/styles/{shown.result}/look"} if moved else {})}
    )


@bp.post("/styles/pictures")
@requires(Permission.EDIT_STYLE)
@limiter.limit("60 per hour")
def take() -> Response:
    """Take a backdrop's picture; the studio follows its check, and then puts the result into its form."""
    upload = request.files.get("image")
    upload_id = _received(upload.read() if upload is not None else b"")
    return json_answer({"upload": str(upload_id), "poll": f"/admin/uploads/{upload_id}.json"})


def backdrop_sent() -> UUID | None:
    """Return the upload that came with the studio's form, or that it names; `None` where there is neither."""
    upload = request.files.get("image")
    if upload is not None and upload.filename:
        return _received(upload.read())
    try:
        return UUID(request.form["upload"]) if request.form.get("upload") else None
    except ValueError as error:
        raise InvalidInput(_("This address is not complete. Please go back and try again.")) from error


def judged_backdrop(upload_id: UUID) -> str:
    """Return the picture that came of an upload, for the style; waits until it was judged.

    Raises:
        AppError: it was refused, or nobody has come to it yet; about the form's field `image`.
    """
    try:
        return str(uploads.wait(me().org_id, Use.BACKDROP, upload_id))
    except NotFound as error:
        raise styles.PictureGone(error.template, field="image") from error
    except AppError as error:
        error.details["field"] = "image"
        raise


def _received(content: bytes) -> UUID:
    try:
        media_type = files.glance(content)
    except files.PictureUnusable as error:
        error.details["field"] = "image"
        raise
    user = me()
    sealed = uploads.seal(user.org_id, Use.BACKDROP, [(content, media_type)], sender_id=user.member_id)
    with transaction(user.org_id) as session:
        sender = session.get_one(Member, user.member_id)
        return uploads.receive(session, Use.BACKDROP, sealed, sender=sender).id
