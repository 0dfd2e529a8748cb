"""Importing people: upload, dry run with every row's verdict, commit, how far it is, and every row's result."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _

from admin import roster_choice
from admin.words import ENCODINGS, FIELDS, STOPPED
from core.clock import rfc3339
from core.db import transaction
from core.errors import InvalidInput, TooLarge
from core.people import tabular
from core.people.encodings import OTHERS, UNICODE
from core.people.roster import Choice, Roster
from core.people.rows import Verdict
from core.permissions import Permission
from core.shoots import commits, import_results, imports, shoots
from core.web.answers import again, go, json_answer, page, uuid_argument
from core.web.errors import answer, wants_json
from core.web.guards import me, requires

bp = Blueprint("roster", __name__)

ROWS_A_PAGE = 100
TEMPLATE_ROWS = (
    ("ada@example.com", "Ada", "Lovelace", "E1042", "Engineering", "en", "US-CA"),
    ("emmy@example.com", "Emmy", "Noether", "E1043", "Research", "de", "Germany"),
)


@bp.errorhandler(imports.ImportGone)
def ended(error: imports.ImportGone) -> Response:
    """Lead back to where the list is chosen: a browser's way back ends at a list that was imported."""
    error.details["back"] = f"/admin/shoots/{(request.view_args or {})['shoot_id']}/import"
    return answer(error)


@bp.get("/shoots/<uuid:shoot_id>/import")
@requires(Permission.INVITE)
def choose(shoot_id: UUID) -> Response:
    """Ask for a file or pasted rows."""
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        shoots.open_or_refuse(shoot)
        return page("admin/import.html", shoot=shoot, pasted="")


@bp.get("/roster-template.csv")
@requires(Permission.INVITE)
def template() -> Response:
    """Offer a file to fill in."""
    return _csv(tabular.write(imports.COLUMNS[:7], TEMPLATE_ROWS), "people.csv")


@bp.post("/shoots/<uuid:shoot_id>/import")
@requires(Permission.INVITE)
def upload(shoot_id: UUID) -> Response:
    """Judge an uploaded or pasted list; nobody is invited yet."""
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
    try:
        content = roster_choice.sent()
        with transaction(me().org_id) as session:
            judged = imports.first_look(session, shoot, content)
    except (InvalidInput, TooLarge) as error:
        return again("admin/import.html", error, shoot=shoot, pasted=request.form.get("pasted", ""))
    sealed = imports.seal(me().org_id, shoot_id, content)
    with transaction(me().org_id) as session:
        import_id = imports.keep(session, sealed)
    return go(f"/admin/shoots/{shoot_id}/import/{import_id}", **_facts(import_id, judged))


def _facts(import_id: UUID, found: Roster) -> dict[str, Any]:
    return {
        "import": str(import_id),
        "counts": {verdict.value: number for verdict, number in found.counts.items()},
        "total": len(found.rows),
        "encoding": found.encoding,
        "columns": dict(found.columns.taken),
        "ignored": [sample.label for sample in found.ignored],
        "above": list(found.above),
        "sheet": found.sheet,
        "asks": found.asks,
        "readings": [asdict(reading) for reading in found.readings],
    }


