"""Declining costs nothing: initials in the company's colour, or a picture of one's own."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from compliance import consent as consents
from core import uploads
from core.consent import Purpose
from core.db import transaction
from core.errors import Conflict, InvalidInput, NotFound
from core.image.kinds import ACCEPT, UnreadablePhoto
from core.models import Alternative, State, Use
from core.portraits import avatars, headshots, photos
from core.shoots import participations
from core.vault import vault
from core.web.answers import back, go, page
from core.web.app import limiter
from core.web.brand import brand_of
from core.web.checking import checked
from core.web.guards import me, signed_in
from portal.files import attachment, picture
from portal.upload import quick_check
from portal.visit import Visit, step_url, visit

bp = Blueprint("declined", __name__)


@bp.post("/me/decline")
@signed_in
def decline() -> Response:
    """Decline, or change one's mind afterwards: what was uploaded and made is deleted."""
    try:
        alternative = Alternative(request.form.get("alternative", Alternative.INITIALS))
    except ValueError as error:
        raise InvalidInput(_("Choose your initials or a picture of your own.")) from error
    with transaction(me().org_id) as session:
        leave(session, visit(session, lock=True), alternative)
    return go(url_for("declined.show"))


def leave(session: Session, place: Visit, alternative: Alternative = Alternative.INITIALS) -> None:
    """End the person's part: consents are taken back, photos and results deleted; declining again is fine."""
    for purpose in Purpose:
        consents.withdraw(session, place.member, purpose)
    photos.remove_all(session, place.member, actor=place.actor)
    headshots.delete_all(session, place.member)
    participation = place.participation
    if place.state is State.EXPIRED:
        participations.move(session, participation, State.OPENED, actor=place.actor)
    if place.state in (State.APPROVED, State.DELIVERED):
        participations.move(session, participation, State.READY, actor=place.actor)
    participations.move(session, participation, State.DECLINED, actor=place.actor)
    if alternative is Alternative.INITIALS:
        avatars.remove_own_picture(session, place.member)
    participation.alternative = alternative
    participation.chosen_headshot_id = None
    participation.approved_at = None
    participation.failure_code = None


def _declined(place: Visit) -> Visit:
    if place.state is not State.DECLINED:
        raise Conflict(_("This page is for those who declined. Your own page shows where you stand."))
    return place


@bp.get("/me/declined")
@signed_in
def show() -> Response:
    """Show what stands in for a headshot."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state is not State.DECLINED:
            return go(step_url(place.state))
        sent = uploads.newest(session, Use.OWN_PICTURE, sender_id=place.member.id)
        return page(
            "declined.html",
            place=place,
            own=avatars.own_picture(session, place.member.id),
            sent=checked(sent) if sent is not None else None,
            sizes=avatars.SIZES,
            accept=ACCEPT,
            wants_own=place.participation.alternative == Alternative.OWN_PICTURE,
        )


@bp.get("/me/avatar-<int:size>.png")
@signed_in
def avatar(size: int) -> Response:
    """Serve the initials on the company's colour."""
    with transaction(me().org_id) as session:
        place = visit(session)
        brand = brand_of(place.organization)
        content = avatars.render(place.member.initials, ground=brand.accent, ink=brand.on_accent, size=size)
    if "download" in request.args:
        return attachment(content, "image/png", f"avatar-{size}.png")
    return picture(content, "image/png")


@bp.post("/me/own-picture")
@signed_in
@limiter.limit("20 per minute")
def keep() -> Response:
    """Take the person's own picture; once it was judged it is only encoded again, no face in it is looked for."""
    upload = request.files.get("picture")
    content = upload.read() if upload else b""
    try:
        media_type = quick_check(content)
    except UnreadablePhoto as error:
        return back(error, url_for("declined.show"))
    with transaction(me().org_id) as session:
        place = _declined(visit(session, lock=True))
        uploads.receive(
            session,
            Use.OWN_PICTURE,
            [(content, media_type)],
            sender=place.member,
            subject_id=place.participation.id,
        )
    return go(url_for("declined.show"))


@bp.get("/me/own-picture.json")
@signed_in
def poll() -> Response:
    """Return how far the picture is that was sent last, for the page that waits for it."""
    with transaction(me().org_id) as session:
        sent = uploads.newest(session, Use.OWN_PICTURE, sender_id=me().member_id)
        if sent is None:
            raise NotFound(_("There is no picture of yours here."))
        return jsonify(checked(sent).as_json())


@bp.get("/me/own-picture.jpg")
@signed_in
def own_picture() -> Response:
    """Serve the person's own picture."""
    with transaction(me().org_id) as session:
        own = avatars.own_picture(session, me().member_id)
        if own is None:
            raise NotFound(_("There is no picture of yours here."))
        content = vault().get(session, own.id)
    return picture(content, "image/jpeg")


@bp.post("/me/alternative")
@signed_in
def initials() -> Response:
    """Go back from one's own picture to the initials."""
    with transaction(me().org_id) as session:
        place = _declined(visit(session, lock=True))
        avatars.remove_own_picture(session, place.member)
        place.participation.alternative = Alternative.INITIALS
    return go(url_for("declined.show"))


@bp.post("/me/reconsider")
@signed_in
def reconsider() -> Response:
    """Changing one's mind is always possible: back to the question."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state is State.DECLINED:
            participations.move(session, place.participation, State.OPENED, actor=place.actor)
        state = place.state
    return go(step_url(state))
