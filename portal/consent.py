"""The question: what happens to my photos, and may it. Each purpose is answered on its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from flask import Blueprint, Response, request, url_for
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from compliance import consent as consents
from compliance.consent.texts import Notice, notice, spoken
from compliance.privacy import own_words
from core import formal
from core.clock import now
from core.consent import PAINTING, Purpose
from core.db import transaction
from core.errors import AppError, Conflict, Gone, InvalidInput
from core.models import Consent, State
from core.people import consents as answered
from core.people import members, organizations, places
from core.portraits import avatars, engines
from core.settings import settings
from core.shoots import participations, promises
from core.web.answers import again, back, go, page
from core.web.app import choose_language
from core.web.errors import said, wants_json
from core.web.guards import me, signed_in
from portal.visit import Visit, step_url, visit

bp = Blueprint("consent", __name__)

ASKING = frozenset({State.INVITED, State.OPENED})
# Whoever declined is asked everything again once they change their mind.
OVER = frozenset({State.DECLINED, State.EXPIRED, State.ERASED})


class TextChanged(Conflict):
    """The words changed between reading and answering; the answer counts for words that were read only."""

    code = "text_changed"


def notice_for(session: Session, place: Visit) -> Notice:
    """Return what this person is told, with only the purposes that their shoot needs."""
    config = settings()
    days = promises.schedule(place.organization)
    regime = organizations.regime_for(session, place.member.place)
    language = spoken(regime, organizations.spoken(session, choose_language()))
    with force_locale(formal.written(language)):
        region = _(config.storage_region)
    full = notice(
        regime,
        language,
        company=place.organization.name,
        processor=config.operator_name,
        region=region,
        retention_days=days[promises.Kept.SELFIES],
        headshot_days=days[promises.Kept.HEADSHOTS],
        leaver_days=days[promises.Kept.LEAVERS],
        latest=promises.latest(place.organization, place.shoot).date(),
        today=now().date(),
        engine=place.shoot.engine,
    )
    full = own_words.added(session, full)
    return replace(full, purposes={purpose: full.purposes[purpose] for purpose in engines.asks(place.shoot)})


def offered(session: Session, place: Visit) -> Notice:
    """Return the notice with only the purposes that this person has not agreed to and still can."""
    full = notice_for(session, place)
    over = place.shoot.closed_at is not None or place.state in OVER
    agreed = consents.current(session, place.member.id, full)
    asked = {} if over else {one: text for one, text in full.purposes.items() if one not in agreed}
    return replace(full, purposes=asked, decline="", decline_button="")  # further questions: no offer is made


def mark_of(shown: Notice) -> str:
    """Return what ties an answer to the exact words shown: the version and the hash over all of them."""
    return f"{shown.version}.{shown.sha256[:32]}"


@bp.get("/me/")
@signed_in
def step() -> Response:
    """Send the person to the page where they stand."""
    with transaction(me().org_id) as session:
        return go(step_url(visit(session).state))


@bp.get("/me/ended")
@signed_in
def ended() -> Response:
    """Say that the deadline has passed; whoever is still in time goes on."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state is not State.EXPIRED:
            return go(step_url(place.state))
        over = Gone(
            _(
                "The deadline of this shoot has passed. If you would still like a headshot, ask your company for a "
                "new link."
            )
        )
        return again("ended.html", over, by_mail=False)


@bp.get("/me/consent")
@signed_in
def show() -> Response:
    """Ask."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state not in ASKING:
            return go(step_url(place.state))
        participations.demand_running(session, place.participation)
        return _page(session, place, notice_for(session, place))


@bp.get("/me/consent/more")
@signed_in
def more() -> Response:
    """Ask again about what was refused or taken back: agreeing stays as easy as taking back."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state in ASKING:
            return go(step_url(place.state))
        shown = offered(session, place)
        return _page(session, place, shown, later=True) if shown.purposes else go(url_for("privacy.show"))


def _page(
    session: Session, place: Visit, shown: Notice, *, later: bool = False, error: AppError | None = None
) -> Response:
    """Show the question; after a mistake with the ticks as they were, unless the words have changed."""
    answers = _answers(shown) if error and not isinstance(error, TextChanged) else {}
    ticked = [purpose for purpose, answer in answers.items() if answer]
    lacking = isinstance(error, consents.NeedsLikeness)
    language = formal.written(shown.language)
    # One language on the page: who has to answer a text that exists in another reads all around it in that one, too.
    foreign = "" if language == choose_language() else _foreign()
    with force_locale(language):
        return page(
            "consent.html",
            error.status if error else 200,
            place=place,
            notice=shown,
            language=language,
            foreign=foreign,
            reader=choose_language(),
            mark=mark_of(shown),
            later=later,
            problem=said(error) if error else "",
            ticked=ticked,
            both=[Purpose.LIKENESS, *(one for one in ticked if one in PAINTING)] if lacking else [],
            standing={} if later else _standing(session, place, shown),
            outdated={} if later else _outdated(session, place, shown),
            here=place.member.place,
            where=places.name(place.member.place, language) if place.member.place else "",
            countries=places.countries(language),
            states=places.STATES,
            signature=_signature(),
            unsigned=isinstance(error, consents.ReleaseUnsigned),
            painting=PAINTING,
            likeness=Purpose.LIKENESS,
        )


