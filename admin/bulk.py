"""Things done to many people: how far one is, and what came of it for each."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import format_number
from flask_babel import gettext as _

from admin.bulk_words import DOES, OUTCOMES, STOPPED
from core.clock import rfc3339
from core.db import transaction
from core.errors import InvalidInput
from core.permissions import Permission
from core.shoots import bulk
from core.shoots.bulk import Outcome
from core.web.answers import json_answer, page, uuid_argument
from core.web.errors import wants_json
from core.web.guards import me, requires

bp = Blueprint("bulk", __name__)


@bp.get("/people/bulk/<uuid:action_id>")
@requires(Permission.INVITE)
def view(action_id: UUID) -> Response:
    """Show how far it is, and everybody with what came of it."""
    try:
        wanted = Outcome(request.args["show"]) if request.args.get("show") else None
    except ValueError as error:
        raise InvalidInput(_("There is no such result.")) from error
    with transaction(me().org_id) as session:
        progress = bulk.progress(session, action_id)
        rows, after = bulk.results(session, action_id, outcome=wanted, after=uuid_argument("after"))
    how_far = _(
        "%(done)s of %(total)s people are done.",
        done=format_number(progress.done),
        total=format_number(progress.total),
    )
    if wants_json():
        return json_answer(
            {
                "kind": progress.kind,
                "total": progress.total,
                "done": progress.done,
                "counts": {outcome.value: number for outcome, number in progress.by_outcome.items()},
                "percent": progress.percent,
                "said": how_far,
                "finished_at": rfc3339(progress.finished_at) if progress.finished_at else None,
                "failure": progress.failure,
                "people": [{"member_id": str(row.member_id), "outcome": row.outcome} for row in rows],
            }
        )
    return page(
        "admin/bulk.html",
        action_id=action_id,
        progress=progress,
        how_far=how_far,
        rows=rows,
        after=after,
        wanted=wanted,
        does=DOES[progress.kind],
        outcomes=OUTCOMES,
        stopped=STOPPED.get(progress.failure or "", ""),
    )
