"""A shoot after it began: edited, opened again, and copied into a new one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import shoots as pages
from core.brand import styles
from core.clock import now
from core.db import transaction
from core.errors import Conflict, InvalidInput
from core.models import Shoot
from core.permissions import Permission
from core.portraits import file_names, restyling
from core.shoots import changes, department_styles, shoots
from core.web.answers import again, go, page, uuid_argument
from core.web.guards import me, requires

bp = Blueprint("shoot_edit", __name__)


@bp.get("/shoots/<uuid:shoot_id>/edit")
@requires(Permission.MANAGE_SHOOTS)
def edit(shoot_id: UUID) -> Response:
    """Show what can be changed of a shoot."""
    with transaction(me().org_id) as session:
        return page("admin/shoot_edit.html", **_shown(session, shoots.get(session, shoot_id)))


def _shown(session: Session, shoot: Shoot) -> dict[str, Any]:
    listed = [one.style for one in styles.newest(session)]
    current = styles.get(session, shoot.style_id)
    return {
        "shoot": shoot,
        "styles": listed if current in listed else [current, *listed],
        "rendered": changes.rendered(session, shoot.id),
        "older": restyling.older(session, shoot),
        "fields": {
            "name": shoot.name,
            "style_id": str(shoot.style_id),
            "deadline": shoot.deadline.date().isoformat(),
            "file_name": shoot.file_name,
        },
        "today": now().date().isoformat(),
        "latest": (now().date() + shoots.LONGEST_DEADLINE).isoformat(),
        "example": file_names.EXAMPLE,
        "department_styles": department_styles.chosen(session, shoot),
        "departments": department_styles.listed(session),
    }


@bp.post("/shoots/<uuid:shoot_id>/edit")
@requires(Permission.MANAGE_SHOOTS)
def save(shoot_id: UUID) -> Response:
    """Change name, style of what is made from now on, deadline and file names, all of them or none."""
    form = request.form
    try:
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True)
            shown = _shown(session, shoot)
            style_id = uuid_argument("style_id") or shoot.style_id
            changed = changes.change(
                session,
                shoot,
                name=form.get("name", shoot.name),
                style=styles.get(session, style_id),
                file_name=form.get("file_name", shoot.file_name),
                actor=me().actor,
            )
            day = pages.day(form["deadline"]) if "deadline" in form else shoot.deadline.date()
            if day != shoot.deadline.date():
                shoots.move_deadline(session, shoot, day, actor=me().actor)
                changed.append("deadline")
    except (InvalidInput, Conflict) as error:
        wrong = str(error.details.get("field", ""))
        shown["fields"] |= {name: form.get(name, kept) for name, kept in shown["fields"].items()}
        return again("admin/shoot_edit.html", error, wrong=wrong, **shown)
    return go(
        f"/admin/shoots/{shoot_id}",
        _("Changed.") if changed else _("Nothing was changed."),
        changed=changed,
    )


@bp.post("/shoots/<uuid:shoot_id>/reopen")
@requires(Permission.MANAGE_SHOOTS)
def reopen(shoot_id: UUID) -> Response:
    """Open a closed shoot again, until another day."""
    try:
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True)
            shown = _shown(session, shoot)
            found = changes.reopen(
                session, shoot, pages.day(request.form.get("deadline", "")), actor=me().actor
            )
    except (InvalidInput, Conflict) as error:
        return again("admin/shoot_edit.html", error, **shown)
    message = " ".join(
        (
            _(
                "The shoot is open again until %(day)s. Nobody was mailed.",
                day=format_date(shoot.deadline.date(), "long"),
            ),
            ngettext("%(num)s link works again.", "%(num)s links work again.", found.links),
        )
    )
    return go(f"/admin/shoots/{shoot_id}", message, links=found.links)


@bp.post("/shoots/<uuid:shoot_id>/department-style")
@requires(Permission.MANAGE_SHOOTS)
def choose_for_department(shoot_id: UUID) -> Response:
    """Give a department a style of its own, or the shoot's again."""
    style_id = uuid_argument("style_id")
    try:
        with transaction(me().org_id) as session:
            shoot = shoots.get(session, shoot_id, lock=True)
            shown = _shown(session, shoot)
            changed = department_styles.choose(
                session,
                shoot,
                request.form.get("department", ""),
                styles.get(session, style_id) if style_id else None,
                actor=me().actor,
            )
    except (InvalidInput, Conflict) as error:
        return again("admin/shoot_edit.html", error, wrong=str(error.details.get("field", "")), **shown)
    return go(
        f"/admin/shoots/{shoot_id}/edit#departments",
        _("Changed.") if changed else _("Nothing was changed."),
        changed=changed,
    )
