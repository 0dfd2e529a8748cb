"""The pictures of a shoot that people approved: seen, looked at closely, downloaded one by one, asked for again."""

from __future__ import annotations

import io
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import get_translations
from flask_babel import gettext as _
from PIL import Image
from sqlalchemy.orm import Session

from admin import delivery, picture_words
from core.brand import styles
from core.db import transaction
from core.errors import InvalidInput
from core.models import Member, Style
from core.permissions import Permission
from core.portraits import gallery, headshots, restyling, reviews
from core.portraits.gallery import Picture
from core.shoots import participations, shoots
from core.vault import vault
from core.web import pictures
from core.web.answers import back, go, page, uuid_argument
from core.web.guards import me, requires

bp = Blueprint("pictures", __name__)

WIDTHS: Final = (
    96,
    320,
    640,
    1280,
)  # pixels: beside a name, in a grid, on a phone's fine screen, alone on a page
CLOSE: Final = WIDTHS[-1]
QUALITY: Final = 82  # WebP's own scale


@bp.get("/shoots/<uuid:shoot_id>/pictures")
@requires(Permission.DOWNLOAD)
def index(shoot_id: UUID) -> Response:
    """Show the pictures that people approved, in the order of their names."""
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        number, waiting = gallery.count(session, shoot_id), gallery.waiting(session, shoot)
        found = gallery.page(session, shoot_id, after_member=uuid_argument("after"))
        return page("admin/pictures.html", shoot=shoot, found=found, number=number, waiting=waiting)


@bp.get("/shoots/<uuid:shoot_id>/pictures/<uuid:participation_id>")
@requires(Permission.DOWNLOAD)
def view(shoot_id: UUID, participation_id: UUID) -> Response:
    """Show one person's picture with what was measured on it, its sizes, and what can be done with it."""
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        picture = gallery.one(session, shoot_id, participation_id)
        return page("admin/picture.html", shoot=shoot, **_shown(session, picture))


def _shown(session: Session, picture: Picture) -> dict[str, Any]:
    style = styles.delivered(session, picture.headshot.style_id)
    earlier, later = gallery.neighbours(session, picture.participation.shoot_id, picture.member.id)
    reviewer_id = picture.headshot.reviewed_by
    return {
        "one": picture,
        "findings": picture_words.findings(picture.measured),
        "figures": picture_words.figures(picture.measured),
        "sure": picture_words.sure(picture.sureness),
        "outputs": [headshots.file_made(picture.headshot, style, output) for output in style.outputs],
        "earlier": earlier,
        "later": later,
        "flaws": reviews.FLAWS,
        "returned": _(reviews.FLAWS[reviews.Flaw(code)]) if (code := picture.headshot.returned_code) else "",
        "reviewer": session.get_one(Member, reviewer_id).full_name if reviewer_id else "",
        "awaits_choice": restyling.awaits_choice(session, picture.participation),
        "is_mine": picture.member.id == me().member_id,
        "aspect": style.crop.aspect,
    }


@bp.get("/shoots/<uuid:shoot_id>/pictures/<uuid:participation_id>/view.webp")
@requires(Permission.DOWNLOAD)
def image(shoot_id: UUID, participation_id: UUID) -> Response:
    """Serve a picture in its style's frame, `?width=` pixels wide; made of the headshot, never of a selfie.

    The largest is a close look, which is noted.
    """
    asked = request.args.get("width", type=int)
    width = asked if asked in WIDTHS else WIDTHS[1]
    with transaction(me().org_id) as session:
        picture = gallery.one(session, shoot_id, participation_id)
        style = session.get_one(Style, picture.headshot.style_id).parsed
        assert picture.headshot.artifact_id is not None
        held = vault().find(session, picture.headshot.artifact_id)
        if width == CLOSE:
            gallery.looked_at(session, picture, actor=me().actor)
    with Image.open(io.BytesIO(vault().open(held)), formats=("PNG",)) as master:
        frame = style.frame(*master.size)
        left, top = int(frame.left), int(frame.top)
        shown = master.convert("RGB").crop((left, top, left + int(frame.width), top + int(frame.height)))
    shown.thumbnail((width, shown.height), Image.Resampling.LANCZOS, reducing_gap=2.0)
    target = io.BytesIO()
    shown.save(target, "WEBP", quality=QUALITY, method=2)
    return pictures.picture(target.getvalue(), "image/webp")


