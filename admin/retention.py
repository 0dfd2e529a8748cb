"""For how long the company keeps what, beside what is held now."""

from __future__ import annotations

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from compliance import schedule
from core.db import transaction
from core.errors import InvalidInput
from core.people import organizations
from core.permissions import Permission
from core.shoots import promises
from core.shoots.promises import Kept
from core.web.answers import again, go, page
from core.web.errors import said
from core.web.guards import me, requires

bp = Blueprint("retention", __name__)


@bp.get("/retention")
@requires(Permission.EDIT_RETENTION)
def edit() -> Response:
    """Show the schedule, and what is held now of each kind."""
    with transaction(me().org_id) as session:
        return page("admin/retention.html", **_shown(session))


@bp.post("/retention")
@requires(Permission.EDIT_RETENTION)
def save() -> Response:
    """Keep things for other days from now on."""
    given = {kept: request.form.get(kept.value, "").strip() for kept in Kept}
    try:
        with transaction(me().org_id) as session:
            promises.change(
                session, {kept: _days(kept, text) for kept, text in given.items()}, actor=me().actor
            )
    except InvalidInput as error:
        with transaction(me().org_id) as session:
            wrong = Kept(str(error.details["kept"]))
            named = InvalidInput(
                _("%(what)s: %(problem)s", what=_(promises.NAMES[wrong]), problem=said(error))
            )
            shown = {**_shown(session), "given": given, "wrong": wrong.value}
            return again("admin/retention.html", named, **shown)
    return go("/admin/retention", _("Saved. Who agreed to fewer days is kept for fewer."))


def _days(kept: Kept, text: str) -> int:
    # As many digits as any number of days has: int() would take minutes for a million.
    if not (text.isascii() and text.isdigit() and len(text) <= 5):
        raise InvalidInput(_("Give days as a whole number. Nothing was changed."), kept=kept.value)
    return int(text)


def _shown(session: Session) -> dict[str, object]:
    organization = organizations.current(session)
    truth = schedule.measure(session)
    days = {kept: str(number) for kept, number in promises.schedule(organization).items()}
    return {
        "truth": truth,
        "held": {line.kept: line for line in truth.lines},
        "given": days,
        "kinds": list(Kept),
        "names": promises.NAMES,
        "counted": promises.COUNTED,
        "least": promises.LEAST_DAYS,
        "most": promises.MOST_DAYS,
        "slug": organization.slug,
    }
