"""What the company hands to its counsel, its auditor or a buyer: signed reports, and what changed between versions."""

from __future__ import annotations

from itertools import pairwise

from flask import Blueprint, Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin import privacy_words
from compliance.privacy import versions
from compliance.reports.company import issuing
from compliance.reports.company.kinds import Report
from compliance.reports.wording import LANGUAGES, Wording
from core.db import transaction
from core.errors import NotFound
from core.models import CompanyReport
from core.people import organizations
from core.permissions import Permission
from core.web.answers import json_answer, page
from core.web.app import choose_language, limiter
from core.web.guards import me, requires

bp = Blueprint("reports", __name__)

TONGUES = {"en": _l("English"), "de": _l("German")}


@bp.get("/reports")
@requires(Permission.VIEW_AUDIT)
def show() -> Response:
    """List the reports, the version of each that is signed, and whether it still says what is so."""
    say = Wording(choose_language(), "company")
    with transaction(me().org_id) as session:
        rows = []
        for report in Report:
            signed = issuing.versions(session, report, say.language)
            newest = signed[0] if signed else None
            rows.append((report, newest, bool(newest and issuing.is_current(session, newest)), len(signed)))
        return page(
            "admin/reports.html",
            rows=rows,
            say=say,
            tongues=TONGUES,
            slug=organizations.current(session).slug,
            missing=[privacy_words.NAMES[name] for name in versions.live(session).facts.missing],
        )


@bp.get("/reports/<report>.<language>.pdf")
@requires(Permission.VIEW_AUDIT)
@limiter.limit("60 per hour")
def pdf(report: str, language: str) -> Response:
    """Send the signed report as things are now."""
    row = _issued(report, language)
    return _file(row.pdf, "application/pdf", f"{row.report}-{row.version}-{row.language}.pdf")


@bp.get("/reports/<report>.<language>.json")
@requires(Permission.VIEW_AUDIT)
@limiter.limit("60 per hour")
def facts(report: str, language: str) -> Response:
    """Send what it says, for programs."""
    return json_answer(_issued(report, language).facts)


@bp.get("/reports/<report>.<language>.csv")
@requires(Permission.VIEW_AUDIT)
@limiter.limit("60 per hour")
def table(report: str, language: str) -> Response:
    """Send its facts and tables as rows."""
    row = _issued(report, language)
    content = issuing.as_csv(row.facts).encode("utf-8-sig")
    return _file(content, "text/csv; charset=utf-8", f"{row.report}-{row.version}-{row.language}.csv")


@bp.get("/reports/<report>/changes")
@requires(Permission.VIEW_AUDIT)
def changes(report: str) -> Response:
    """Show what each version says otherwise than the one before."""
    wanted, say = _known(report), Wording(choose_language(), "company")
    with transaction(me().org_id) as session:
        signed = issuing.versions(session, wanted, say.language)
        steps = [(after, issuing.changes(before.facts, after.facts)) for after, before in pairwise(signed)]
        return page("admin/report_changes.html", report=wanted, say=say, steps=steps, first=signed[-1:])


def _known(report: str) -> Report:
    if report not in set(Report):
        raise NotFound(_("There is no such report."))
    return Report(report)


def _issued(report: str, language: str) -> CompanyReport:
    wanted = _known(report)
    if language not in LANGUAGES:
        raise NotFound(_("There is no report in this language."))
    with transaction(me().org_id) as session:
        return issuing.issue(session, wanted, language, actor=me().actor)


def _file(content: bytes, media_type: str, name: str) -> Response:
    response = Response(content, content_type=media_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response
