"""The register of breaches: what happened, the 72 hours, whom to tell and why, and drafts of what to tell them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, request
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin import event_words
from admin.request_steps import one_of, text
from compliance.breaches import drafts, register
from compliance.breaches.drafts import Draft
from compliance.breaches.facts import MOST, BreachFacts, BreachUnusable, checked
from compliance.breaches.register import Whom
from compliance.reports import page as pages
from compliance.reports.wording import LANGUAGES
from core.clock import now
from core.db import transaction
from core.errors import AppError, InvalidInput, NotFound
from core.models import AuditEvent, Breach, LogLeaf, Told
from core.people import organizations
from core.permissions import Permission
from core.web.answers import again, back, go, page
from core.web.app import limiter
from core.web.guards import me, requires

bp = Blueprint("breaches", __name__)

STEPS = ("decide", "told", "close")
LOCAL = "%Y-%m-%dT%H:%M"  # of a field of type datetime-local
# What is asked for, in the order of Art. 33(3): name, label, hint, whether it is a number.
ASKED: tuple[tuple[str, Any, Any, bool], ...] = (
    (
        "nature",
        _l("What happened"),
        _l("How, when, and what is known of it. Name nobody: the register is kept for good."),
        False,
    ),
    ("of_whom", _l("Whose data"), _l("Such as employees of one site, or people who were invited."), False),
    ("people", _l("About how many people"), "", True),
    ("of_what", _l("Which data"), _l("Such as mail addresses, photos, or sealed files without keys."), False),
    ("records", _l("About how many records"), "", True),
    ("consequences", _l("Likely consequences for people"), "", False),
    ("measures", _l("What was done, and what will be"), "", False),
    (
        "contact",
        _l("Whom to ask"),
        _l("Where nothing stands here, the contact on the page Privacy is named."),
        False,
    ),
)
DRAFTS = {
    Draft.AUTHORITY: _l("To the authority (Art. 33)"),
    Draft.PEOPLE: _l("To the people concerned (Art. 34)"),
    Draft.STATES: _l("To people in the United States (have counsel confirm)"),
}
TONGUES = {"en": _l("English"), "de": _l("German")}
WHOM = {Whom.AUTHORITY: _l("The authority (Art. 33)"), Whom.PEOPLE: _l("The people concerned (Art. 34)")}


@bp.get("/breaches")
@requires(Permission.VIEW_AUDIT)
def index() -> Response:
    """List the register, the newest first, each with its clock."""
    with transaction(me().org_id) as session:
        return page("admin/breaches.html", rows=register.listed(session), **_words(session))


@bp.get("/breaches/new")
@requires(Permission.HANDLE_BREACHES)
def new() -> Response:
    """Ask for what is known so far."""
    with transaction(me().org_id) as session:
        words = _words(session)
        aware = now().astimezone(words["zone"]).strftime(LOCAL)
        return page("admin/breach_new.html", typed={"aware_at": aware}, **words)


@bp.post("/breaches/new")
@requires(Permission.HANDLE_BREACHES)
def record() -> Response:
    """Write a breach down; its 72 hours count from when it was known."""
    try:
        with transaction(me().org_id) as session:
            row = register.record(
                session, checked(_given({})), aware_at=_moment(session, "aware_at"), actor=me().actor
            )
    except InvalidInput as error:
        with transaction(me().org_id) as session:
            return again("admin/breach_new.html", error, typed=request.form, **_words(session))
    return go(f"/admin/breaches/{row.id}", _("Written down. The clock runs."))


@bp.get("/breaches/<uuid:breach_id>")
@requires(Permission.VIEW_AUDIT)
def view(breach_id: UUID) -> Response:
    """Show an entry: its clock, what is known, what was decided, what the log has of it."""
    with transaction(me().org_id) as session:
        row = register.get(session, breach_id)
        return page("admin/breach.html", **_shown(session, row), typed=_typed(register.facts_of(row)))


@bp.post("/breaches/<uuid:breach_id>")
@requires(Permission.HANDLE_BREACHES)
def change(breach_id: UUID) -> Response:
    """Write down what is known by now."""
    try:
        with transaction(me().org_id) as session:
            row = register.get(session, breach_id, lock=True)
            register.change(session, row, checked(_given(row.facts)), revision=_revision(), actor=me().actor)
    except AppError as error:
        if error.status not in (409, 422):
            raise
        with transaction(me().org_id) as session:
            row = register.get(session, breach_id)
            typed = {**_typed(register.facts_of(row)), **request.form}
            return again("admin/breach.html", error, **_shown(session, row), typed=typed)
    return go(f"/admin/breaches/{breach_id}", _("Saved, and written into the log."))


@bp.post("/breaches/<uuid:breach_id>/<step>")
@requires(Permission.HANDLE_BREACHES)
def act(breach_id: UUID, step: str) -> Response:
    """Decide whether somebody is told, note that they were, or close the entry."""
    try:
        with transaction(me().org_id) as session:
            _act(session, register.get(session, breach_id, lock=True), step)
    except AppError as error:
        if error.status not in (409, 422):
            raise
        return back(error, f"/admin/breaches/{breach_id}")
    return go(f"/admin/breaches/{breach_id}", _("Done, and written into the log."))


def _act(session: Session, row: Breach, step: str) -> None:
    if step not in STEPS:
        raise NotFound(_("There is no such step. Nothing was changed."))
    if step == "close":
        register.close(session, row, actor=me().actor)
        return
    whom = one_of(Whom, "whom", form=True)
    if whom is None:
        raise InvalidInput(_("This form is not complete. Please open the page again; nothing was changed."))
    if step == "told":
        at, delay = _moment(session, "told_at"), text("delay_reason", MOST)
        register.note_told(session, row, whom, at, delay=delay, actor=me().actor)
        return
    decision = one_of(Told, "decision", form=True)
    if decision is None:
        raise InvalidInput(_("Choose whether they are told. Nothing was changed."))
    register.decide(session, row, whom, decision, reason=text("reason", MOST), actor=me().actor)


@bp.get("/breaches/<uuid:breach_id>/<draft>.<language>.<kind>")
@requires(Permission.VIEW_AUDIT)
@limiter.limit("60 per hour")
def download(breach_id: UUID, draft: str, language: str, kind: str) -> Response:
    """Send the draft of a notice, as a PDF or as text to be pasted."""
    if draft not in set(Draft) or language not in LANGUAGES or kind not in ("pdf", "txt"):
        raise NotFound(_("There is no such draft."))
    with transaction(me().org_id) as session:
        row = register.get(session, breach_id)
        drafted = drafts.document(session, row, Draft(draft), language)
    if kind == "pdf":
        response = Response(pages.pdf(drafted), content_type="application/pdf")
    else:
        response = Response(drafts.as_text(drafted), content_type="text/plain; charset=utf-8")
    name = f"breach-{row.number}-{draft}-{language}.{kind}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _given(before: dict[str, Any]) -> dict[str, Any]:
    """Return what the form has, over what stood there: what a form lacks stays."""
    return {**before, **{name: request.form[name] for name, *_rest in ASKED if name in request.form}}


def _typed(facts: BreachFacts) -> dict[str, str]:
    return {name: "" if value is None else str(value) for name, value in facts.model_dump().items()}


def _moment(session: Session, name: str) -> datetime:
    zone = ZoneInfo(organizations.current(session).time_zone)
    try:
        given = datetime.strptime(request.form.get(name, ""), LOCAL)  # noqa: DTZ007 - the zone follows
        return given.replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BreachUnusable(
            _("Please give day and time, such as 2026-11-30T14:30. Nothing was changed."), field=name
        ) from error


def _revision() -> int:
    given = request.form.get("revision", "")
    if not (given.isascii() and given.isdigit() and len(given) <= 9):
        raise InvalidInput(_("This form is not complete. Please open the page again; nothing was changed."))
    return int(given)


def _shown(session: Session, row: Breach) -> dict[str, Any]:
    words = _words(session)
    events = session.execute(
        select(AuditEvent, LogLeaf.position)
        .outerjoin(LogLeaf, LogLeaf.event_id == AuditEvent.id)
        .where(AuditEvent.id.in_(row.events))
        .order_by(AuditEvent.created_at, AuditEvent.id)
    ).all()
    return {
        "row": row,
        "facts": register.facts_of(row),
        "events": events,
        "event_name": event_words.name_of,
        "drafts": DRAFTS,
        "tongues": TONGUES,
        "now_local": now().astimezone(words["zone"]).strftime(LOCAL),
        "whom_words": WHOM,
        **words,
    }


def _words(session: Session) -> dict[str, Any]:
    zone = ZoneInfo(organizations.current(session).time_zone)

    def moment(at: datetime) -> str:
        here = at.astimezone(zone)
        return f"{format_date(here.date(), 'medium')}, {here:%H:%M}"

    def hours(row: Breach) -> int:
        return int(abs(register.due_at(row) - now()).total_seconds() // 3600)

    def over(row: Breach) -> bool:
        return register.due_at(row) < now()

    return {
        "asked": ASKED,
        "zone": zone,
        "local": moment,
        "due_at": register.due_at,
        "hours": hours,
        "over": over,
        "waits": register.waits,
        "most": MOST,
        "Told": Told,
    }
