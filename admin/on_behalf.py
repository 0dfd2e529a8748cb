"""Photos that the company puts in for somebody who allowed it; HR reads what the check says, and sees no picture."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from admin.words import Word
from compliance import consent as consents
from core.checks.advice import Severity
from core.db import transaction
from core.errors import AppError, Conflict, NotFound
from core.ids import new_id
from core.image.kinds import ACCEPT
from core.models import Member, Participation, Photo, Shoot
from core.people import members
from core.permissions import Permission
from core.portraits import on_behalf, photos, submission
from core.portraits.on_behalf import Standing
from core.portraits.verdicts import Standing as Verdict
from core.portraits.verdicts import standing_of
from core.settings import settings
from core.shoots import participations, reminders, reminding
from core.web.answers import back, go, json_answer, page
from core.web.app import limiter
from core.web.errors import wants_json
from core.web.guards import me, requires
from core.web.photos import advice, sent, take_all, upload_key

bp = Blueprint("on_behalf", __name__)

STANDINGS: dict[Standing, Word] = {
    Standing.NOT_ALLOWED: Word(
        _l("Not allowed yet"),
        "",
        _l(
            "They have not allowed it yet. Send them their link: they can allow it on the page where photos are added, "
            "after they have agreed to a headshot."
        ),
    ),
    Standing.ALLOWED: Word(
        _l("Allowed"), "good", _l("They let your company put photos in, and may take that back at any time.")
    ),
    Standing.IN_STUDIO: Word(
        _l("In the studio"), "info", _l("The photos are with the studio. Nothing can be added now.")
    ),
    Standing.MADE: Word(
        _l("Made"), "good", _l("Headshots are made. They choose, and can add photos themselves.")
    ),
    Standing.FAILED: Word(
        _l("Needs new photos"),
        "warn",
        _l("No headshot could be made. Once they press “Use other photos”, photos can be put in again."),
    ),
    Standing.TAKES_NO_PART: Word(_l("Takes no part"), "", _l("No photo can be put in.")),
    Standing.SHOOT_ENDED: Word(_l("Closed"), "", _l("The shoot has ended, so no photo can be put in.")),
}
_ASKS = Word(
    _l("Waits for them"),
    "warn",
    _l("Their page asks them something about this photo, which only they can answer."),
)
_VERDICTS: dict[Verdict, Word] = {
    Verdict.CHECKING: Word(_l("Checking …"), "info"),
    Verdict.ASKS: _ASKS,
    # In the same words: that a face was compared, and what came of it, is its person's alone to know.
    Verdict.UNSURE: _ASKS,
    Verdict.ACCEPTED: Word(_l("✓ Usable"), "good"),
    Verdict.REJECTED: Word(_l("✗ Cannot be used"), "bad"),
}
_NOT_SENT: dict[type[Conflict], LazyString] = {
    submission.NoGoodPhoto: _l("No photo can be used yet, so nothing was sent. Put in one that can."),
    submission.StillChecking: _l("Photos are still being checked, so nothing was sent. Wait a moment."),
    submission.StillAsks: _l(
        "No photo can be used before they have answered what their page asks. Nothing was sent: remind them."
    ),
}


class NotSent(Conflict):
    """The photos cannot go to the studio yet."""

    code = "not_sent"


@dataclass(frozen=True)
class Line:
    """One photo as HR reads of it.

    Attributes:
        id: of the photo.
        number: among those that the company put in.
        verdict: what the check says.
        advice: each finding in words; of a usable photo what could be better.
    """

    id: UUID
    number: int
    verdict: Word
    advice: list[str]

    @classmethod
    def of(cls, photo: Photo, number: int) -> Line:
        """Return what HR may read of `photo`: nothing of what is asked of its person alone."""
        found = standing_of(photo)
        verdict = _VERDICTS[found]
        if verdict is _ASKS:
            return cls(photo.id, number, verdict, [str(_ASKS.meaning)])
        told = [one["advice"] for one in advice(photo) if one["severity"] != Severity.INFO.value]
        return cls(photo.id, number, verdict, told)


def _place(session: Session, member_id: UUID, participation_id: UUID) -> tuple[Member, Participation, Shoot]:
    member = members.get(session, member_id)
    found = participations.one_of_member(session, member.id, participation_id)
    if found is None:
        raise NotFound(_("This person is not in this shoot."))
    return member, *found


def _here(member_id: UUID, participation_id: UUID) -> str:
    return f"/admin/people/{member_id}/photos/{participation_id}"


@bp.get("/people/<uuid:member_id>/photos/<uuid:participation_id>")
@requires(Permission.PUT_PHOTOS_IN)
def show(member_id: UUID, participation_id: UUID) -> Response:
    """Show whether photos may be put in, and what the check says of those that were."""
    with transaction(me().org_id) as session:
        member, part, shoot = _place(session, member_id, participation_id)
        put_in = on_behalf.of_participation(session, part.id)
        lines = [Line.of(photo, number) for number, photo in enumerate(put_in, 1)]
        standing = on_behalf.standing(part, member, shoot)
        is_checking = any(standing_of(photo) is Verdict.CHECKING for photo in put_in)
        if wants_json():
            listed = [
                {"id": str(one.id), "verdict": str(one.verdict.label), "advice": one.advice} for one in lines
            ]
            return json_answer({"standing": standing.value, "photos": listed, "checking": is_checking})
        return page(
            "admin/on_behalf_list.html" if request.args.get("part") == "list" else "admin/on_behalf.html",
            member=member,
            shoot=shoot,
            here=_here(member.id, part.id),
            lines=lines,
            standing=standing,
            word=STANDINGS[standing],
            is_checking=is_checking,
            may_send=on_behalf.may_send(part),
            can_remind=reminders.wanted(part),
            accept=ACCEPT,
            most=photos.MAX_PHOTOS,
            most_bytes=settings().upload_max_bytes,
            upload_key=new_id().hex,
        )


@bp.post("/people/<uuid:member_id>/photos/<uuid:participation_id>")
@requires(Permission.PUT_PHOTOS_IN)
@limiter.limit("240 per minute")
def add(member_id: UUID, participation_id: UUID) -> Response:
    """Take photos for somebody: one from a script, several from a plain form."""

    def take(content: bytes, key: str) -> photos.Stored:
        media_type = photos.glance(content)
        with transaction(me().org_id) as session:
            _member, part, _shoot = _place(session, member_id, participation_id)
            on_behalf.demand(session, part)
            consents.require(session, part.member_id)
            if earlier := on_behalf.known(session, part, key):
                return photos.Stored(earlier, created=False)
            on_behalf.demand_room(session, part)
        sealed = photos.seal(me().org_id, member_id, content, media_type)
        with transaction(me().org_id) as session:
            _member, part, _shoot = _place(session, member_id, participation_id)
            consent = consents.require(session, part.member_id)
            return on_behalf.put_in(session, part, sealed, upload_key=key, consent=consent, actor=me().actor)

    files, key = sent(request.files), upload_key(request.form)
    if wants_json():
        stored = take(files[0].read(), key)
        return json_answer({"id": str(stored.photo.id)}, 201 if stored.created else 200)
    with transaction(me().org_id) as session:
        _place(session, member_id, participation_id)
    take_all(files, key, take)
    return go(_here(member_id, participation_id))


@bp.post("/people/<uuid:member_id>/photos/<uuid:participation_id>/<uuid:photo_id>/remove")
@requires(Permission.PUT_PHOTOS_IN)
def remove(member_id: UUID, participation_id: UUID, photo_id: UUID) -> Response:
    """Delete for good a photo that the company put in, such as one of somebody else; never one of the person's own."""
    here = _here(member_id, participation_id)
    try:
        with transaction(me().org_id) as session:
            _member, part, _shoot = _place(session, member_id, participation_id)
            on_behalf.demand(session, part)
            consents.require(session, part.member_id)
            on_behalf.remove(session, part, photo_id, actor=me().actor)
    except Conflict as error:
        return back(error, here)
    return go(here, _("The photo was removed."))


