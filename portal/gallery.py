"""Results: beside the photo, what the checks found, choosing one, downloading every size."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from PIL import Image
from sqlalchemy.orm import Session

from compliance.origin.credentials import Origin
from compliance.origin.label import label_of
from compliance.origin.making import Making
from compliance.origin.signer import signer
from core.brand import files, styles
from core.db import transaction
from core.errors import InvalidInput, NotFound
from core.models import EngineName, Headshot, Photo, State, Style
from core.people import organizations
from core.portraits import edits, headshots, on_behalf, photos, rejections, restyling, submission
from core.shoots import department_styles, participations, promises
from core.shoots.participations import SETTLED
from core.style.framing import Head
from core.style.outputs import Output
from core.vault import vault
from core.web.answers import go, page
from core.web.app import limiter
from core.web.guards import me, signed_in
from core.web.pictures import attachment, picture
from portal import outcomes, words
from portal.selfie import framed, place_of
from portal.visit import Visit, step_url, visit
from portal.way_back import asked_again, file_of, shape_of, way_back

bp = Blueprint("gallery", __name__)

SHOWN = frozenset({State.READY, *SETTLED})
# Pixels of width that a page may ask for: the photo in the corner, a card on a laptop's and on a phone's fine screen.
WIDTHS = (240, 480, 720)
CLOSE_SIDE = 1600  # pixels, long side: alone on a page, where people look at every hair
# WebP's own scale: of four headshots with their photos a page weighs less than 250 kB, and no artefact is seen.
QUALITY = {True: 88, False: 80}  # looked at closely, or not


@dataclass(frozen=True)
class Candidate:
    """One result as the page shows it."""

    id: UUID
    number: int  # within its run; of the earlier ones, among all of them
    earlier: bool  # of a run before the newest
    compares: bool  # the selfie it was made from is still here
    generated: bool
    dressed: bool
    chosen: bool
    findings: list[words.GateFinding]
    notes: list[str]
    figures: list[words.Figure]
    shape: tuple[int, int]  # width and height on a page
    sure: str  # how sure the check of a made face is; empty where nothing has to be said
    alike: (
        bool  # the check cannot tell its person apart from somebody else, so they say that they have looked
    )
    wrong: str  # what the person said is wrong with it; empty if nothing


@bp.get("/me/result")
@signed_in
def show() -> Response:
    """Show what the newest run made, best first, and apart from it what earlier ones did; then what came of each photo."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state not in SHOWN:
            return go(step_url(place.state))
        if place.state in SETTLED and headshots.approved(session, place.participation) is None:
            return page("over.html", place=place, open=place.shoot.closed_at is None)
        found = headshots.of_participation(session, place.participation.id)
        candidates, last = _candidates(session, place, found), headshots.of_last_run(found)
        return page(
            "result.html",
            place=place,
            candidates=candidates,
            name_of=_name,
            outcomes=outcomes.of_run(
                photos.of_participation(session, place.participation.id),
                last,
                found[: len(found) - len(last)],
                {one.id: _name(one) for one in candidates if not one.earlier},
            ),
            withheld=outcomes.of_a_model(last),
            held_back=any(one.withheld_code for one in last),
            settled=place.state in SETTLED,
            kept_days=promises.days_of(place.organization, place.participation),
            ends=promises.headshot_ends(place.organization, place.participation, place.shoot),
            fallback=words.fallback(place.participation.fallback_code),
            shape=_shape(session, place, place.participation.chosen_headshot_id),
            handed_over=_handed_over(session, place, found),
            way_back=way_back(session, place),
            asked_again=asked_again(session, place),
            restyled=restyling.awaits_choice(session, place.participation),
            put_in=len(on_behalf.of_participation(session, place.participation.id)),
            size_name=words.size,
            **_rejecting(session, place),
        )


def _rejecting(session: Session, place: Visit) -> dict[str, Any]:
    """Return what the form needs that says what is wrong with a headshot."""
    return {
        "reasons": {reason.value: _(said) for reason, said in rejections.REASONS.items()},
        "fewest": rejections.FEWEST,
        "untried": submission.has_another(session, place.participation),
    }


