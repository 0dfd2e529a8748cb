"""The desk where requests about people's data are answered: the list by what is due, and each with its steps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request, url_for
from flask_babel import format_date, get_locale
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import request_steps, request_words
from admin.request_steps import one_of, text
from compliance.laws import UNREAD
from compliance.requests import clocks, desk, inbox, letters, moves, refusals, regimes
from compliance.requests.inbox import Wanted
from compliance.requests.refusals import Basis
from compliance.requests.words import Words
from core.clock import now
from core.db import transaction
from core.errors import AppError, InvalidInput
from core.models import Channel, Right, Stage, SubjectRequest
from core.people import members, organizations
from core.permissions import Permission, allowed
from core.regimes import Regime
from core.web.answers import again, back, go, page, uuid_argument
from core.web.guards import me, requires

bp = Blueprint("requests", __name__)

MOST_LETTERS = 4000
BY_HR = (Channel.HR, Channel.AGENT)
# As long as an answered request is kept; a day before that is a slip of the year.
LONGEST_AGO = timedelta(days=732)


def _of_people() -> bool:
    return allowed(me().role, Permission.VIEW_EVENTS_OF_PEOPLE)


@bp.get("/requests")
@requires(Permission.VIEW_REQUESTS)
def index() -> Response:
    """List requests, what is due first."""
    wanted = Wanted(of_people=_of_people(), state=one_of(Stage, "state"), right=one_of(Right, "right"))
    with transaction(me().org_id) as session:
        found = inbox.page(session, wanted, after=uuid_argument("after"))
        load = inbox.load(session)
        return page(
            "admin/requests.html",
            found=found,
            wanted=wanted,
            open_ones=load.open,
            overdue=load.overdue,
            **_words(session),
        )


@bp.get("/requests/new")
@requires(Permission.HANDLE_REQUESTS)
def new() -> Response:
    """Ask for whom to open a request."""
    with transaction(me().org_id) as session:
        member_id = uuid_argument("person")
        address = members.get(session, member_id).email if member_id is not None else ""
        return page("admin/request_new.html", typed={"address": address or ""}, **_form(session))


@bp.post("/requests/new")
@requires(Permission.HANDLE_REQUESTS)
def open_one() -> Response:
    """Open a request for somebody, known here or not, and tell them."""
    try:
        with transaction(me().org_id) as session:
            row = _opened(session)
    except InvalidInput as error:
        with transaction(me().org_id) as session:
            return again("admin/request_new.html", error, typed=request.form, **_form(session))
    return go(f"/admin/requests/{row.id}", _("Opened. The person is told by mail."))


def _opened(session: Session) -> SubjectRequest:
    address = request.form.get("address", "").strip()
    if "@" not in address or len(address) > 254:
        raise InvalidInput(_("Give the mail address of the person who asks: answers go there."))
    right, channel = one_of(Right, "right", form=True), one_of(Channel, "channel", form=True)
    if right is None or channel not in BY_HR:
        raise InvalidInput(_("Say what the person asks for, and how the request came. Nothing was opened."))
    member = members.by_email(session, address)
    return desk.open_for(
        session,
        right,
        channel,
        member=member,
        asked=Words(
            address=address,
            agent=text("agent", 200) if channel is Channel.AGENT else "",
            text=text("text", MOST_LETTERS),
        ),
        language=member.language if member is not None else organizations.current(session).language,
        actor=me().actor,
        received_at=_received(session),
    )


def _received(session: Session) -> datetime | None:
    given = request.form.get("received", "")
    if not given:
        return None
    place = regimes.place_of(session)
    try:
        day = datetime.strptime(given, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError as error:
        raise InvalidInput(_("Please give a day as year-month-day, such as 2026-11-30.")) from error
    today = clocks.local_day(now(), place)
    if today - day > LONGEST_AGO:
        raise InvalidInput(
            _("This day is more than two years ago. Nothing was opened: please look at the year.")
        )
    return None if day == today else clocks.begin_of(day, place)


@bp.get("/requests/<uuid:request_id>")
@requires(Permission.VIEW_REQUESTS)
def view(request_id: UUID) -> Response:
    """Show one request: what was asked, its clock, what happened, and what can be done."""
    with transaction(me().org_id) as session:
        return page("admin/request.html", **_shown(session, request_id))


@bp.post("/requests/<uuid:request_id>/<step>")
@requires(Permission.HANDLE_REQUESTS)
def act(request_id: UUID, step: str) -> Response:
    """Take a step with a request; the person is told of it by mail."""
    if step not in request_steps.STEPS:
        raise InvalidInput(_("There is no such step. Nothing was changed."))
    try:
        with transaction(me().org_id) as session:
            # The answer locks by itself: an erasure takes the company before the person.
            row = moves.get(session, request_id, lock=step != "fulfil")
            request_steps.STEPS[step](session, row, me().actor)
    except AppError as error:
        if error.status not in (409, 422):
            raise
        return back(error, f"/admin/requests/{request_id}")
    return go(f"/admin/requests/{request_id}", _("Done, and written into the log."))


def _shown(session: Session, request_id: UUID) -> dict[str, object]:
    shown = inbox.read(session, request_id, of_people=_of_people())
    row, place = shown.row, regimes.place_of(session)
    regime = Regime(row.regime)
    can = allowed(me().role, Permission.HANDLE_REQUESTS)
    said = letters.words_in(organizations.spoken(session, str(get_locale())))
    return {
        "shown": shown,
        "row": row,
        "steps": request_steps.possible(session, row) if can else {},
        "days_left": clocks.days_left(row.due_at, now(), place),
        "refusals": [
            (basis, said["basis"][basis], letters.law_in(said, row, basis))
            for basis in refusals.offered(Right(row.type), regime)
        ],
        "holds": [(one, said["basis"][one]) for one in refusals.HOLDS],
        "reason_said": said["basis"].get(row.basis or "", ""),
        "reason_law": letters.law_in(said, row, Basis(row.basis)) if row.basis else "",
        "unread": regime in UNREAD,
        "proposal": desk.proposal_of(session, row),
        "told": [_told(one, number, shown.asked.told) for number, one in enumerate(row.processors, 1)],
        "on_file": _on_file(session, row) if can else {},
        "mine": row.proposed_by == me().member_id,
        "erase_url": url_for("requests.view", request_id=row.id),
        **_words(session),
    }


def _told(one: dict[str, Any], number: int, names: list[str]) -> dict[str, Any]:
    """Return a processor that was told; once the request is closed, and for auditors, it has no name."""
    name = names[number - 1] if number <= len(names) else ""
    at = {
        key: datetime.fromisoformat(one[key]) if one[key] else None for key in ("notified_at", "answered_at")
    }
    return {"number": number, "name": name or _("Processor %(number)s", number=number), **at}


def _on_file(session: Session, row: SubjectRequest) -> dict[str, str]:
    """Return what the record says now of what a correction may change."""
    if row.member_id is None or row.type != Right.RECTIFICATION:
        return {}
    member = members.get(session, row.member_id)
    return {name: getattr(member, name) or "" for name in request_steps.CORRECTED}


def _form(session: Session) -> dict[str, object]:
    return {
        "today": clocks.local_day(now(), regimes.place_of(session)).isoformat(),
        "by_hr": BY_HR,
        **_words(session),
    }


def _words(session: Session) -> dict[str, object]:
    place = regimes.place_of(session)

    def day(moment: datetime) -> str:
        return str(format_date(clocks.local_day(moment, place), "long"))

    return {
        "rights": request_words.RIGHTS,
        "channels": request_words.CHANNELS,
        "stages": request_words.STAGES,
        "extensions": request_words.EXTENSIONS,
        "proofs": request_words.PROOFS,
        "laws": request_words.LAWS,
        "corrected": request_steps.CORRECTED,
        "happened_words": request_words.HAPPENED,
        "by_hr_proofs": request_steps.BY_HR,
        "day": day,
        "zone": place.zone,
        "now": now(),
        "over": moves.OVER,
    }
