"""What is held about me, taking it with me, taking a consent back, and erasing everything."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _

from compliance import backups, erasure, sealing
from compliance import consent as consents
from compliance.consent import leaving, receipts
from compliance.erasure import ErasureReason
from compliance.requests import desk, inbox
from core import formal
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.errors import InvalidInput
from core.models import Consent, Kind, Right, SignInMethod
from core.people import access, places
from core.people import consents as answers
from core.portraits import engines, verdicts
from core.shoots import participations
from core.vault import vault
from core.web.answers import back, go, page
from core.web.app import choose_language, forget
from core.web.guards import me, signed_in
from portal import own_requests, request_words, words
from portal.consent import offered
from portal.visit import visit

bp = Blueprint("privacy", __name__)


@bp.get("/me/privacy")
@signed_in
def show() -> Response:
    """Show what is held and every way to change it."""
    with transaction(me().org_id) as session:
        place = visit(session)
        inventory = vault().inventory(session, place.member.id)
        held = [(words.kind(kind), count, size) for kind, (count, size) in inventory.items()]
        given = [
            (words.purpose(purpose), purpose.value, row)
            for purpose, row in sorted(
                answers.standing(session, place.member.id).items(),
                key=lambda one: list(Purpose).index(one[0]),
            )
        ]
        return page(
            "privacy.html",
            place=place,
            held=held,
            being_removed=vault().being_removed(session, place.member.id),
            doubted=len(verdicts.doubted(session, place.member.id)),
            has_model=Kind.ADAPTER in inventory,
            given=given,
            signed={purpose: _signed(row) for _title, purpose, row in given},
            where=places.name(place.member.place, choose_language()) if place.member.place else "",
            countries=places.countries(choose_language()),
            states=places.STATES,
            offered={} if me().method is SignInMethod.DATA else offered(session, place).purposes,
            shoots=participations.all_of_member(session, place.member.id),
            epoch_hours=backups.dead_within_hours(),
            receipts=receipts.of_person(session, place.member.id),
            act=words.act,
            language_name=_language,
            requests=inbox.of_person(session, place.member.id, most=10),
            rights=request_words.RIGHTS,
            stages=request_words.STAGES,
            asked=own_requests.ASKED,
            names_until=sealing.open_in_backups_until(now()),
        )


def _language(code: str) -> str:
    """Return what a language is called in the page's."""
    locale, written = get_locale(), formal.written(code)
    return str(locale.languages.get(written, written)) if locale is not None else written


def _signed(row: Consent) -> consents.Signature | None:
    """Return what was typed under a release, the state by its name."""
    found = consents.signature_of(row)
    return found and consents.Signature(found.name, places.name(found.state, choose_language()))


@bp.get("/me/consent/withdraw")
@signed_in
def ask() -> Response:
    """Ask before the first consent is taken back: say exactly what will be destroyed."""
    with transaction(me().org_id) as session:
        place = visit(session)
        return page(
            "withdraw.html", place=place, ending=leaving.ending(session, place.member.id), kind=words.kind
        )


@bp.post("/me/consent/withdraw")
@signed_in
def withdraw() -> Response:
    """Take one consent back; without the first there is nothing left to do, so photos and results go."""
    try:
        purpose = Purpose(request.form.get("purpose", ""))
    except ValueError as error:
        raise InvalidInput(_("Say which consent you take back.")) from error
    if purpose is Purpose.PHOTO and request.form.get("confirm") != "yes":
        return back(
            InvalidInput(_("Nothing was taken back yet. See first what that deletes.")),
            url_for("privacy.ask"),
        )
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        lost = len(verdicts.doubted(session, place.member.id)) if purpose is Purpose.LIKENESS else 0
        before = vault().being_removed(session, place.member.id)
        if purpose is Purpose.PHOTO:
            leaving.withdraw_all(session, place.participation, actor=place.actor)
        else:
            leaving.take_back(session, place.member, [purpose], actor=place.actor)
            engines.choose_again(session, place.participation)
        gone = vault().being_removed(session, place.member.id) - before
        desk.record_done(session, place.member, Right.WITHDRAWAL)
    done = _("Taken back: “%(title)s”.", title=words.purpose(purpose))
    files = (
        _("Nobody can open the files any more that rested on it.")
        if gone
        else _("No file had to be deleted.")
    )
    if lost:
        files += " " + ngettext(
            "%(num)s photo that asked whether it shows you was deleted.",
            "%(num)s photos that asked whether they show you were deleted.",
            lost,
        )
    return go(url_for("privacy.show"), f"{done} {files}")


@bp.post("/me/erase")
@signed_in
def erase() -> Response:
    """Erase everything; the answer carries the link under which the person gets the proof."""
    if request.form.get("confirm") != "yes":
        unsure = InvalidInput(_("Nothing was erased. Tick the box first to say that you mean it."))
        return back(unsure, url_for("privacy.show"))
    try:
        with transaction(me().org_id) as session:
            place = visit(session)  # without a lock: the company's comes before the person's
            requested = erasure.request(
                session,
                place.member,
                reason=ErasureReason.SELF_SERVICE,
                actor=place.actor,
                language=choose_language(),
            )
            desk.record_done(session, place.member, Right.ERASURE, erasure_id=requested.erasure_id)
    except erasure.LegalHold:
        with transaction(me().org_id) as session:
            place = visit(session)
            desk.ask_despite_hold(session, place.member)
        return go(
            url_for("privacy.show"),
            _(
                "Nothing was erased yet: the law obliges your company to keep your data for now. Your request is noted, "
                "and it is carried out when that is over. You are told by mail."
            ),
            "warn",
        )
    except access.LastAdmin:
        alone = access.LastAdmin(
            _(
                "You are your company’s last admin, so nothing was erased. Have another one appointed first. "
                "Your photos you can withdraw on this page at once."
            )
        )
        return back(alone, url_for("privacy.show"))
    response = go(url_for("erased.show", receipt=requested.receipt))
    forget(response, current_app)
    return response
