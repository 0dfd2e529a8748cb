"""Issuing a deletion certificate: from the erasure's record to the signed PDF, its log's lock held only while the facts go in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, defer

from compliance import recall, sealing
from compliance.certificate import copies, keeping, lines
from compliance.certificate.document import demand_verified, render_certificate
from compliance.certificate.evidence import Certificate, LogEvidence
from compliance.certificate.facts import (
    Attestation,
    CertificateBody,
    Controller,
    Keeper,
    Keyring,
    Line,
    Operator,
    PartStatus,
    Recall,
    Recipient,
    Standing,
    Where,
)
from compliance.certificate.kept import kept
from compliance.certificate.lines import Files
from compliance.certificate.parts import Clock, EpochTurn, Status
from compliance.erasure import TOOL
from compliance.evidence import keys_address, signing_keys
from compliance.log import sequencer
from core import attestations, audit, models
from core.clock import now
from core.ids import new_id
from core.models import Consent, Erasure, Kind, Member, Person
from core.people import organizations
from core.regimes import Regime
from core.settings import settings
from core.vault import vault
from core.vault.aws_kms import LATE

# What somebody would call a picture of a person; previews, numbers and models are made from those.
PICTURES = frozenset({Kind.PHOTO, Kind.HEADSHOT, Kind.OWN_PICTURE, Kind.UPLOAD})


def status_of(erasure: Erasure) -> Status:
    """Return what can be certified: PENDING before the epoch turned, COMPLETE after."""
    return Status.COMPLETE if erasure.epoch_destroyed_at else Status.PENDING


@dataclass(frozen=True)
class Announced:
    """A certificate whose facts are in the log and whose document is still to be made.

    Attributes:
        document: facts and proof.
        org_id: the company.
        language: of the page.
    """

    document: Certificate
    org_id: UUID
    language: str

    def typeset(self) -> bytes:
        """Return the signed PDF. A quarter of a second: no transaction is open and nobody's log is locked meanwhile."""
        return render_certificate(
            self.document, signing_keys(), self.language, keys_address=keys_address(self.org_id)
        )


def announce(session: Session, erasure: Erasure, files: Files) -> Announced | None:
    """Put the facts of what has been reached into the log, after every place was read again; `None` if it is certified.

    They lie in the erasure until `keep`, so whoever goes on after a crash makes the document of the same. Idempotent.

    Args:
        session: bound to the organization.
        erasure: executed; the caller has its row.
        files: what the storage said when it was asked for each of the person's files again.

    Raises:
        VerificationFailed: something was left, or a place was not read; nothing was written.
    """
    if erasure.announced is None:
        status = status_of(erasure)
        whose = select(models.Certificate).where(models.Certificate.erasure_id == erasure.id)
        earlier = {
            row.status: row.id for row in session.scalars(whose.options(defer(models.Certificate.pdf)))
        }
        if status in earlier:
            return None
        body = _body(session, erasure, files, earlier.get(Status.PENDING))
        demand_verified(body)
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
        erasure.announced, erasure.announced_event = body.canonical(), event.id
    assert erasure.announced_event is not None
    body = CertificateBody.model_validate_json(erasure.announced)
    proof = sequencer.prove(session, erasure.announced_event)
    document = Certificate(certificate=body, log=LogEvidence.of(proof))
    return Announced(document, erasure.org_id, erasure.language)


def keep(session: Session, erasure: Erasure, announced: Announced, content: bytes) -> None:
    """Keep the document of an announced certificate. Idempotent.

    Args:
        session: bound to the organization.
        erasure: the caller has its row.
        announced: what `announce` returned.
        content: what it was typeset to.
    """
    body = announced.document.certificate
    if session.get(models.Certificate, body.certificate_id) is not None:
        return
    row = models.Certificate(
        id=body.certificate_id,
        org_id=erasure.org_id,
        created_at=body.issued_at,
        erasure_id=erasure.id,
        status=body.status,
        pdf=content,
        sha256=sha256(content).hexdigest(),
    )
    session.add(row)
    erasure.announced = erasure.announced_event = None
    session.flush()
    keeping.keep_after_commit(session, row, erasure)


