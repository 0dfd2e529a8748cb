"""Something for everybody whom a filter finds: who and what, before it is done."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import people_filter
from admin.bulk_words import DOES, OUTCOMES, WILL
from core.db import transaction
from core.errors import AppError, Conflict, InvalidInput
from core.permissions import Permission
from core.shoots import bulk_steps, shoots
from core.shoots.bulk import Kind
from core.web.answers import go, json_answer, page, uuid_argument
from core.web.errors import wants_json
from core.web.guards import me, requires

bp = Blueprint("bulk_form", __name__)

TO_A_SHOOT = (Kind.INVITE, Kind.MOVE)


@bp.get("/people/act")
@requires(Permission.INVITE)
def preview() -> Response:
    """Show what inviting, reminding, moving, withdrawing or making again would come to."""
    return _shown(_kind())


@bp.post("/people/act")
@requires(Permission.INVITE)
def act() -> Response:
    """Have it done behind the pages."""
    return _start(_kind())


@bp.get("/people/erase")
@requires(Permission.ERASE_MEMBER)
def preview_erasure() -> Response:
    """Show who would be erased."""
    return _shown(Kind.ERASE)


@bp.post("/people/erase")
@requires(Permission.ERASE_MEMBER)
def erase() -> Response:
    """Erase everybody who was shown, once their number was typed."""
    return _start(Kind.ERASE)


def _kind() -> Kind:
    asked = request.values.get("kind", "")
    if asked not in set(Kind) - {Kind.ERASE, Kind.SYNC}:
        raise InvalidInput(_("There is no such action."))
    return Kind(asked)


def _shown(kind: Kind, problem: AppError | None = None) -> Response:
    asked, target = people_filter.asked(), uuid_argument("to")
    with transaction(me().org_id) as session:
        wanted = people_filter.filter_of(session, asked)
        open_shoots = _open_shoots(session)
        if kind in TO_A_SHOOT and target is None and open_shoots:
            target = open_shoots[0].id
        found = bulk_steps.preview(session, kind, wanted, target=target)
    if wants_json():
        if problem is not None:
            raise problem
        return json_answer(
            {
                "kind": kind,
                "total": found.total,
                "worked": found.worked,
                "seen": found.seal,
                "counts": {outcome.value: number for outcome, number in found.by_outcome.items()},
            }
        )
    return page(
        "admin/bulk_preview.html",
        problem.status if problem else 200,
        problem=problem,
        kind=kind.value,
        does=DOES[kind],
        will=WILL[kind],
        outcomes=OUTCOMES,
        asked=asked,
        found=found,
        target=target,
        open_shoots=open_shoots if kind in TO_A_SHOOT else None,
        address="/admin/people/erase" if kind is Kind.ERASE else "/admin/people/act",
    )


def _open_shoots(session: Session) -> list[Any]:
    return [shoot for shoot, _style in shoots.listed(session) if shoot.closed_at is None]


def _start(kind: Kind) -> Response:
    try:
        asked, target = people_filter.asked(), uuid_argument("to")
        if kind in TO_A_SHOOT and target is None:
            raise InvalidInput(_("Please choose a shoot."), field="to")
        with transaction(me().org_id) as session:
            action = bulk_steps.start(
                session,
                kind,
                people_filter.filter_of(session, asked),
                target=target,
                seen=request.form.get("seen", ""),
                typed="".join(sign for sign in request.form.get("confirmation", "") if sign.isalnum()),
                actor=me().actor,
            )
    except (InvalidInput, Conflict) as error:
        if wants_json():
            raise
        return _shown(kind, error)
    return go(f"/admin/people/bulk/{action.id}", action=str(action.id))