def _foreign() -> str:
    return str(
        _(
            "The text by the law where you work exists in English only. So that you read it in one language, all of "
            "this page is in English. If you would rather talk about it first, ask your company’s data protection contact."
        )
    )


def _standing(session: Session, place: Visit, shown: Notice) -> dict[Purpose, datetime]:
    """Return what else was agreed to for an earlier shoot, in words that still count, and when; the first is asked in each."""
    current = consents.current(session, place.member.id, shown) - {Purpose.PHOTO}
    return {purpose: row.created_at for purpose, row in _agreed(session, place).items() if purpose in current}


def _outdated(session: Session, place: Visit, shown: Notice) -> dict[Purpose, datetime]:
    """Return what else was agreed to in words that do not count any more, and when: it is asked again."""
    current = consents.current(session, place.member.id, shown) | {Purpose.PHOTO}
    return {
        purpose: row.created_at for purpose, row in _agreed(session, place).items() if purpose not in current
    }


def _agreed(session: Session, place: Visit) -> dict[Purpose, Consent]:
    rows = answered.standing(session, place.member.id)
    return {purpose: row for purpose, row in rows.items() if row.granted and row.withdrawn_at is None}


def _signature() -> consents.Signature:
    """Return what was typed under a release; on a page that only asks, nothing yet."""
    return consents.Signature(request.form.get("signed_name", ""), request.form.get("signed_state", ""))


def _answers(shown: Notice) -> dict[Purpose, bool]:
    return {purpose: request.form.get(purpose.value) == "yes" for purpose in shown.purposes}


def _keep(session: Session, place: Visit, answers: Mapping[Purpose, bool], shown: Notice) -> None:
    """Keep answers to the words that were read.

    Raises:
        TextChanged: other words are shown by now.
        InvalidInput: such answers cannot be kept; the message says why.
    """
    if request.form.get("text_version") != mark_of(shown):
        raise TextChanged(
            _("These words have changed since you opened the page. Please read them again and answer.")
        )
    asked = {purpose: text for purpose, text in shown.purposes.items() if purpose in answers}
    consents.give(
        session,
        place.participation,
        answers,
        replace(shown, purposes=asked),
        signature=_signature(),
        until=promises.latest(place.organization, place.shoot),
    )


@bp.post("/me/consent")
@signed_in
def answer() -> Response:
    """Keep the answers with the words they answer."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        if place.state not in ASKING:
            return go(step_url(place.state))
        participations.demand_running(session, place.participation)
        shown = notice_for(session, place)
        try:
            _keep(session, place, _answers(shown), shown)
        except (TextChanged, InvalidInput) as error:
            if wants_json():
                raise
            return _page(session, place, shown, error=error)
        participations.move(session, place.participation, State.OPENED, actor=place.actor)
        participations.move(session, place.participation, State.CONSENTED, actor=place.actor)
        avatars.remove_unused_picture(session, place.member)
        return go(step_url(State.CONSENTED))


@bp.post("/me/consent/more")
@signed_in
def agree() -> Response:
    """Keep what was agreed to later; a box left empty keeps the answer it had."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        shown = offered(session, place)
        if place.state in ASKING or not shown.purposes:
            return go(url_for("privacy.show"))
        yes = {purpose: True for purpose, answer in _answers(shown).items() if answer}
        try:
            if not yes:
                raise InvalidInput(_("Nothing was ticked, so everything stays as it was."))
            _keep(session, place, yes, shown)
        except (TextChanged, InvalidInput) as error:
            if wants_json():
                raise
            return _page(session, place, shown, later=True, error=error)
    return go(
        url_for("privacy.show"),
        _("Thank you, that is noted. It counts from now on: what is made already stays as it is."),
    )


@bp.post("/me/place")
@signed_in
def works_in() -> Response:
    """Note where the person says they work: by whose law they are asked follows it."""
    with transaction(me().org_id) as session:
        place = visit(session, lock=True)
        asking = place.state in ASKING
        after = url_for("consent.show") if asking else url_for("privacy.show")
        try:
            members.works_in(
                session, place.member, request.form.get("place", ""), by="self", actor=place.actor
            )
        except InvalidInput as error:
            return back(error, after)
    return go(after, _("Noted. This page is in the words of the law there now.") if asking else _("Noted."))
