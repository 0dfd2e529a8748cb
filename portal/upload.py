"""Photos: one request per file that may be retried, verdicts that arrive by themselves, sending them off."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage

from compliance import consent as consents
from core.db import transaction
from core.errors import NotFound
from core.ids import new_id
from core.image.kinds import ACCEPT
from core.models import Photo
from core.portraits import arrivals, headshots, photos, submission, verdicts
from core.settings import settings
from core.shoots import participations
from core.vault import Sealed, derive, vault
from core.web.answers import back, go, json_answer, page
from core.web.app import limiter
from core.web.errors import wants_json
from core.web.guards import me, signed_in
from core.web.photos import sent, take_all, upload_key
from core.web.pictures import picture
from portal import listing, words
from portal.visit import Visit, step_url, visit
from portal.way_back import asked_again, way_back

bp = Blueprint("upload", __name__)


@bp.get("/me/photos")
@signed_in
def show() -> Response:
    """Show the photos and where to add more."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state not in photos.OPEN:
            return go(step_url(place.state))
        participations.demand_running(session, place.participation)
        return page(
            "photos.html",
            place=place,
            listing=_listing(session, place),
            same_shot=listing.same_shot("{number}")["advice"],
            accept=ACCEPT,
            upload_key=new_id().hex,
            most_bytes=settings().upload_max_bytes,
            salt=_salt(place),
            arrived={
                one.upload_key: one.received
                for one in arrivals.of_participation(session, place.participation.id)
            },
            way_back=way_back(session, place),
            asked_again=asked_again(session, place),
            size_name=words.size,
        )


def _salt(place: Visit) -> str:
    """Return what a browser mixes into the upload keys that it makes of files, so that a key says nothing of its file."""
    return hmac.new(derive("upload keys"), place.participation.id.bytes, sha256).hexdigest()


@bp.get("/me/photos.json")
@signed_in
def poll() -> Response:
    """Return the photos with their verdicts, for the page that waits for them."""
    with transaction(me().org_id) as session:
        place = visit(session)
        return json_answer(_listing(session, place))


def _listing(session: Session, place: Visit) -> dict[str, Any]:
    made = headshots.of_participation(session, place.participation.id)
    return listing.listing(
        photos.of_participation(session, place.participation.id), place.state, listing.failures(made)
    )


@bp.route("/me/photos", methods=["POST", "PUT"])
@signed_in
@limiter.limit("240 per minute")
def add() -> Response:
    """Take a photo; sent again with the same `upload_key` it is the same photo."""
    files, key = sent(request.files), upload_key(request.form)
    return _add_one(files[0], key) if wants_json() else _add_all(files, key)


def _add_one(file: FileStorage, key: str) -> Response:
    stored = _take(file.read(), key)
    return json_answer(listing.as_json(stored.photo), 201 if stored.created else 200)


def _add_all(files: list[FileStorage], key: str) -> Response:
    with transaction(me().org_id) as session:
        visit(session)
    take_all(files, key, _take)
    return go(url_for("upload.show"))


def _take(content: bytes, key: str) -> photos.Stored:
    media_type = photos.glance(content)
    known = _known(key)
    if known is not None:
        return photos.Stored(known, created=False)
    sealed = photos.seal(me().org_id, me().member_id, content, media_type)
    with transaction(me().org_id) as session:
        return _store(session, visit(session), sealed, key)


def _known(key: str) -> Photo | None:
    """Return the photo that an earlier try brought; asked before anything is sealed, as is whether there is room."""
    with transaction(me().org_id) as session:
        place = visit(session)
        consents.require(session, place.member.id)
        earlier = photos.of_key(session, place.participation, key)
        if earlier is None:
            photos.demand_room(session, place.participation)
        return earlier


def _store(session: Session, place: Visit, sealed: Sealed, key: str) -> photos.Stored:
    consent = consents.require(session, place.member.id)
    return photos.store(session, place.participation, sealed, upload_key=key, consent=consent)


@bp.get("/me/photos/<uuid:photo_id>/preview")
@signed_in
def preview(photo_id: UUID) -> Response:
    """Serve the small copy of one's own photo."""
    with transaction(me().org_id) as session:
        photo = photos.get(session, me().member_id, photo_id)
        if photo.preview_id is None:
            raise NotFound(_("This photo has no preview yet."))
        held = vault().find(session, photo.preview_id)
    return picture(vault().open(held), "image/jpeg")


@bp.post("/me/photos/<uuid:photo_id>/subject")
@signed_in
@limiter.limit("60 per minute")
def choose(photo_id: UUID) -> Response:
    """Keep which of several people on one's own photo one is; its check goes on at once."""
    face_index = request.form.get("face", default=-1, type=int)
    with transaction(me().org_id) as session:
        place = visit(session)
        consents.require(session, place.member.id)
        photo = photos.get(session, place.member.id, photo_id)
        verdicts.choose_face(session, photo, face_index, actor=place.actor)
        if wants_json():
            return json_answer(listing.as_json(photo))
    return go(url_for("upload.show"))


@bp.post("/me/photos/<uuid:photo_id>/me")
@signed_in
@limiter.limit("60 per minute")
def confirm(photo_id: UUID) -> Response:
    """Keep that one's own photo shows oneself, although it differs from the others."""
    with transaction(me().org_id) as session:
        place = visit(session)
        consents.require(session, place.member.id)
        photo = photos.get(session, place.member.id, photo_id)
        verdicts.is_me(session, photo, actor=place.actor)
        if wants_json():
            return json_answer(listing.as_json(photo))
    return go(url_for("upload.show"))


@bp.post("/me/photos/<uuid:photo_id>/again")
@signed_in
@limiter.limit("20 per minute")
def check_again(photo_id: UUID) -> Response:
    """Check a photo once more whose check failed for a reason of ours."""
    with transaction(me().org_id) as session:
        place = visit(session)
        consents.require(session, place.member.id)
        photo = photos.get(session, place.member.id, photo_id)
        verdicts.check_again(session, photo)
        if wants_json():
            return json_answer(listing.as_json(photo))
    return go(url_for("upload.show"))


@bp.post("/me/photos/<uuid:photo_id>/remove")
@signed_in
def remove(photo_id: UUID) -> Response:
    """Delete one photo for good."""
    with transaction(me().org_id) as session:
        place = visit(session)
        photos.remove(session, photos.get(session, place.member.id, photo_id), actor=place.actor)
    return go(url_for("upload.show"))


@bp.post("/me/submit")
@signed_in
def submit() -> Response:
    """Send the accepted photos to the studio."""
    try:
        with transaction(me().org_id) as session:
            place = visit(session)
            consents.require(session, place.member.id)
            submission.submit(session, place.participation, actor=place.actor)
    except (submission.NoGoodPhoto, submission.StillChecking, submission.StillAsks) as error:
        return back(error, url_for("upload.show"))
    return go(url_for("progress.show"))
