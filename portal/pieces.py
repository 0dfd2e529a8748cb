"""Photos in pieces: an upload goes on where it stopped, after a lost connection and after a reload."""

from __future__ import annotations

from flask import Blueprint, Response, request

from compliance import consent as consents
from core.checks.advice import ADVICE, Issue
from core.db import transaction
from core.image.kinds import TooManyBytes
from core.portraits import arrivals, photos
from core.settings import settings
from core.web.answers import json_answer
from core.web.app import limiter
from core.web.guards import me, signed_in
from portal import listing
from portal.upload import quick_check, upload_key
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
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        consent = consents.require(session, place.member.id)
        earlier = photos.of_key(session, place.participation, key)
        if earlier is not None:
            return json_answer(listing.as_json(earlier))
        photos.demand_room(session, place.participation)
        if size > settings().upload_max_bytes:
            raise TooManyBytes(ADVICE[Issue.FILE_TOO_LARGE].text)
        if at == 0:
            quick_check(content)  # what is no photo is not waited for
        arrived = arrivals.add(
            session, place.participation, content, upload_key=key, at=at, size=size, consent=consent
        )
        if arrived.whole is None:
            return json_answer({"received": arrived.received}, 202)
        stored = photos.store(
            session,
            place.participation,
            arrived.whole,
            media_type=quick_check(arrived.whole),
            upload_key=key,
            consent=consent,
            photo_id=arrived.id,
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
