"""The question: what happens to my photos, and may it. Each purpose is answered on its own."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from flask_login import login_required

from compliance import consent as consents
from compliance.texts import Notice, notice
from core.consent import Purpose
from core.db import transaction
from core.errors import Conflict, Gone, InvalidInput
from core.models import EngineName, State
from core.services import avatars, participations
from core.settings import settings
from core.web.app import choose_language
from core.web.errors import said, wants_json
from core.web.guards import me
from portal.here import Here, go, here, step_url

bp = Blueprint("consent", __name__)

ASKING = frozenset({State.INVITED, State.OPENED})


class TextChanged(Conflict):
    """The words changed between reading and answering; the answer counts for words that were read only."""

    code = "text_changed"


def notice_for(place: Here) -> Notice:
    """Return what this person is told, with only the purposes that their shoot needs."""
    config = settings()
    full = notice(
        place.organization.regime,
        choose_language(),
        company=place.organization.name,
        processor=config.operator_name,
        region=_(config.storage_region),
        retention_days=place.organization.retention_days,
    )
    asked = {
        purpose: text
        for purpose, text in full.purposes.items()
        if purpose is not Purpose.ADAPTER or place.shoot.engine == EngineName.DIFFUSION
    }
    return replace(full, purposes=asked)


def mark_of(shown: Notice) -> str:
    """Return what ties an answer to the exact words shown: the version and a hash over every text."""
    words = "\n".join([shown.title, shown.intro, *shown.promises, *shown.rights])
    whole = "\n".join([words, *(text.sha256 for text in shown.purposes.values())])
    return f"{shown.version}.{hashlib.sha256(whole.encode()).hexdigest()[:32]}"


@bp.get("/me/")
@login_required  # type: ignore[untyped-decorator]  # Flask-Login ships no types
def step() -> Response:
    """Send the person to the page where they stand."""
    with transaction(me().org_id) as session:
        return go(step_url(here(session).state))


@bp.get("/me/ended")
@login_required  # type: ignore[untyped-decorator]  # Flask-Login ships no types
def ended() -> Response:
    """Say that the deadline has passed; whoever is still in time goes on."""
    with transaction(me().org_id) as session:
        place = here(session)
        if place.state is not State.EXPIRED:
            return go(step_url(place.state))
        raise Gone(
            _(
                "The deadline of this shoot has passed, and nothing of yours is kept. "
                "If you would still like a headshot, ask your company for a new link."
            )
        )


@bp.get("/me/consent")
@login_required  # type: ignore[untyped-decorator]  # Flask-Login ships no types
def show() -> Response:
    """Ask."""
    with transaction(me().org_id) as session:
        place = here(session)
        if place.state not in ASKING:
            return go(step_url(place.state))
        return _page(place)


def _page(place: Here, problem: str = "", status: int = 200) -> Response:
    shown = notice_for(place)
    return make_response(
        render_template("consent.html", place=place, notice=shown, mark=mark_of(shown), problem=problem),
        status,
    )


@bp.post("/me/consent")
@login_required  # type: ignore[untyped-decorator]  # Flask-Login ships no types
def answer() -> Response:
    """Keep the answers with the words they answer."""
    with transaction(me().org_id) as session:
        place = here(session)
        if place.state not in ASKING:
            return go(step_url(place.state))
        shown = notice_for(place)
        answers = {purpose: request.form.get(purpose.value) == "yes" for purpose in shown.purposes}
        try:
            if request.form.get("text_version") != mark_of(shown):
                raise TextChanged(
                    _(
                        "These words have changed since you opened the page. Please read them again and answer."
                    )
                )
            consents.give(session, place.participation, answers, shown)
        except (TextChanged, InvalidInput) as error:
            if wants_json():
                raise
            return _page(place, said(error), error.status)
        participations.move(session, place.participation, State.OPENED, actor=place.actor)
        participations.move(session, place.participation, State.CONSENTED, actor=place.actor)
        place.participation.alternative = None
        avatars.remove_own_picture(session, place.member)
        return go(step_url(State.CONSENTED))
