"""How far everybody of a shoot is, as a file."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response
from flask_babel import gettext as _

from admin.words import STATES
from core.clock import now
from core.db import transaction
from core.people import tabular
from core.permissions import Permission
from core.shoots import shoots, status
from core.web import pictures
from core.web.guards import me, requires

bp = Blueprint("status", __name__)

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@bp.get("/shoots/<uuid:shoot_id>/status.csv")
@requires(Permission.DOWNLOAD)
def as_csv(shoot_id: UUID) -> Response:
    """Send the list as CSV."""
    header, found = _table(shoot_id, "csv")
    text = [[str(cell or "") for cell in row] for row in found]
    return pictures.attachment(tabular.write(header, text), "text/csv; charset=utf-8", _name("csv"))


@bp.get("/shoots/<uuid:shoot_id>/status.xlsx")
@requires(Permission.DOWNLOAD)
def as_excel(shoot_id: UUID) -> Response:
    """Send the list as an Excel file."""
    header, found = _table(shoot_id, "xlsx")
    return pictures.attachment(status.workbook(_("People"), header, found), EXCEL, _name("xlsx"))


def _table(shoot_id: UUID, form: str) -> tuple[list[str], list[status.Row]]:
    with transaction(me().org_id) as session:
        shoot = shoots.get(session, shoot_id)
        found = status.rows(
            session, shoot, lambda state: str(STATES[state].label), form=form, actor=me().actor
        )
    return [str(_(text)) for text in status.HEADER], found


def _name(ending: str) -> str:
    return f"status-{now():%Y-%m-%d}.{ending}"
