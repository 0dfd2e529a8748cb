"""One's own data to take along: the copy of everything with its report, the report alone, and what one provided oneself."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, make_response
from sqlalchemy.orm import Session

from compliance.reports import making, page, portability
from compliance.requests import desk, export
from core import audit
from core.db import transaction
from core.models import Right
from core.web import archive
from core.web.app import choose_language, limiter
from core.web.guards import me, signed_in
from core.web.pictures import attachment
from portal.visit import Visit, visit

bp = Blueprint("own_copy", __name__)


def note(session: Session, place: Visit, what: str, files: int) -> None:
    """Write into the log that somebody took a copy of their data."""
    audit.record(
        session,
        audit.Tag.EXPORT_DOWNLOADED,
        actor=place.actor,
        subject=place.member,
        what=what,
        files=files,
    )


def session_of() -> str:
    """Limits count per signed-in person here: a whole office may share one address."""
    return f"session {me().session_id}"


@bp.get("/me/export.zip")
@signed_in
@limiter.limit("20 per hour", key_func=session_of)
def everything() -> Response:
    """Send the copy of everything: photos, headshots, the records as JSON, and the report in words."""
    with transaction(me().org_id) as session:
        place = visit(session)
        plan = export.plan(session, place.member, choose_language())
        note(session, place, "access", len(plan.files))
        written = hashlib.sha256(plan.records).hexdigest()
        desk.record_done(session, place.member, Right.ACCESS, evidence_sha256=written)
    return archive.send(export.contents(me().org_id, plan), "my-data.zip")


@bp.get("/me/report.pdf")
@signed_in
@limiter.limit("20 per hour", key_func=session_of)
def report() -> Response:
    """Send the report alone."""
    with transaction(me().org_id) as session:
        place = visit(session)
        plan = export.plan(session, place.member, choose_language())
        note(session, place, "report", 1)
    return attachment(
        page.pdf(making.finished(plan.report, (), plan.regime)), "application/pdf", "my-data-report.pdf"
    )


@bp.get("/me/provided.zip")
@signed_in
@limiter.limit("20 per hour", key_func=session_of)
def provided() -> Response:
    """Send what the person provided, for somebody else's program."""
    with transaction(me().org_id) as session:
        place = visit(session)
        package = portability.package(session, place.member)
        note(session, place, "portability", len(package.files))
        written = hashlib.sha256(package.content).hexdigest()
        desk.record_done(session, place.member, Right.PORTABILITY, evidence_sha256=written)
    return archive.send(portability.contents(me().org_id, package), "what-i-provided.zip")


@bp.get("/schemas/portability-1.json")
@limiter.limit("120 per minute")
def schema() -> Response:
    """Return what a program that reads such a file can rely on."""
    response = make_response(portability.SCHEMA)
    response.content_type = "application/schema+json"
    return response