@bp.get("/shoots/<uuid:shoot_id>/import/<uuid:import_id>")
@requires(Permission.INVITE)
def dry_run(shoot_id: UUID, import_id: UUID) -> Response:
    """Show what the import would do, row by row, or ask what the list does not say of itself."""
    wanted = request.args.get("show", "")
    if wanted and wanted not in {verdict.value for verdict in Verdict}:
        raise InvalidInput(_("There is no such verdict."))
    choice, problem = roster_choice.chosen(), None
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        if commits.outcome(session, shoot_id, import_id) is not None:
            return go(_result(shoot_id, import_id))  # it was confirmed: this shows how far it is
        held = imports.find(session, import_id)
    content = imports.read(held, shoot_id)
    with transaction(me().org_id) as session:
        try:
            judged = imports.dry_run(session, shoot_id, content, choice)
        except InvalidInput as error:
            if choice == Choice() or wants_json():
                raise
            # What was said does not fit the list: say so, and ask again.
            choice, problem = Choice(), error
            judged = imports.dry_run(session, shoot_id, content, choice)
    rows = [row for row in judged.rows if not wanted or row.verdict == wanted]
    pages = max(1, -(-len(rows) // ROWS_A_PAGE))
    number = min(max(1, request.args.get("page", 1, type=int)), pages)
    shown = rows[(number - 1) * ROWS_A_PAGE : number * ROWS_A_PAGE]
    if wants_json():
        return json_answer(
            {
                **_facts(import_id, judged),
                "page": number,
                "pages": pages,
                "rows": [
                    {"line": row.line, "verdict": row.verdict, "reasons": list(row.reasons), "text": row.text}
                    for row in shown
                ],
            }
        )
    said = roster_choice.parameters(judged.choice)
    return page(
        "admin/dry_run.html" if judged.asks is None else "admin/dry_run_asks.html",
        problem.status if problem else 200,
        shoot=shoot,
        address=f"/admin/shoots/{shoot_id}/import/{import_id}",
        choose_at=f"/admin/shoots/{shoot_id}/import",
        trail=[("/admin/", _("Shoots")), (f"/admin/shoots/{shoot_id}", shoot.name)],
        last_step=_("Invite"),
        import_id=import_id,
        roster=judged,
        rows=shown,
        wanted=wanted,
        number=number,
        pages=pages,
        good=sum(1 for row in judged.rows if row.is_good),
        problem=problem,
        is_as_before=judged.choice != choice,
        said=said,
        query=urlencode(said),
        encoding_words=ENCODINGS,
        field_words=FIELDS,
        others=OTHERS,
        unicode=UNICODE,
    )


@bp.post("/shoots/<uuid:shoot_id>/import/commit")
@requires(Permission.INVITE)
def commit(shoot_id: UUID) -> Response:
    """Have the good rows invited: behind the pages, as ten thousand take a while."""
    import_id = uuid_argument("import")
    if import_id is None:
        raise InvalidInput(_("Upload a list first."))
    with transaction(me().org_id) as session:
        shoots.get(session, shoot_id)
        choice = roster_choice.chosen()
        held = commits.file_of(session, shoot_id, import_id)
    content = imports.read(held, shoot_id) if held is not None else None
    with transaction(me().org_id) as session:
        commits.start(session, shoot_id, import_id, choice, content, actor=me().actor)
    return go(_result(shoot_id, import_id))


def _result(shoot_id: UUID, import_id: UUID) -> str:
    return f"/admin/shoots/{shoot_id}/import/{import_id}/result"


@bp.get("/shoots/<uuid:shoot_id>/import/<uuid:import_id>/result")
@requires(Permission.INVITE)
def result(shoot_id: UUID, import_id: UUID) -> Response:
    """Show how far the import is; once it is done, what it did, and offer every row with its result."""
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        outcome = commits.outcome(session, shoot_id, import_id)
        if outcome is None:
            raise imports.gone()
    if wants_json():
        kept = f"/admin/shoots/{shoot_id}/import/{import_id}"
        files = {"results_url": f"{kept}/results.csv", "rejected_url": f"{kept}/rejected.csv"}
        return json_answer(
            {
                **asdict(outcome),
                "finished_at": rfc3339(outcome.finished_at) if outcome.finished_at else None,
                "percent": outcome.percent,
                "said": _how_far(outcome),
                **(files if outcome.finished_at and outcome.has_file else {}),
            }
        )
    return page(
        "admin/import_result.html",
        shoot=shoot,
        outcome=outcome,
        import_id=import_id,
        stopped=STOPPED,
        how_far=_how_far(outcome),
    )


def _how_far(outcome: commits.Outcome) -> str:
    said: str = _(
        "%(done)s of %(rows)s rows are done, %(invited)s people invited.",
        done=outcome.done,
        rows=outcome.rows,
        invited=outcome.invited,
    )
    return said


@bp.get("/shoots/<uuid:shoot_id>/import/<uuid:import_id>/results.csv")
@requires(Permission.INVITE)
def results(shoot_id: UUID, import_id: UUID) -> Response:
    """Offer every row of an import that is done, with its result and the reason."""
    with transaction(me().org_id) as session:
        held = import_results.find(session, shoot_id, import_id)
    return _csv(import_results.read_csv(held), "import-result.csv")


@bp.get("/shoots/<uuid:shoot_id>/import/<uuid:import_id>/rejected.csv")
@requires(Permission.INVITE)
def rejected(shoot_id: UUID, import_id: UUID) -> Response:
    """Offer the rejected rows with their reasons, to correct and upload again; before and after the import."""
    with transaction(me().org_id) as session:
        is_confirmed = commits.outcome(session, shoot_id, import_id) is not None
        held = (
            import_results.find(session, shoot_id, import_id)
            if is_confirmed
            else imports.find(session, import_id)
        )
    if is_confirmed:
        return _csv(import_results.read_csv(held, refused_only=True), "not-imported.csv")
    content = imports.read(held, shoot_id)
    with transaction(me().org_id) as session:
        rows = imports.rejected_csv(session, shoot_id, content, roster_choice.chosen())
    return _csv(rows, "not-imported.csv")


def _csv(content: bytes, name: str) -> Response:
    response = Response(content, mimetype="text/csv")
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response
