"""Public promises, public keys, and checking our evidence in the browser."""

from __future__ import annotations

from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding
from flask import Blueprint, Response, make_response, request
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge

from compliance import backups, public_page, public_truth, retention_report, sealing
from compliance.evidence import published_keys, published_keys_of, signing_keys
from compliance.log import witnesses
from compliance.opening import found_in
from compliance.privacy import versions
from compliance.verify import MAX_BYTES, Claim, Verification, verify_file
from core.clock import now
from core.db import Lookup, transaction
from core.errors import AppError, InvalidInput, NotFound, TooLarge
from core.models import Checkpoint
from core.shoots import promises
from core.web.answers import json_answer, page
from core.web.app import choose_language, limiter
from core.web.errors import answer, said, wants_json
from core.web.pictures import attachment
from portal import words
from portal.visit import company

bp = Blueprint("trust", __name__)


def organization_of(name: str) -> UUID:
    """Return the company of an address: by its short name, or by its id as certificates print it for good."""
    org_id = Lookup.organization(name)
    if org_id is None:
        org_id = next((one for one in Lookup.organizations() if str(one) == name), None)
    if org_id is None:
        raise NotFound(_("No company has this address."))
    return org_id


@bp.get("/trust/<slug>")
@limiter.limit("120 per minute")
def show(slug: str) -> Response:
    """Say what is held, how long, what makes the pictures, what checks them, and who else is involved."""
    org_id = organization_of(slug)
    truth, public = public_truth.of(org_id), published_keys(org_id)
    with transaction(org_id) as session:
        organization = company(session)
        return page(
            "trust.html",
            organization=organization,
            truth=truth,
            promised=promises.schedule(organization),
            held={line.kept: line for line in truth.lines},
            names=promises.NAMES,
            counted=promises.COUNTED,
            public=public_page.of(session, choose_language()),
            history=versions.history(session),
            hours=backups.dead_within_hours(),
            names_until=sealing.open_in_backups_until(now()),
            keys=public,
        )


@bp.get("/trust/<slug>/keys.json")
@limiter.limit("120 per minute")
def keys(slug: str) -> Response:
    """Return the public keys that evidence is checked with; `download=1` saves them under the name we speak of."""
    response = json_answer(published_keys(organization_of(slug)))
    if request.args.get("download") == "1":
        response.headers["Content-Disposition"] = 'attachment; filename="keys.json"'
    return response


@bp.get("/trust/<slug>/retention.json")
@limiter.limit("60 per minute")
def retention(slug: str) -> Response:
    """Return what is promised and what is held now, as JSON-LD."""
    response = make_response(_report(slug).partition("\n\n")[0] + "\n")
    response.content_type = "application/ld+json"
    return response


@bp.get("/trust/<slug>/retention.note")
@limiter.limit("60 per minute")
def retention_note(slug: str) -> Response:
    """Return the same, signed by the key of the company's log (C2SP signed-note), to be kept and checked offline."""
    response = make_response(_report(slug))
    response.content_type = "text/plain; charset=utf-8"
    return response


def _report(slug: str) -> str:
    org_id = organization_of(slug)
    truth = public_truth.of(org_id)
    with transaction(org_id) as session:
        return retention_report.report(session, truth)


@bp.get("/trust/<slug>/root.cer")
@limiter.limit("120 per minute")
def root_cer(slug: str) -> Response:
    """Return the certificate that vouches for signed documents as DER, which Windows and Acrobat take by its name."""
    organization_of(slug)
    content = signing_keys().document_root.public_bytes(Encoding.DER)
    return attachment(content, "application/pkix-cert", "headshots-evidence-root.cer")


@bp.get("/trust/<slug>/root.pem")
@limiter.limit("120 per minute")
def root_pem(slug: str) -> Response:
    """Return the same certificate as PEM."""
    organization_of(slug)
    content = signing_keys().document_root.public_bytes(Encoding.PEM)
    return attachment(content, "application/x-pem-file", "headshots-evidence-root.pem")


@bp.get("/trust/<slug>/checkpoint")
@limiter.limit("120 per minute")
def checkpoint(slug: str) -> Response:
    """Return the newest signed checkpoint of the company's log (C2SP tlog-checkpoint)."""
    response = make_response(checkpoint_of(slug))
    response.content_type = "text/plain; charset=utf-8"
    return response


def checkpoint_of(slug: str) -> str:
    """Return the newest signed checkpoint of a company's log, with the lines of witnesses who have seen it.

    Raises:
        NotFound: no company has this address, or its log is empty.
    """
    with transaction(organization_of(slug)) as session:
        newest = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
        if newest is None:
            raise NotFound(_("Nothing has been written into this company’s log yet."))
        return witnesses.cosigned(session, newest)


@bp.get("/verify")
def ask() -> Response:
    """Ask for a file to check."""
    return page("verify.html", result=None)


def _again(problem: AppError) -> Response:
    """Answer a file that cannot be checked: programs get the error, people the form with the reason."""
    if wants_json():
        return answer(problem)
    return page("verify.html", problem.status, result=None, problem=said(problem))


@bp.errorhandler(RequestEntityTooLarge)
def _too_large(_error: RequestEntityTooLarge | None = None) -> Response:
    return _again(TooLarge(_("Evidence of ours is never this large.")))


def _claim() -> Claim | None:
    """Return whose certificate it is to be, where the form says so; neither link nor address is kept."""
    link, address = (request.form.get(name, "").strip() for name in ("receipt", "address"))
    if not link and not address:
        return None
    opening = found_in(link)
    if opening is None or not address:
        raise InvalidInput(
            _(
                "To see whose certificate it is, give both: the whole link of the receipt, and the mail address."
            )
        )
    return Claim(opening, address)


@bp.post("/verify")
@limiter.limit("20 per minute")
def verify() -> Response:
    """Check a certificate, checkpoint or log proof; the file stays in memory and is not kept."""
    upload = request.files.get("file")
    content = upload.read() if upload else b""
    if not upload or not upload.filename:
        return _again(InvalidInput(_("Please choose the file to check first.")))
    if not content:
        return _again(InvalidInput(_("This file is empty. Download it again, then check it.")))
    if len(content) > MAX_BYTES:
        return _too_large()
    try:
        claim = _claim()
    except InvalidInput as error:
        return _again(error)
    result: Verification = verify_file(content, published_keys_of(Lookup.organizations()), claim=claim)
    if wants_json():
        checks = [{"name": one.name, "ok": one.ok, "detail": one.detail} for one in result.checks]
        body = {"ok": result.ok, "kind": result.kind.value, "status": result.status, "checks": checks}
        return json_answer(body)
    return page(
        "verify.html",
        200 if result.ok else 422,
        result=result,
        named=words.check,
        made=words.made(result.status),
    )
