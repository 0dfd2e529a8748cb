"""Reminders of a shoot: to everyone, once the number was read, and by a schedule."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from core.db import transaction
from core.errors import Conflict, InvalidInput
from core.models import Shoot
from core.people import organizations
from core.permissions import Permission
from core.shoots import reminding, shoots
from core.web.answers import again, go, json_answer, page
from core.web.errors import wants_json
from core.web.guards import me, requires
from core.words import N_

bp = Blueprint("reminding", __name__)


class NumberChanged(Conflict):
    """What would be sent is not what was confirmed."""

    code = "number_changed"


def _shown(session: Session, shoot: Shoot) -> dict[str, object]:
    organization = organizations.current(session)
    return {
        "shoot": shoot,
        "plan": reminding.plan(session, shoot) if shoot.closed_at is None else None,
        "after": ", ".join(str(day) for day in shoot.reminder_days if day > 0),
        "before": ", ".join(str(-day) for day in sorted(shoot.reminder_days) if day < 0),
        "quiet_until": organization.quiet_until,
        "quiet_from": organization.quiet_from,
    }


@bp.get("/shoots/<uuid:shoot_id>/remind")
@requires(Permission.INVITE)
def show(shoot_id: UUID) -> Response:
    """Show how many people a reminder would reach now, and when the shoot reminds by itself."""
    with transaction(me().org_id) as session:
        shown = _shown(session, shoots.get(session, shoot_id))
    if wants_json():
        plan = shown["plan"]
        return json_answer({"reached": plan.reached if isinstance(plan, reminding.Plan) else 0})
    return page("admin/remind.html", **shown)


@bp.post("/shoots/<uuid:shoot_id>/remind")
@requires(Permission.INVITE)
def remind_all(shoot_id: UUID) -> Response:
    """Send everyone who has not finished a new link; as many as were confirmed, or none."""
    try:
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True)
            number = reminding.remind_all(session, shoot, actor=me().actor)
            if str(number) != request.form.get("confirmed"):
                raise NumberChanged(
                    N_(
                        "Nobody was reminded: please confirm how many people get a mail, which may have changed."
                    )
                )
    except NumberChanged as error:
        with transaction(me().org_id) as session:
            return again("admin/remind.html", error, **_shown(session, shoots.get(session, shoot_id)))
    message = (
        ngettext("%(num)s reminder is on its way.", "%(num)s reminders are on their way.", number)
        if number
        else _("Nobody to remind.")
    )
    return go(f"/admin/shoots/{shoot_id}", message, sent=number)


@bp.post("/shoots/<uuid:shoot_id>/reminders")
@requires(Permission.MANAGE_SHOOTS)
def schedule(shoot_id: UUID) -> Response:
    """Say when the shoot reminds by itself."""
    try:
        with transaction(me().org_id) as session:
            days = _days("after") + [-day for day in _days("before")]
            reminding.set_schedule(session, shoots.get(session, shoot_id, lock=True), days, actor=me().actor)
    except InvalidInput as error:
        with transaction(me().org_id) as session:
            shown = _shown(session, shoots.get(session, shoot_id))
            typed = {name: request.form.get(name, "") for name in ("after", "before")}
            return again("admin/remind.html", error, **{**shown, **typed})
    message = (
        _("Saved. The shoot reminds by itself on these days.")
        if days
        else _("Saved. The shoot does not remind by itself.")
    )
    return go(f"/admin/shoots/{shoot_id}/remind", message, days=days)


def _days(name: str) -> list[int]:
    parts = request.form.get(name, "").replace(";", ",").replace(" ", ",").split(",")
    try:
        return [int(part) for part in parts if part]
    except ValueError as error:
        raise reminding.ScheduleUnusable(
            N_("Please give days as numbers with commas between them, like 3, 7."), field=name
        ) from error