@bp.get("/me/result/<uuid:headshot_id>")
@signed_in
def close_up(headshot_id: UUID) -> Response:
    """Show one result as large as the screen, beside the photo, with what was measured."""
    with transaction(me().org_id) as session:
        place = visit(session)
        headshots.get(session, place.member.id, headshot_id)
        if place.state not in SHOWN:
            return go(step_url(place.state))
        candidates = _candidates(session, place, headshots.of_participation(session, place.participation.id))
        place_in_row = next((at for at, one in enumerate(candidates) if one.id == headshot_id), None)
        if place_in_row is None:
            raise NotFound(_("This headshot does not exist any more."))
        return page(
            "close_up.html",
            place=place,
            candidate=candidates[place_in_row],
            name_of=_name,
            shape=candidates[place_in_row].shape,
            earlier=candidates[place_in_row - 1] if place_in_row else None,
            edits=edits.allowed(session, session.get_one(Headshot, headshot_id)),
            later=candidates[place_in_row + 1] if place_in_row + 1 < len(candidates) else None,
            settled=place.state in SETTLED,
            kept_days=promises.days_of(place.organization, place.participation),
            ends=promises.headshot_ends(place.organization, place.participation, place.shoot),
            **_rejecting(session, place),
        )


def _candidates(session: Session, place: Visit, found: Sequence[Headshot]) -> list[Candidate]:
    """Return what may be seen: the newest run that made something, best first, then what earlier ones made, oldest first."""
    visible = [one for one in found if headshots.is_visible(one)]
    newest = headshots.of_last_run(visible)
    earlier = visible[: len(visible) - len(newest)]
    return [
        _candidate(session, place, one, number, earlier=False) for number, one in enumerate(newest, 1)
    ] + [_candidate(session, place, one, number, earlier=True) for number, one in enumerate(earlier, 1)]


def _candidate(session: Session, place: Visit, one: Headshot, number: int, *, earlier: bool) -> Candidate:
    return Candidate(
        id=one.id,
        shape=_shape(session, place, one.id),
        number=number,
        earlier=earlier,
        compares=_compares(session, one),
        generated=one.engine == EngineName.DIFFUSION,
        dressed=one.engine == EngineName.WARDROBE,
        chosen=one.id == place.participation.chosen_headshot_id,
        findings=words.gates(one.gates),
        notes=words.notes(one.gates) + _smaller(session, one),
        figures=words.figures(one.gates),
        sure=words.sure(one.gates),
        alike=headshots.looks_like_another(one),
        wrong=_(rejections.REASONS[rejections.Reason(one.rejected_code)]) if one.rejected_code else "",
    )


def _smaller(session: Session, one: Headshot) -> list[str]:
    """Say where the photo has too few pixels for the company's file."""
    style = styles.delivered(session, one.style_id)
    asked = style.outputs[0]
    made = headshots.file_made(one, style, asked)
    return [] if made == asked else [words.smaller(made, asked)]


def _handed_over(session: Session, place: Visit, found: Sequence[Headshot]) -> Output:
    """Return the company's file of the approved headshot, before that the largest one of those to choose from.

    Each is of the style that its headshot was made in; where there is none yet, of the one that the next is made in.
    """
    chosen = place.participation.chosen_headshot_id
    some = [one for one in found if one.id == chosen] or [one for one in found if headshots.is_visible(one)]
    if not some:
        return styles.delivered(session, _style(session, place).id).outputs[0]
    made_in = [(one, styles.delivered(session, one.style_id)) for one in some]
    made = [headshots.file_made(one, style, style.outputs[0]) for one, style in made_in]
    return max(made, key=lambda output: output.height)


def _shape(session: Session, place: Visit, headshot_id: UUID | None) -> tuple[int, int]:
    """Return width and height of a picture on a page, in the frame of the style that it was made in."""
    one = session.get(Headshot, headshot_id) if headshot_id is not None else None
    style = _style(session, place) if one is None else styles.get(session, one.style_id)
    return shape_of(style.parsed)


def _name(candidate: Candidate) -> str:
    """Return what a result is called, the same on every page until the studio has worked again."""
    if candidate.earlier:
        return str(_("Earlier headshot %(number)s", number=candidate.number))
    return str(_("Headshot %(number)s", number=candidate.number))


def _style(session: Session, place: Visit) -> Style:
    return department_styles.style_for(session, place.participation)


def _compares(session: Session, headshot: Headshot) -> bool:
    """Whether the selfie it was made from is kept: selfies end before headshots do."""
    photo = session.get(Photo, headshot.photo_id)
    return photo is not None and photo.removed_at is None and photo.preview_id is not None


@bp.get("/me/headshots/<uuid:headshot_id>/view")
@signed_in
def view(headshot_id: UUID) -> Response:
    """Serve a result for the page, in its style's own frame: `?width=` pixels wide, or `?close=1`, to be looked at alone."""
    with transaction(me().org_id) as session:
        headshot = headshots.get(session, me().member_id, headshot_id)
        assert headshot.artifact_id is not None
        style = session.get_one(Style, headshot.style_id).parsed
        held = vault().find(session, headshot.artifact_id)
    content = vault().open(held)
    # Only where a picture is made: they bring a hundred megabytes of libraries along.
    import numpy as np

    from workers.studio.encode import in_frame

    master = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    return _shown(Image.fromarray(in_frame(master, style)))


