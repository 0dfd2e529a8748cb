"""OpenDSR 2.0: what a company's privacy program asks, signed, and our signed answers (docs/opendsr.md).

Nothing of a request is read before its signature was found right.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import wraps
from typing import Any, Final
from uuid import UUID

from flask import Blueprint, Response, make_response, request
from flask_babel import force_locale
from sqlalchemy.orm import Session

from compliance.requests.opendsr import answering, exchange, reading, signing
from compliance.requests.opendsr.exchange import Known, NotSigned
from compliance.requests.opendsr.reading import Malformed
from compliance.requests.opendsr.signing import Signer
from core.clock import now, rfc3339
from core.db import transaction
from core.errors import AppError, NotFound, TooLarge
from core.models import Right
from core.settings import settings
from core.web.app import csrf, limiter
from core.web.errors import said
from portal.trust import organization_of

bp = Blueprint("opendsr", __name__, url_prefix="/opendsr/<slug>/v2")

TIME: Final = "X-OpenDSR-Time"
LONGEST_UNDERWAY: Final = timedelta(minutes=5)


def _answered(view: Callable[..., tuple[int, Mapping[str, Any]]]) -> Callable[..., Response]:
    """Sign what a view answers, errors too; where nothing is set to sign with, there is nothing here."""

    @wraps(view)
    def signed(slug: str, **parts: Any) -> Response:
        signer = signing.signer()
        if signer is None:
            raise NotFound("This installation does not offer OpenDSR.")
        with force_locale("en"):
            try:
                status, body = view(slug, signer, **parts)
            except AppError as error:
                if error.status >= 500:
                    raise
                told = {"domain": "OpenDSR", "reason": error.code, "message": said(error)}
                status = error.status
                body = {"error": {"code": error.status, "message": said(error), "errors": [told]}}
        content = json.dumps(body).encode()
        response = make_response(content, status, signer.headers(content))
        response.content_type = "application/json"
        response.headers["Cache-Control"] = "no-store"
        return response

    return signed


def _domain() -> str:
    return request.headers.get(signing.CONTROLLER, "").strip().lower()


def _demand_signed(session: Session, content: bytes) -> str:
    """Return who signed these bytes.

    Raises:
        NotSigned: nobody whom the company knows.
    """
    domain = _domain()
    exchange.demand_signed(session, domain, content, request.headers.get(signing.SIGNATURE, ""))
    return domain


def _line() -> bytes:
    """Return what is signed where there is no body: what is asked, and when, so that nobody can ask it again later."""
    given = request.headers.get(TIME, "")
    try:
        asked_at = datetime.fromisoformat(given)
        underway = abs(now() - asked_at)
    except (ValueError, TypeError):
        raise NotSigned from None
    if underway > LONGEST_UNDERWAY:
        raise NotSigned
    return f"{request.method} {request.path}\n{given}".encode()


def _body() -> bytes:
    content = b"" if (request.content_length or 0) > reading.MOST_BYTES else request.get_data()
    if not content or len(content) > reading.MOST_BYTES:
        raise TooLarge("A request has a body of at most 64,000 bytes. Nothing was read.")
    return content


@bp.get("/discovery")
@limiter.limit("120 per minute")
@_answered
def discovery(slug: str, signer: Signer) -> tuple[int, Mapping[str, Any]]:
    """Say what can be asked, and in which form."""
    organization_of(slug)
    base = settings().base_url.rstrip("/")
    return 200, {
        "api_version": exchange.VERSION,
        "supported_identities": [
            {"identity_type": kind, "identity_format": form} for kind, form in reading.IDENTITIES
        ],
        "supported_subject_request_types": [Right.ACCESS, Right.PORTABILITY, Right.ERASURE],
        "processor_certificate": f"{base}/opendsr/{slug}/v2/certificate.pem",
        "processor_domain": signer.domain,
    }


@bp.get("/certificate.pem")
@limiter.limit("120 per minute")
def certificate(slug: str) -> Response:
    """Send the certificates of the key that signs."""
    organization_of(slug)
    signer = signing.signer()
    if signer is None:
        raise NotFound("This installation does not offer OpenDSR.")
    response = make_response(signer.chain)
    response.content_type = "application/x-pem-file"
    return response


@bp.post("/requests")
@csrf.exempt  # type: ignore[untyped-decorator]  # the signature over the body is the proof
@limiter.limit("120 per minute")
@_answered
def ask(slug: str, signer: Signer) -> tuple[int, Mapping[str, Any]]:  # noqa: ARG001 - as its neighbours
    """Take a request up."""
    content = _body()
    with transaction(organization_of(slug)) as session:
        domain = _demand_signed(session, content)
        known = exchange.take_up(session, domain, reading.read(content, domain), content)
        return 201, {
            "api_version": exchange.VERSION,
            "controller_id": domain,
            "subject_request_id": str(known.link.subject_request_id),
            "received_time": rfc3339(known.link.created_at),
            "expected_completion_time": rfc3339(known.row.due_at),
            "encoded_request": base64.b64encode(content).decode(),
        }


@bp.get("/requests/<number>")
@limiter.limit("300 per minute")
@_answered
def show(slug: str, signer: Signer, number: str) -> tuple[int, Mapping[str, Any]]:
    """Say how far a request is."""
    with transaction(organization_of(slug)) as session:
        domain = _demand_signed(session, _line())
        return 200, answering.state(exchange.find(session, domain, _number(number)), signer.domain)


@bp.delete("/requests/<number>")
@csrf.exempt  # type: ignore[untyped-decorator]  # the signature over method, address and time is the proof
@limiter.limit("120 per minute")
@_answered
def take_back(slug: str, signer: Signer, number: str) -> tuple[int, Mapping[str, Any]]:  # noqa: ARG001 - as its neighbours
    """End a request that nobody has begun to answer."""
    with transaction(organization_of(slug)) as session:
        domain = _demand_signed(session, _line())
        known: Known = exchange.take_back(session, domain, _number(number))
        return 202, {
            "api_version": exchange.VERSION,
            "controller_id": domain,
            "subject_request_id": str(known.link.subject_request_id),
            "received_time": rfc3339(now()),
        }


def _number(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Malformed("subject_request_id is no UUID.") from None
