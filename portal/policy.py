"""A company's written policy on biometric data, which the law of Illinois wants anybody to be able to read."""

from __future__ import annotations

from flask import Blueprint, Response

from compliance.reports import page as pages
from compliance.reports.company import issuing
from compliance.reports.company.kinds import Report
from core.db import transaction
from core.web.answers import page
from core.web.app import choose_language, limiter
from core.web.pictures import attachment
from portal.trust import organization_of
from portal.visit import company

bp = Blueprint("policy", __name__)


@bp.get("/trust/<slug>/biometric-policy")
@limiter.limit("60 per minute")
def show(slug: str) -> Response:
    """Show the policy as it is now."""
    with transaction(organization_of(slug)) as session:
        company(session)
        document = issuing.unsigned_document(session, Report.BIOMETRIC_POLICY, choose_language())
        return page("policy.html", document=document, slug=slug)


@bp.get("/trust/<slug>/biometric-policy.pdf")
@limiter.limit("10 per minute")
def pdf(slug: str) -> Response:
    """Send it to be kept."""
    with transaction(organization_of(slug)) as session:
        document = issuing.unsigned_document(session, Report.BIOMETRIC_POLICY, choose_language())
    return attachment(pages.pdf(document), "application/pdf", "biometric-policy.pdf")