@bp.get("/me/headshots/<uuid:headshot_id>/before")
@signed_in
@limiter.limit("120 per minute")  # each decodes a photo
def before(headshot_id: UUID) -> Response:
    """Serve the photo that a result was made from, cropped as the result is."""
    with transaction(me().org_id) as session:
        headshot = headshots.get(session, me().member_id, headshot_id)
        photo = photos.get(session, me().member_id, headshot.photo_id)
        style = session.get_one(Style, headshot.style_id).parsed
        head = Head.measured(headshot.gates.get("figures", {})) or style.head
        face = place_of(photo)
        held = vault().find(session, photo.artifact_id)
    kept = Image.open(io.BytesIO(vault().open(held)))
    # A head is a quarter of most photos' height; a JPEG decodes at a half or a quarter of its size for nothing.
    wanted = CLOSE_SIDE if _close() else _width()
    kept.draft("RGB", (4 * wanted, 4 * wanted))
    return _shown(framed(kept, face, head, style.crop.aspect))


def _close() -> bool:
    return "close" in request.args


def _width() -> int:
    asked = request.args.get("width", type=int)
    return asked if asked in WIDTHS else WIDTHS[-1]


def _shown(image: Image.Image) -> Response:
    size = (CLOSE_SIDE, CLOSE_SIDE) if _close() else (_width(), image.height)
    image.thumbnail(size, Image.Resampling.LANCZOS)
    target = io.BytesIO()
    image.convert("RGB").save(target, "WEBP", quality=QUALITY[_close()], method=4)
    return picture(target.getvalue(), "image/webp")


@bp.post("/me/approve")
@signed_in
def approve() -> Response:
    """Choose the one that the company gets."""
    try:
        headshot_id = UUID(request.form.get("headshot_id", ""))
    except ValueError as error:
        raise InvalidInput(_("Choose one of your headshots first.")) from error
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        headshot = headshots.get(session, place.member.id, headshot_id)
        looked = request.form.get("looked") == "1"
        headshots.approve(session, place.participation, headshot, actor=place.actor, looked=looked)
    return go(url_for("gallery.show"))


@bp.get("/me/headshots/<uuid:headshot_id>/<file>")
@signed_in
def download(headshot_id: UUID, file: str) -> Response:
    """Serve one size of the approved headshot; the first download makes it delivered."""
    import numpy as np

    from workers.studio import encode
    from workers.studio.caption import caption_of

    with transaction(me().org_id) as session:
        place = visit(session)
        headshot = headshots.get(session, place.member.id, headshot_id)
        participation = participations.get(session, headshot.participation_id)
        spec = styles.delivered(session, headshot.style_id)
        output = next((one for one in spec.outputs if file_of(one) == file), None)
        if output is None:
            raise NotFound(_("Your company's style has no such size."))
        master = headshots.master(session, participation, headshot)
        logo_held = styles.logo(session, spec)
        organization = organizations.current(session)
        caption = caption_of(place.member.full_name, organization.name, spec, _)
        head = Head.measured(headshot.gates.get("figures", {}))
        label = label_of(headshot.engine, organization.language) if organization.label_models else None
        making = Making.of_headshot(headshot.engine, spec, headshot.notes)
        origin = Origin(making, signer(), headshot.mark, label)
    pixels = np.asarray(Image.open(io.BytesIO(vault().open(master))).convert("RGB"))
    logo = vault().open(logo_held) if logo_held is not None else None
    content = encode.deliver(
        pixels, spec, output, origin, caption=caption, head=head, logo=files.rgba(logo) if logo else None
    )
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        headshot = headshots.get(session, place.member.id, headshot_id)
        participation = participations.get(session, headshot.participation_id)
        headshots.download(session, participation, headshot, output.name, actor=place.actor)
    return attachment(content, output.format.media_type, f"headshot-{file}")


@bp.post("/me/more")
@signed_in
def more() -> Response:
    """Go back to the photos, after a result that does not please or a failure."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        submission.reopen(session, place.participation, actor=place.actor)
    return go(url_for("upload.show"))


@bp.post("/me/keep")
@signed_in
def keep() -> Response:
    """Go back from other photos to the approved headshot, or to those that were made."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        submission.step_back(session, place.participation, actor=place.actor)
    return go(url_for("gallery.show"))
