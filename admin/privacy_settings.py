"""What the company states of how it answers for its people's data: written, looked at as the public page, put live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from admin import privacy_words
from compliance import public_page
from compliance.privacy import versions
from compliance.privacy.facts import PrivacyFacts, PrivacyUnusable, checked
from compliance.reports.company.company import Company
from core.db import transaction
from core.errors import AppError, Conflict, InvalidInput
from core.people import organizations
from core.permissions import Permission
from core.web.answers import again, go, page
from core.web.app import choose_language
from core.web.errors import said
from core.web.guards import me, requires

bp = Blueprint("privacy_settings", __name__)

SPARE = 2  # empty rows at the end of each list, to be filled in
MOST_ROWS = 60  # rows that a form is read to


@dataclass(frozen=True)
class Change:
    """A fact that is about to say something else."""

    label: Any
    before: str
    after: str


@bp.get("/settings/privacy")
@requires(Permission.VIEW_AUDIT)
def show() -> Response:
    """Show what is stated now, and for whoever may change it the form."""
    with transaction(me().org_id) as session:
        now = versions.live(session)
        return page("admin/privacy_settings.html", **_shown(session, now.version, typed_from(now.facts)))


@bp.post("/settings/privacy/preview")
@requires(Permission.EDIT_PRIVACY)
def preview() -> Response:
    """Show the public page as it would be, and what would change; nothing is kept yet."""
    with transaction(me().org_id) as session:
        base = _base()
        typed = _typed(session)
        if "back" in request.form:
            return page("admin/privacy_settings.html", **_shown(session, base, typed))
        before = versions.live(session)
        try:
            facts = checked(_values(typed), before=before.facts)
        except PrivacyUnusable as error:
            return _again(session, error, base, typed)
        return page(
            "admin/privacy_preview.html",
            public=public_page.of(session, choose_language(), facts),
            organization=organizations.current(session),
            changes=[
                Change(privacy_words.NAMES[name], _told(before.facts, name), _told(facts, name))
                for name in facts.unlike(before.facts)
            ],
            typed=typed,
            base=base,
        )


@bp.post("/settings/privacy")
@requires(Permission.EDIT_PRIVACY)
def publish() -> Response:
    """Put it live: public page, reports, certificates and consent pages say it from now on."""
    try:
        with transaction(me().org_id) as session:
            facts = checked(_values(_typed(session)), before=versions.live(session).facts)
            live = versions.publish(session, facts, base=_base(), actor=me().actor)
    except (InvalidInput, Conflict) as error:
        with transaction(me().org_id) as session:
            return _again(session, error, _base(), _typed(session))
    return go("/admin/settings/privacy", _("Version %(version)s is live.", version=live.version))


def _again(session: Session, error: AppError, base: int, typed: dict[str, Any]) -> Response:
    wrong = str(error.details.get("field", ""))
    label = privacy_words.NAMES.get(wrong)
    named = InvalidInput(
        _("%(what)s: %(problem)s", what=label, problem=said(error)) if label else said(error),
        **({"field": wrong} if wrong else {}),
    )
    return again("admin/privacy_settings.html", named, **{**_shown(session, base, typed), "wrong": wrong})


def typed_from(facts: PrivacyFacts) -> dict[str, Any]:
    """Return facts as a form holds them: texts, and lists of rows of texts."""
    stated = facts.model_dump(mode="json")
    found: dict[str, Any] = {
        name: value if isinstance(value, bool) else "" if value is None else str(value)
        for name, value in stated.items()
        if not isinstance(value, list)
    }
    for name in privacy_words.LISTS:
        found[name] = [
            {part: "" if value is None else str(value) for part, value in row.items()} for row in stated[name]
        ]
    return found


def _typed(session: Session) -> dict[str, Any]:
    """Return what the form holds; of what it does not hold, what is stated now."""
    form = request.form
    found = typed_from(versions.live(session).facts)
    for name, value in found.items():
        if isinstance(value, str) and name in form:
            found[name] = form[name]
    if "lists" in form:  # the form that has them; an unticked box and a removed row send nothing
        found["no_transfers"] = "no_transfers" in form
        for name, (_label, parts) in privacy_words.LISTS.items():
            found[name] = list(_rows(form, name, tuple(parts)))
    return found


def _rows(form: Mapping[str, str], name: str, parts: tuple[str, ...]) -> Any:
    for number in range(MOST_ROWS):
        row = {part: form.get(f"{name}-{number}-{part}", "").strip() for part in parts}
        if any(row.values()) and f"{name}-{number}-remove" not in form:
            yield row


def _values(typed: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in typed.items()}


def _base() -> int:
    given = request.form.get("base", "")
    if not (given.isascii() and given.isdigit() and len(given) <= 9):
        raise InvalidInput(_("This form is not complete. Please open the page again; nothing was changed."))
    return int(given)


def _shown(session: Session, base: int, typed: dict[str, Any]) -> dict[str, Any]:
    company = Company.of(session, choose_language())
    known = {row["name"].casefold() for row in typed["subprocessors"]}
    return {
        "typed": typed,
        "base": base,
        "groups": privacy_words.GROUPS,
        "lists": privacy_words.LISTS,
        "names": privacy_words.NAMES,
        "days": privacy_words.DAYS,
        "spare": SPARE,
        "unlisted": [
            (name, service)
            for name, service, *_rest in company.processors()
            if name and name.casefold() not in known
        ],
        "history": versions.history(session),
        "slug": organizations.current(session).slug,
        "wrong": "",
    }


def _told(facts: PrivacyFacts, name: str) -> str:
    """Return what a fact says, for the list of changes."""
    value = getattr(facts, name)
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, tuple):
        rows = (row.model_dump(mode="json") for row in value)
        return "\n".join(" · ".join(str(part) for part in row.values() if part) for row in rows)
    return "" if value is None else str(value)