@bp.post("/people/<uuid:member_id>/photos/<uuid:participation_id>/submit")
@requires(Permission.PUT_PHOTOS_IN)
def submit(member_id: UUID, participation_id: UUID) -> Response:
    """Send the photos to the studio for somebody who allowed that too."""
    here = _here(member_id, participation_id)
    try:
        with transaction(me().org_id) as session:
            _member, part, _shoot = _place(session, member_id, participation_id)
            on_behalf.demand(session, part)
            consent = consents.require(session, part.member_id)
            on_behalf.submit(session, part, consent=consent, actor=me().actor)
    except AppError as error:
        told = _NOT_SENT.get(type(error)) if isinstance(error, Conflict) else None
        return back(NotSent(str(told)) if told else error, here)
    return go(here, _("Sent: headshots are being made. A mail tells them when they can choose."))


@bp.post("/people/<uuid:member_id>/photos/<uuid:participation_id>/link")
@requires(Permission.INVITE)
def send_link(member_id: UUID, participation_id: UUID) -> Response:
    """Send somebody their link, under which they can allow it."""
    here = _here(member_id, participation_id)
    try:
        with transaction(me().org_id) as session:
            _member, part, _shoot = _place(session, member_id, participation_id)
            reminding.remind(session, part, actor=me().actor)
    except Conflict as error:
        return back(error, here)
    return go(here, _("A new link is on its way. The earlier one works until its mail has left."))