@bp.get("/shoots/<uuid:shoot_id>/pictures/<uuid:participation_id>/files/<output>")
@requires(Permission.DOWNLOAD)
def download(shoot_id: UUID, participation_id: UUID, output: str) -> Response:
    """Send one size of one picture: a copy like those of an archive."""
    user = me()
    made = delivery.file_of(
        user.org_id, shoot_id, participation_id, output, user.actor, get_translations().gettext
    )
    name, content, media_type = made
    return pictures.attachment(content, media_type, name)


@bp.post("/shoots/<uuid:shoot_id>/pictures/<uuid:participation_id>/again")
@requires(Permission.REVIEW)
def again(shoot_id: UUID, participation_id: UUID) -> Response:
    """Ask a person for another picture, with a reason that they read."""
    here = f"/admin/shoots/{shoot_id}/pictures/{participation_id}"
    try:
        flaw = reviews.Flaw(request.form.get("flaw", ""))
    except ValueError:
        return back(InvalidInput(_("Say first what is wrong with the picture. The person reads it.")), here)
    try:
        with transaction(me().org_id) as session:
            participation = participations.get(session, participation_id)
            gallery.one(session, shoot_id, participation_id)
            reviews.ask_again(session, participation, _headshot(), flaw, actor=me().actor)
    except (reviews.OtherPicture, reviews.OwnPicture, participations.ShootEnded) as error:
        return back(error, here)
    return go(
        _next(shoot_id),
        _(
            "A mail asks the person for another picture and says why. Their photos and consents stay as they are."
        ),
    )


@bp.post("/shoots/<uuid:shoot_id>/pictures/<uuid:participation_id>/approve")
@requires(Permission.REVIEW)
def approve(shoot_id: UUID, participation_id: UUID) -> Response:
    """Let a picture be handed over; who looked at it is noted."""
    try:
        with transaction(me().org_id) as session:
            participation = participations.get(session, participation_id)
            gallery.one(session, shoot_id, participation_id)
            reviews.approve(session, participation, _headshot(), actor=me().actor)
    except (reviews.OtherPicture, reviews.OwnPicture) as error:
        return back(error, f"/admin/shoots/{shoot_id}/pictures/{participation_id}")
    return go(_next(shoot_id), _("Approved: it is handed over with the next download."))


def _headshot() -> UUID:
    found = uuid_argument("headshot_id")
    if found is None:
        raise InvalidInput(_("This form is not complete. Reload the page and try again."))
    return found


def _next(shoot_id: UUID) -> str:
    """Return where one goes on: the queue, where it was left."""
    where = "review" if request.form.get("from") == "review" else "pictures"
    return f"/admin/shoots/{shoot_id}/{where}"


@bp.get("/shoots/<uuid:shoot_id>/review")
@requires(Permission.REVIEW)
def queue(shoot_id: UUID) -> Response:
    """Show what waits for a review, the most doubtful first."""
    try:
        sort = reviews.Sort(request.args.get("sort", reviews.Sort.WORST))
    except ValueError as error:
        raise InvalidInput(_("There is no such order.")) from error
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        found, waiting = reviews.queue(session, shoot, sort)
        return page(
            "admin/review.html",
            shoot=shoot,
            found=found,
            waiting=waiting,
            number=gallery.count(session, shoot_id),
            most=reviews.MOST,
            sort=sort,
            sorts=picture_words.SORTS,
            nearest={one.participation.id: picture_words.nearest(one.measured) for one in found},
            flaws=reviews.FLAWS,
        )


@bp.post("/shoots/<uuid:shoot_id>/review")
@requires(Permission.MANAGE_SHOOTS)
def require_review(shoot_id: UUID) -> Response:
    """Say whether each picture is looked at before it is handed over."""
    reviewed = request.form.get("reviewed") == "1"
    with transaction(me().org_id) as session:
        reviews.require(session, shoots.get(session, shoot_id, lock=True), reviewed, actor=me().actor)
    message = (
        _("From now on nothing is handed over that nobody of your company has looked at.")
        if reviewed
        else _("From now on approved pictures are handed over without a review.")
    )
    return go(f"/admin/shoots/{shoot_id}/review", message)