def _body(session: Session, erasure: Erasure, files: Files, pending: UUID | None) -> CertificateBody:
    organization = organizations.current(session)
    assert erasure.epoch is not None
    assert erasure.objects_destroyed_at is not None
    read = lines.read(session, erasure, files)
    moment = now()
    _, opened_at = vault().keys.current_epoch()
    # An epoch that should have turned already turns as soon as it can: no promise is of a moment that has passed.
    held_until = vault().keys.held_until(erasure.epoch)
    if held_until is None:
        due_at = opened_at + timedelta(hours=settings().epoch_hours) + vault().keys.waiting(erasure.epoch)
    else:
        due_at = held_until + LATE
    due_at = max(due_at, moment)
    epoch = EpochTurn(
        number=erasure.epoch,
        due_at=erasure.epoch_destroyed_at or due_at,
        destroyed_at=erasure.epoch_destroyed_at,
    )
    return CertificateBody(
        certificate_id=new_id(),
        request_id=erasure.id,
        replaces=pending,
        status=status_of(erasure),
        organization=controller(organization),
        operator=operator(),
        regime=_regime(session, erasure, organization),
        subject=erasure.subject,
        reason=erasure.reason,
        requested_at=erasure.created_at,
        executed_at=erasure.objects_destroyed_at,
        issued_at=moment,
        pictures=_pictures(read, erasure, epoch),
        directory=_directory(read, erasure, moment, epoch),
        locations=read,
        epoch=epoch,
        retained=kept(session, erasure),
        recipients=_recipients(session, erasure),
        recall=_recall(session, erasure),
        clock=clock(),
        keyring=_keyring(erasure.epoch),
        performed_by=TOOL,
    )


def _keyring(epoch: int) -> Keyring:
    held_until = vault().keys.held_until(epoch)
    kept = Keeper.AWS_KMS if vault().keys.waiting(epoch) else Keeper.FOLDER
    # Of the place in which the erasure's epoch had its key, which may be the folder of before.
    standing = attestations.standing(attestations.place(folder=True) if kept is Keeper.FOLDER else None)
    newest = standing.newest
    if newest is None:
        return Keyring(kept=kept, held_until=held_until)
    return Keyring(
        kept=kept,
        held_until=held_until,
        attested=Attestation(
            by=newest.name,
            role=newest.role or None,
            at=newest.created_at,
            sentence_sha256=attestations.digest(newest),
            same_place=standing.same_place,
        ),
    )


def clock() -> Clock:
    """Return whose time signatures carry now."""
    return Clock.AUTHORITY if settings().timestamp_url else Clock.OWN


def controller(organization: models.Organization) -> Controller:
    """Return the company as documents name it."""
    return Controller(
        id=organization.id,
        name=organization.name,
        legal_name=organization.legal_name or None,
        address=organization.postal_address or None,
    )


def operator() -> Operator:
    """Return who runs this platform, as the settings have it."""
    return Operator(name=settings().operator_name, address=settings().operator_address or None)


def _regime(session: Session, erasure: Erasure, organization: models.Organization) -> Regime:
    """Return the law that counted for the person; of an erasure that did not note it, the one they were last asked in."""
    if erasure.regime is not None:
        return Regime(erasure.regime)
    asked = select(Consent.regime).where(Consent.member_id == erasure.member_id)
    return Regime(session.scalar(asked.order_by(Consent.id.desc()).limit(1)) or organization.regime)


def _pictures(read: Sequence[Line], erasure: Erasure, epoch: EpochTurn) -> Standing:
    count = sum(line.count for line in read if line.where is Where.OBJECTS and line.category in PICTURES)
    if not count:
        return Standing(status=PartStatus.NONE_HELD, count=0)
    return Standing(
        status=PartStatus(status_of(erasure).value),
        count=count,
        unreadable_since=erasure.key_destroyed_at,
        backups_until=epoch.destroyed_at or epoch.due_at,
    )


def _directory(read: Sequence[Line], erasure: Erasure, moment: datetime, epoch: EpochTurn) -> Standing:
    """Say how far names and addresses are: backups have them sealed, and open as long as there is one from before that."""
    (line,) = [one for one in read if one.category == Person.__tablename__]
    if line.backup_readable_until is None:
        return Standing(status=PartStatus.NONE_HELD, count=0)
    ends = [epoch.destroyed_at or epoch.due_at]
    if (until := sealing.open_in_backups_until(moment)) is not None:
        ends.append(until if sealing.is_begun() else line.backup_readable_until)
    over = epoch.destroyed_at is not None and max(ends) <= moment
    return Standing(
        status=PartStatus.COMPLETE if over else PartStatus.PENDING,
        count=line.count,
        unreadable_since=erasure.created_at,
        backups_until=max(ends),
    )


def _recipients(session: Session, erasure: Erasure) -> tuple[Recipient, ...]:
    return tuple(
        # The day alone: the moment stands in the log beside whom the download was about.
        Recipient(
            what="headshot" if one.facts.get("headshot", True) else "alternative",
            at=one.created_at.replace(hour=0, minute=0, second=0, microsecond=0),
        )
        for one in copies.handed(session, erasure.member_id)
    )


def _recall(session: Session, erasure: Erasure) -> Recall | None:
    row = recall.of(session, erasure.id)
    if row is None:
        return None
    return Recall(asked_at=row.created_at, files=row.files, until=row.ends_at, confirmed_at=row.confirmed_at)
