"""After the erasure: a page that only the person's receipt opens, and the certificate on it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, Response, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import backups, opening
from compliance.certificate.parts import Status
from compliance.erasure import ErasureReason
from core import owed
from core.db import Lookup, transaction
from core.errors import NotFound
from core.models import Certificate, Erasure
from core.outages import Part
from core.queue import JobName
from core.settings import settings
from core.vault import vault
from core.vault.kept import Kept
from core.web.answers import json_answer, page
from core.web.app import limiter
from core.web.pictures import attachment
from portal.visit import company

bp = Blueprint("erased", __name__)

DESTROYING = "DESTROYING"
FAILED = "FAILED"  # it did not work so far, and is tried until it does
STOPPED = "STOPPED"  # whoever runs the platform ended it unfinished


@dataclass(frozen=True)
class Standing:
    """How far an erasure has come.

    Attributes:
        again: whether it was carried out again, since a restored backup from before it knew the person.
        first_at: when the key was destroyed the first time, where that was read from the ledger again.
        away: whether it waits for the storage, the keys or another part.
    """

    status: str
    requested_at: datetime
    again: bool
    first_at: datetime | None
    objects_destroyed_at: datetime | None
    complete_by: datetime | None
    away: bool
    certificate: Certificate | None


def _hashed(receipt: str) -> bytes:
    """Return what an erasure is found by; the other half of a receipt is the person's alone."""
    return hashlib.sha256(opening.split(receipt)[0].encode()).digest()


def _find(receipt: str) -> tuple[UUID, UUID]:
    found = Lookup.erasure(_hashed(receipt))
    if found is None:
        raise NotFound(
            _(
                "No erasure has this address. Please copy the whole link that you kept. If it is whole, this platform has probably "
                "been restored from a backup since, which did not know you or your erasure any more: whoever it did know is "
                "erased again after that. A certificate that you saved stays valid. For all else, ask the company that "
                "invited you."
            )
        )
    return found


def _standing(session: Session, erasure_id: UUID) -> Standing:
    erasure = session.get_one(Erasure, erasure_id)
    # COMPLETE replaces PENDING, also of the same second, or by another host's clock.
    certificate = session.scalar(
        select(Certificate)
        .where(Certificate.erasure_id == erasure.id)
        .order_by((Certificate.status == Status.COMPLETE).desc())
        .limit(1)
    )
    job = JobName.CERTIFY if erasure.objects_destroyed_at else JobName.ERASE
    work = owed.newest(session, job, erasure.id)
    failing = work is not None and work.done_at is None and work.first_failed_at is not None
    if certificate is not None:
        status = certificate.status
    elif erasure.failure is not None:
        status = STOPPED
    else:
        status = FAILED if failing else DESTROYING
    return Standing(
        status=status,
        away=work is not None and work.error_code in set(Part),
        requested_at=erasure.created_at,
        again=erasure.reason == ErasureReason.RESTORED_BACKUP,
        first_at=erasure.key_destroyed_at,
        objects_destroyed_at=erasure.objects_destroyed_at,
        # The epoch in which it was carried out ends by then; of what has not been carried out nobody knows.
        complete_by=erasure.objects_destroyed_at + timedelta(hours=backups.dead_within_hours())
        if erasure.objects_destroyed_at
        else None,
        certificate=certificate,
    )


def _file_name(status: str) -> str:
    """Return what a certificate is called once it is saved; the page names it in the command that checks it."""
    return f"deletion-certificate-{status.lower()}.pdf"


def _kept(receipt: str) -> Kept | None:
    """Return the certificate from beside the keys, where a restored database does not know the receipt any more."""
    hashed = _hashed(receipt)
    return vault().keys.certificates.of_receipt(hashed) if Lookup.erasure(hashed) is None else None


@bp.get("/erased/<receipt>")
@limiter.limit("120 per minute")
def show(receipt: str) -> Response:
    """Show how far it is, and what the person can keep as proof."""
    if (kept := _kept(receipt)) is not None:
        with transaction(kept.org_id) as session:
            return page("erased_kept.html", receipt=receipt, organization=company(session), kept=kept)
    org_id, erasure_id = _find(receipt)
    with transaction(org_id) as session:
        organization = company(session)
        standing = _standing(session, erasure_id)
        return page(
            "erased.html",
            receipt=receipt,
            organization=organization,
            standing=standing,
            # Before there is a certificate, the page names the one that comes first.
            file_name=_file_name(standing.certificate.status if standing.certificate else Status.PENDING),
            over=standing.status == Status.COMPLETE,
            epoch_hours=backups.dead_within_hours(),
            address=f"{settings().base_url.rstrip('/')}{url_for('erased.show', receipt=receipt)}",
        )


@bp.get("/erased/<receipt>.json")
@limiter.limit("240 per minute")
def status(receipt: str) -> Response:
    """Return how far it is."""
    if (kept := _kept(receipt)) is not None:
        return json_answer(
            {"status": kept.status, "certificate_url": url_for("erased.certificate", receipt=receipt)}
        )
    org_id, erasure_id = _find(receipt)
    with transaction(org_id) as session:
        standing = _standing(session, erasure_id)
    address = url_for("erased.certificate", receipt=receipt) if standing.certificate else None
    return json_answer({"status": standing.status, "certificate_url": address})


@bp.get("/erased/<receipt>/certificate.pdf")
@limiter.limit("120 per minute")
def certificate(receipt: str) -> Response:
    """Serve the newest certificate."""
    if (kept := _kept(receipt)) is not None:
        return attachment(kept.pdf, "application/pdf", _file_name(kept.status))
    org_id, erasure_id = _find(receipt)
    with transaction(org_id) as session:
        found = _standing(session, erasure_id).certificate
    if found is None:
        raise NotFound(_("The certificate is being made. It takes a few seconds after the erasure."))
    return attachment(found.pdf, "application/pdf", _file_name(found.status))
