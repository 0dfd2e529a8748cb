"""Photos in pieces: an upload goes on where it stopped, after a lost connection and after a reload."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request

from compliance import consent as consents
from core.checks.advice import ADVICE, Issue
from core.db import transaction
from core.image.kinds import TooManyBytes
from core.portraits import arrivals, photos
from core.settings import settings
from core.vault import ArtifactGone, vault
from core.web.answers import json_answer
from core.web.app import limiter
from core.web.guards import me, signed_in
from core.web.photos import upload_key
from portal import listing
from portal.visit import visit

bp = Blueprint("pieces", __name__)


@bp.post("/me/photos/pieces")
@signed_in
@limiter.limit("600 per minute")
def add() -> Response:
    """Take the next piece of a photo and say how much of it is here; the last one makes the photo."""
    key = upload_key(request.args)
    at, size = (request.args.get(name, default=-1, type=int) for name in ("at", "size"))
    content = request.get_data()
    user = me()
    with transaction(user.org_id) as session:
        place = visit(session)
        consent = consents.require(session, place.member.id)
        earlier = photos.of_key(session, place.participation, key)
        if earlier is not None:
            return json_answer(listing.as_json(earlier))
        photos.demand_room(session, place.participation)
        if size > settings().upload_max_bytes:
            raise TooManyBytes(ADVICE[Issue.FILE_TOO_LARGE].text)
        if at == 0:
            photos.glance(content)  # what is no photo is not waited for
        piece = arrivals.look(
            session, place.participation, len(content), upload_key=key, at=at, size=size, consent=consent
        )
    if not piece.follows:
        return json_answer({"received": piece.received}, 202)
    if piece.is_last:
        try:
            before = [vault().open(one) for one in piece.before]
        except ArtifactGone:  # this last piece came twice, or the photo is not wanted any more
            return _gone(key)
        return _whole(b"".join([*before, content]), key, piece.photo_id)
    sealed = arrivals.seal(user.org_id, user.member_id, content)
    with transaction(user.org_id) as session:
        place = visit(session, lock=True)
        consent = consents.require(session, place.member.id)
        received = arrivals.add(session, place.participation, sealed, upload_key=key, at=at, consent=consent)
    return json_answer({"received": received}, 202)


def _gone(key: str) -> Response:
    with transaction(me().org_id) as session:
        made = photos.of_key(session, visit(session).participation, key)
        return json_answer(listing.as_json(made)) if made is not None else json_answer({"received": 0}, 202)


def _whole(content: bytes, key: str, photo_id: UUID | None) -> Response:
    """Make the photo of its pieces; whoever sent the last one twice gets the one photo."""
    user = me()
    sealed = photos.seal(user.org_id, user.member_id, content, photos.glance(content))
    with transaction(user.org_id) as session:
        place = visit(session, lock=True)
        consent = consents.require(session, place.member.id)
        arrivals.forget(session, place.participation, key)
        stored = photos.store(
            session, place.participation, sealed, upload_key=key, consent=consent, photo_id=photo_id
        )
        return json_answer(listing.as_json(stored.photo), 201)


@bp.post("/me/photos/pieces/remove")
@signed_in
def remove() -> Response:
    """Delete what has arrived of a photo that is not wanted any more."""
    key = upload_key(request.args)
    with transaction(me().org_id) as session:
        arrivals.forget(session, visit(session, lock=True).participation, key)
    return json_answer({"received": 0})
