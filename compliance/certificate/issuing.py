"""Issuing a deletion certificate: from the erasure's record to the signed PDF, in one transaction."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.certificate import keeping
from compliance.certificate.document import render_certificate
from compliance.certificate.facts import (
    Certificate,
    CertificateBody,
    EpochTurn,
    Location,
    LogEvidence,
    OrganizationRef,
    Retained,
    RetainedBasis,
    RetainedWhat,
    Status,
)
from compliance.erasure import TOOL
from compliance.evidence import keys_address, signing_keys
from compliance.log import sequencer
from core import audit, models
from core.clock import now
from core.ids import new_id
from core.models import Erasure, Member
from core.people import organizations
from core.settings import settings
from core.vault import vault

# What stays, and why it tells nobody anything: see the trust page.
RETAINED = (
    Retained(what=RetainedWhat.ERASURE_LEDGER, basis=RetainedBasis.ACCOUNTABILITY),
    Retained(what=RetainedWhat.AUDIT_LOG, basis=RetainedBasis.ACCOUNTABILITY),
    Retained(what=RetainedWhat.CONSENT_RECORD, basis=RetainedBasis.ACCOUNTABILITY),
)


def issue(session: Session, erasure: Erasure) -> models.Certificate:
    """Sign the certificate for what has been reached: PENDING before the epoch turned, COMPLETE after.

    Idempotent: a status is certified once.

    Raises:
        VerificationFailed: a location could not be verified; nothing was signed.
    """
    status = Status.COMPLETE if erasure.epoch_destroyed_at else Status.PENDING
    earlier = {
        row.status: row
        for row in session.scalars(
            select(models.Certificate).where(models.Certificate.erasure_id == erasure.id)
        )
    }
    if status in earlier:
        return earlier[status]
    body = _body(session, erasure, status, earlier.get(Status.PENDING))
    event = audit.record(
        session,
        audit.Tag.CERTIFICATE_ISSUED,
        actor=audit.SYSTEM,
        subject=session.get_one(Member, erasure.member_id),
        **body.facts(),
    )
    session.flush()
    while not event.sequenced:
        sequencer.sequence(session)
        session.refresh(event)
    document = Certificate(certificate=body, log=LogEvidence.of(sequencer.prove(session, event.id)))
    content = render_certificate(
        document, signing_keys(), erasure.language, keys_address=keys_address(erasure.org_id)
    )
    row = models.Certificate(
        id=body.certificate_id,
        org_id=erasure.org_id,
        created_at=body.issued_at,
        erasure_id=erasure.id,
        status=status,
        pdf=content,
        sha256=sha256(content).hexdigest(),
    )
    session.add(row)
    session.flush()
    keeping.keep_after_commit(session, row, erasure)
    return row


def _body(
    session: Session, erasure: Erasure, status: Status, pending: models.Certificate | None
) -> CertificateBody:
    organization = organizations.current(session)
    assert erasure.epoch is not None
    assert erasure.objects_destroyed_at is not None
    moment = now()
    _, opened_at = vault().keys.current_epoch()
    # An epoch that should have turned already turns as soon as it can: no promise is of a moment that has passed.
    due_at = max(opened_at + timedelta(hours=settings().epoch_hours), moment)
    return CertificateBody(
        certificate_id=new_id(),
        replaces=pending.id if pending else None,
        status=status,
        organization=OrganizationRef(id=organization.id, name=organization.name),
        subject=erasure.subject,
        reason=erasure.reason,
        requested_at=erasure.created_at,
        executed_at=erasure.objects_destroyed_at,
        issued_at=moment,
        locations=tuple(Location.model_validate(one) for one in erasure.locations),
        epoch=EpochTurn(
            number=erasure.epoch,
            due_at=erasure.epoch_destroyed_at or due_at,
            destroyed_at=erasure.epoch_destroyed_at,
        ),
        retained=RETAINED,
        performed_by=TOOL,
    )
