"""Whose programs may send requests for the company, by OpenDSR."""

from __future__ import annotations

from uuid import UUID

from cryptography import x509
from flask import Blueprint, Response, request
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from compliance.requests.opendsr import exchange, signing
from core.db import transaction
from core.errors import InvalidInput
from core.people import organizations
from core.permissions import Permission
from core.settings import settings
from core.web.answers import again, go, page
from core.web.guards import me, requires

bp = Blueprint("opendsr", __name__)

PAGE = "/admin/requests/programs"
MOST_LETTERS = 20_000  # of a certificate


@bp.get("/requests/programs")
@requires(Permission.HANDLE_REQUESTS)
def index() -> Response:
    """List the programs, and ask for another one."""
    with transaction(me().org_id) as session:
        return page("admin/opendsr.html", typed={}, **_shown(session))


@bp.post("/requests/programs")
@requires(Permission.HANDLE_REQUESTS)
def allow() -> Response:
    """Let a program ask."""
    domain, pem = request.form.get("domain", "")[:300], request.form.get("certificate", "")[:MOST_LETTERS]
    try:
        with transaction(me().org_id) as session:
            exchange.allow(session, domain, pem.strip() + "\n", actor=me().actor)
    except InvalidInput as error:
        with transaction(me().org_id) as session:
            return again("admin/opendsr.html", error, typed=request.form, **_shown(session))
    return go(PAGE, _("Saved. This program may send requests from now on."))


@bp.post("/requests/programs/<uuid:controller_id>/remove")
@requires(Permission.HANDLE_REQUESTS)
def remove(controller_id: UUID) -> Response:
    """Let a program ask nothing any more."""
    with transaction(me().org_id) as session:
        exchange.forbid(session, controller_id, actor=me().actor)
    return go(PAGE, _("Removed. What it asked for before goes on."))


def _shown(session: Session) -> dict[str, object]:
    slug = organizations.current(session).slug
    return {
        "programs": [
            (row, x509.load_pem_x509_certificate(row.certificate.encode()).not_valid_after_utc)
            for row in exchange.controllers(session)
        ],
        "offered": signing.signer() is not None,
        "address": f"{settings().base_url.rstrip('/')}/opendsr/{slug}/v2",
    }
