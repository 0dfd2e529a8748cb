"""Declining costs nothing: initials in the company's colour, or a picture of one's own."""

from __future__ import annotations

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from compliance.consent import leaving
from compliance.consent.texts import Notice
from core import uploads
from core.db import transaction
from core.errors import InvalidInput, NotFound
from core.image.kinds import ACCEPT, UnreadablePhoto
from core.models import Alternative, State, Upload, Use
from core.portraits import avatars, photos
from core.shoots import participations
from core.vault import vault
from core.web.answers import back, go, json_answer, page
from core.web.app import limiter
from core.web.brand import brand_of
from core.web.checking import checked
from core.web.guards import me, signed_in
from core.web.pictures import attachment, picture
from portal.consent import ASKING, mark_of, notice_for
from portal.visit import Visit, step_url, visit

bp = Blueprint("declined", __name__)

# Something of the person's may be here, which is not deleted without asking.
SENT = frozenset(State) - {State.INVITED, State.OPENED, State.CONSENTED, State.DECLINED, State.EXPIRED}


@bp.post("/me/decline")
@signed_in
def decline() -> Response:
    """Decline, or change one's mind afterwards: what was uploaded and made is deleted."""
    try:
        alternative = Alternative(request.form.get("alternative", Alternative.INITIALS))
    except ValueError as error:
        raise InvalidInput(_("Choose your initials or a picture of your own.")) from error
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        if place.state in SENT and request.form.get("confirm") != "yes":
            return back(
                InvalidInput(_("Nothing was deleted yet. See first what that would be.")),
                url_for("privacy.ask"),
            )
        shown = _read(session, place)
        leaving.decline(session, place.participation, alternative, actor=place.actor, shown=shown)
    return go(url_for("declined.show"))


def _read(session: Session, place: Visit) -> Notice | None:
    """Return the words of the question that was open when somebody said no; none from another page, or by now others."""
    if place.state not in ASKING:
        return None
    shown = notice_for(session, place)
    return shown if request.form.get("text_version") == mark_of(shown) else None


@bp.get("/me/declined")
@signed_in
def show() -> Response:
    """Show what stands in for a headshot."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state is not State.DECLINED:
            return go(step_url(place.state))
        sent = _sent(session, place)
        return page(
            "declined.html",
            place=place,
            own=avatars.own_picture(session, place.member.id),
            sent=checked(sent) if sent is not None else None,
            elsewhere=bool(leaving.held(session, place.member.id)),
            being_removed=vault().being_removed(session, place.member.id),
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
        media_type = photos.glance(content)
    except UnreadablePhoto as error:
        return back(error, url_for("declined.show"))
    with transaction(me().org_id) as session:
        participations.demand_declined(visit(session).participation)
    sealed = uploads.seal(me().org_id, Use.OWN_PICTURE, [(content, media_type)], sender_id=me().member_id)
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        participations.demand_declined(place.participation)
        uploads.receive(
            session,
            Use.OWN_PICTURE,
            sealed,
            sender=place.member,
            subject_id=place.participation.id,
        )
    return go(url_for("declined.show"))


@bp.get("/me/own-picture.json")
@signed_in
def poll() -> Response:
    """Return how far the picture is that was sent last, for the page that waits for it."""
    with transaction(me().org_id) as session:
        sent = _sent(session, visit(session))
        if sent is None:
            raise NotFound(_("There is no picture of yours here."))
        return json_answer(checked(sent).as_json())


@bp.get("/me/own-picture.jpg")
@signed_in
def own_picture() -> Response:
    """Serve the person's own picture."""
    with transaction(me().org_id) as session:
        own = avatars.own_picture(session, me().member_id)
        if own is None:
            raise NotFound(_("There is no picture of yours here."))
        held = vault().find(session, own.id)
    return picture(vault().open(held), "image/jpeg")


@bp.post("/me/alternative")
@signed_in
def initials() -> Response:
    """Go back from one's own picture to the initials."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        participations.stand_in(session, place.participation, Alternative.INITIALS)
        uploads.end(session, Use.OWN_PICTURE, sender_id=place.member.id, subject_id=place.participation.id)
        avatars.remove_unused_picture(session, place.member)
    return go(url_for("declined.show"))


@bp.post("/me/reconsider")
@signed_in
def reconsider() -> Response:
    """Changing one's mind is always possible: back to the question."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        if place.state is State.DECLINED:
            participations.move(session, place.participation, State.OPENED, actor=place.actor)
        state = place.state
    return go(step_url(state))


def _sent(session: Session, place: Visit) -> Upload | None:
    return uploads.newest(
        session, Use.OWN_PICTURE, sender_id=place.member.id, subject_id=place.participation.id
    )
