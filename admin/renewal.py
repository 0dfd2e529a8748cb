"""New headshots without anybody's asking: the company's rule, and whom it would ask now."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from core.db import transaction
from core.errors import AppError, Conflict, InvalidInput, NotFound
from core.models import Shoot
from core.permissions import Permission
from core.shoots import renewal, shoots
from core.shoots.renewal import NEVER, Rule, RuleUnusable
from core.web.answers import again, go, page
from core.web.guards import me, requires
from core.words import N_

bp = Blueprint("renewal", __name__)

_USUAL_MONTHS = 24
_USUAL_WAIT = 7  # days: the first ones bring enough mail
_USUAL_DAYS = 21


class NotSeen(Conflict):
    """More or fewer people would be invited than were confirmed."""

    code = "number_changed"


@bp.get("/renewal")
@requires(Permission.MANAGE_SHOOTS)
def edit() -> Response:
    """Show whom the company asks by itself."""
    with transaction(me().org_id) as session:
        rule = renewal.rule_of(session)
        return page("admin/renewal.html", fields=_fields(rule), due=None, **_shown(session, rule))


@bp.post("/renewal")
@requires(Permission.MANAGE_SHOOTS)
def save() -> Response:
    """Ask by another rule; first it is shown how many people it would invite now, which is then confirmed."""
    form = request.form
    typed = {name: form.get(name, "") for name in ("name", "like", "months", "wait", "days")}
    ticked = {name: name in form for name in ("again", "joiners")}
    fields = {**typed, **ticked}
    due = None
    try:
        with transaction(me().org_id) as session:
            rule = _rule() if any(ticked.values()) else None
            if rule is not None:
                shoots.get(session, rule.like)
                due = renewal.due(session, renewal.check(rule))
                if due.people and form.get("confirmed") != str(due.people):
                    raise NotSeen(
                        N_("Nothing was changed yet: please look at how many people get an invitation.")
                    )
            renewal.set_rule(session, rule, actor=me().actor)
    except (NotSeen, InvalidInput, NotFound) as error:
        return _again(error, fields, due)
    if rule is None:
        message = _("Saved. Nobody is asked for new photos by itself.")
    elif due is None or not due.people:
        message = _("Saved. Nobody is due now; whoever is later gets an invitation by itself.")
    else:
        message = ngettext(
            "Saved. %(num)s person is invited within the hour.",
            "Saved. %(num)s people are invited within the hour.",
            due.people,
        )
    return go("/admin/renewal", message, due=due.people if due else 0)


def _again(error: AppError, fields: dict[str, Any], due: renewal.Due | None) -> Response:
    # A number that has to be confirmed is no fault of whoever typed it.
    shown = None if isinstance(error, NotSeen) and "confirmed" not in request.form else error
    with transaction(me().org_id) as session:
        values = {"fields": fields, "due": due, **_shown(session, renewal.rule_of(session))}
    if shown is None and not isinstance(error, RuleUnusable):
        return page("admin/renewal.html", **values)
    return again("admin/renewal.html", error, wrong=str(error.details.get("field", "")), **values)


def _rule() -> Rule:
    form = request.form
    try:
        like = UUID(form.get("like", ""))
    except ValueError as error:
        raise RuleUnusable(N_("Please choose a shoot that new ones are like."), field="like") from error
    return Rule(
        name=form.get("name", ""),
        like=like,
        months=_number("months") if "again" in form else NEVER,
        joiners="joiners" in form,
        wait=_number("wait") if "joiners" in form else 0,
        days=_number("days"),
    )


def _number(name: str) -> int:
    text = request.form.get(name, "").strip()
    # As many digits as any of them has: int() would take minutes for a million.
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise RuleUnusable(N_("Please give a whole number of months or days."), field=name)
    return int(text)


def _fields(rule: Rule | None) -> dict[str, Any]:
    return {
        "name": rule.name if rule else _("Headshots"),
        "like": str(rule.like) if rule else "",
        "again": bool(rule and rule.months != NEVER),
        "months": str(rule.months) if rule and rule.months != NEVER else str(_USUAL_MONTHS),
        "joiners": bool(rule and rule.joiners),
        "wait": str(rule.wait) if rule and rule.joiners else str(_USUAL_WAIT),
        "days": str(rule.days) if rule else str(_USUAL_DAYS),
    }


def _shown(session: Session, rule: Rule | None) -> dict[str, Any]:
    listed: list[Shoot] = [shoot for shoot, _style in shoots.listed(session) if shoot.renews is None]
    return {
        "rule": rule,
        "shoots": listed,
        "now": renewal.due(session, rule) if rule else None,
        "stopped": renewal.problem(session, rule) if rule else None,
        "least_months": renewal.LEAST_MONTHS,
        "most_months": renewal.MOST_MONTHS,
        "most_wait": renewal.MOST_WAIT,
        "least_days": renewal.LEAST_DAYS,
        "most_days": renewal.MOST_DAYS,
        "longest_name": renewal.LONGEST_NAME,
    }
