"""Receipts of one's decisions: as a page to print, and for programs."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from compliance.consent import receipts
from compliance.reports import page, receipt
from core.db import transaction
from core.web.app import limiter
from core.web.guards import me, signed_in
from core.web.pictures import attachment
from portal.own_copy import session_of
from portal.visit import visit

bp = Blueprint("receipts", __name__)


@bp.get("/me/receipts/<uuid:receipt_id>.pdf")
@signed_in
@limiter.limit("60 per hour", key_func=session_of)
def document(receipt_id: UUID) -> Response:
    """Send a receipt, with the same for programs inside."""
    with transaction(me().org_id) as session:
        found = receipt.read(session, receipts.find(session, visit(session).member.id, receipt_id))
        said, content = receipt.document(found), receipt.record(found)
    made = page.unsigned(said, content, receipt.JSON_NAME)
    return attachment(made.pdf, "application/pdf", f"receipt-{said.at:%Y-%m-%d}.pdf")


@bp.get("/me/receipts/<uuid:receipt_id>.json")
@signed_in
@limiter.limit("60 per hour", key_func=session_of)
def record(receipt_id: UUID) -> Response:
    """Send a receipt for programs alone."""
    with transaction(me().org_id) as session:
        row = receipts.find(session, visit(session).member.id, receipt_id)
        content = receipt.record(receipt.read(session, row))
        return attachment(content, "application/ld+json", f"receipt-{row.created_at:%Y-%m-%d}.json")
