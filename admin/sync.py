"""A list of everybody, followed: who joins, moves and leaves, looked at first and applied by tick."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import roster_choice
from admin.words import ENCODINGS, FACTS, FIELDS
from core.db import transaction
from core.errors import AppError, Conflict, Gone, InvalidInput, TooLarge
from core.people import organizations
from core.people.encodings import OTHERS, UNICODE
from core.people.roster import Choice, Roster
from core.people.sync import Plan
from core.permissions import Permission
from core.shoots import imports, promises, shoots, syncs
from core.shoots.promises import Kept
from core.shoots.syncs import Group
from core.web.answers import again, go, json_answer, page, uuid_argument
from core.web.errors import answer, wants_json
from core.web.guards import me, requires

bp = Blueprint("sync", __name__)

HOME = "/admin/people/sync"
ROWS_A_PAGE = 100
LEAVERS_A_PAGE = 1000  # ticks of one page are chosen together, so that all are there who can be


@bp.errorhandler(imports.ImportGone)
def ended(error: imports.ImportGone) -> Response:
    """Lead back to where the list is chosen."""
    error.details["back"] = HOME
    return answer(error)


@bp.get("/people/sync")
@requires(Permission.INVITE)
def choose() -> Response:
    """Ask for the list of everybody."""
    return page("admin/sync.html", pasted="")


@bp.post("/people/sync")
@requires(Permission.INVITE)
def upload() -> Response:
    """Judge a list of everybody; nothing is changed yet."""
    try:
        content = roster_choice.sent()
        with transaction(me().org_id) as session:
            parsed, plan = syncs.dry_run(session, content, Choice())
    except (InvalidInput, TooLarge) as error:
        return again("admin/sync.html", error, pasted=request.form.get("pasted", ""))
    sealed = imports.seal(me().org_id, syncs.NO_SHOOT, content)
    with transaction(me().org_id) as session:
        import_id = imports.keep(session, sealed)
    return go(f"{HOME}/{import_id}", **_facts(import_id, parsed, plan))


def _facts(import_id: UUID, parsed: Roster, plan: Plan | None) -> dict[str, Any]:
    return {
        "import": str(import_id),
        "asks": parsed.asks,
        "counts": _counts(plan) if plan is not None else {},
        "leavers": syncs.seal(plan) if plan is not None else None,
    }


def _counts(plan: Plan) -> dict[str, int]:
    return {
        **{group.value: number for group, number in syncs.counts(plan).items()},
        "unchanged": plan.unchanged,
        "off": plan.off,
        "unclear": len(plan.unclear),
        "unusable": len(plan.unusable),
    }


@bp.get("/people/sync/<uuid:import_id>")
@requires(Permission.INVITE)
def dry_run(import_id: UUID) -> Response:
    """Show what following the list would do, or ask what it does not say of itself."""
    return _shown(import_id)


def _shown(import_id: UUID, problem: AppError | None = None) -> Response:
    choice = roster_choice.chosen()
    with transaction(me().org_id) as session:
        held = imports.find(session, import_id)
    content = imports.read(held, syncs.NO_SHOOT)
    with transaction(me().org_id) as session:
        try:
            parsed, plan = syncs.dry_run(session, content, choice)
        except InvalidInput as error:
            if choice == Choice() or wants_json():
                raise
            choice, problem = Choice(), error  # what was said does not fit the list: say so, and ask again
            parsed, plan = syncs.dry_run(session, content, choice)
        offered = _offered(session)
    if wants_json():
        if problem is not None:
            raise problem
        return json_answer(_facts(import_id, parsed, plan))
    said = roster_choice.parameters(parsed.choice)
    return page(
        "admin/sync_dry_run.html" if plan is not None else "admin/dry_run_asks.html",
        problem.status if problem else 200,
        address=f"{HOME}/{import_id}",
        choose_at=HOME,
        trail=[("/admin/people", _("People"))],
        last_step=_("Apply"),
        problem=problem,
        roster=parsed,
        plan=plan,
        leavers=syncs.seal(plan) if plan is not None else None,
        is_as_before=parsed.choice != choice,
        said=said,
        query=urlencode(said),
        encoding_words=ENCODINGS,
        field_words=FIELDS,
        fact_words=FACTS,
        others=OTHERS,
        unicode=UNICODE,
        **offered,
        **(_page_of(plan) if plan is not None else {}),
    )


def _offered(session: Session) -> dict[str, Any]:
    return {
        "open_shoots": [shoot for shoot, _style in shoots.listed(session) if shoot.closed_at is None],
        "leaver_days": promises.schedule(organizations.current(session))[Kept.LEAVERS],
    }


def _page_of(plan: Plan) -> dict[str, Any]:
    """Return the group that is looked at, and the page of it."""
    groups: dict[str, Any] = {
        "join": plan.joiners,
        "move": plan.movers,
        "leave": plan.leavers,
        "unclear": plan.unclear,
        "unusable": plan.unusable,
    }
    first = next((name for name, rows in groups.items() if rows), "join")
    wanted = request.args.get("show", "") or first
    if wanted not in groups:
        raise InvalidInput(_("There is no such group."))
    rows = groups[wanted]
    most = LEAVERS_A_PAGE if wanted == Group.LEAVE else ROWS_A_PAGE
    pages = max(1, -(-len(rows) // most))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = rows[(number - 1) * most : number * most]
    return {
        "wanted": wanted,
        "rows": shown,
        "number": number,
        "pages": pages,
        "numbers": {name: len(of) for name, of in groups.items()},
        "stay": _staying(),
    }


def _staying() -> set[UUID]:
    """Return whom of the leavers that a form showed nobody ticked; without a form, nobody."""
    try:
        shown = {UUID(one) for one in request.form.get("shown", "").split()}
        return shown - {UUID(one) for one in request.form.getlist("leaver")}
    except ValueError as error:
        raise InvalidInput(
            _("This form is not complete. Please open the page again; nothing was changed.")
        ) from error


@bp.post("/people/sync/<uuid:import_id>")
@requires(Permission.INVITE)
def commit(import_id: UUID) -> Response:
    """Have the groups that are ticked applied, behind the pages."""
    try:
        ticked = {Group(name): _number(f"count-{name}") for name in request.form.getlist("tick")}
        stay = _staying()
        if Group.LEAVE in ticked and _number("confirmation") != ticked[Group.LEAVE] - len(stay):
            raise InvalidInput(
                _("To switch off people’s access, type how many they are. Nothing was changed."),
                field="confirmation",
            )
        choice, shoot_id = roster_choice.chosen(), uuid_argument("shoot")
        with transaction(me().org_id) as session:
            held = imports.find(session, import_id)
        content = imports.read(held, syncs.NO_SHOOT)
        with transaction(me().org_id) as session:
            action = syncs.start(
                session,
                import_id,
                content,
                choice,
                ticked=ticked,
                leavers=request.form.get("leavers", ""),
                stay=stay,
                shoot_id=shoot_id,
                actor=me().actor,
            )
    except (InvalidInput, Conflict) as error:
        if isinstance(error, Gone) or wants_json():
            raise
        return _shown(import_id, error)
    return go(f"/admin/people/bulk/{action.id}", action=str(action.id))


def _number(name: str) -> int:
    text = request.form.get(name, "").strip().replace(",", "").replace(".", "").replace("\u202f", "")
    # As many digits as any number of people has.
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1
