"""Issuing each company's statement of the month that is over, once."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.certificate.evidence import Certificate, LogEvidence
from compliance.certificate.issuing import clock, controller, operator
from compliance.certificate.parts import VerificationFailed
from compliance.erasure import TOOL
from compliance.evidence import keys_address, signing_keys
from compliance.log import sequencer
from compliance.statement import counting
from compliance.statement.document import render_statement
from compliance.statement.facts import Ended, StatementBody
from core import audit, locks, turns
from core.clock import now
from core.db import Lookup, transaction
from core.ids import new_id
from core.models import Organization, Statement
from core.people import organizations


def issue_all() -> None:
    """Sign what each company has no statement of yet: the last month, and those before it that were left.

    A month waits for the one before it, so that none is left out for good. A company in which something that ended is
    still there does not keep the others waiting.

    Raises:
        Exception: the last that one of them failed with.
    """
    if failures := turns.each(Lookup.organizations(), _catch_up):
        raise failures[-1]


def _catch_up(org_id: UUID) -> None:
    last = f"{now().replace(day=1) - timedelta(days=1):%Y-%m}"
    with transaction(org_id) as session:
        stated = session.scalar(select(func.max(Statement.month)))
        month = f"{counting.bounds(stated)[1]:%Y-%m}" if stated else counting.first_month(session) or last
    while month <= last:
        issue(org_id, month)
        month = f"{counting.bounds(month)[1]:%Y-%m}"


def issue(org_id: UUID, month: str) -> UUID | None:
    """Sign a company's statement of a month; return its number, or `None` where there is nothing to sign any more.

    Idempotent: a month is stated once, and none from before the company was here.

    Raises:
        VerificationFailed: something that ended is still there; nothing was signed.
    """
    with transaction(org_id) as session:
        if not _due(session, month):
            return None
        files = counting.ended_in(session, month)
    ended = counting.look_again(files)
    if left := [f"{one.category}/{one.ground.value}" for one in ended if not one.ok]:
        raise VerificationFailed("Something that ended is still there.", locations=left)
    with transaction(org_id) as session:
        locks.wait(session, locks.Space.LOG, org_id.bytes)
        if not _due(session, month):
            return None
        return _sign(session, month, ended).id


def _due(session: Session, month: str) -> bool:
    _, ends = counting.bounds(month)
    there = session.scalar(select(Statement.id).where(Statement.month == month))
    return there is None and ends <= now() and organizations.current(session).created_at < ends


def _sign(session: Session, month: str, ended: tuple[Ended, ...]) -> Statement:
    organization: Organization = organizations.current(session)
    body = StatementBody(
        certificate_id=new_id(),
        month=month,
        organization=controller(organization),
        operator=operator(),
        issued_at=now(),
        retention_days=organization.retention_days,
        headshot_days=organization.headshot_days,
        ended=ended,
        withdrawn=counting.withdrawn_in(session, month),
        erasures=counting.erasures_in(session, month),
        clock=clock(),
        performed_by=TOOL,
    )
    facts = body.facts()
    event = audit.record(
        session, audit.Tag.STATEMENT_ISSUED, actor=audit.SYSTEM, subject=None, month=month, **facts
    )
    session.flush()
    while not event.sequenced:
        sequencer.sequence(session)
        session.refresh(event)
    document = Certificate(certificate=body, log=LogEvidence.of(sequencer.prove(session, event.id)))
    content = render_statement(
        document, signing_keys(), organization.language, keys_address=keys_address(organization.id)
    )
    row = Statement(
        id=body.certificate_id,
        org_id=organization.id,
        created_at=body.issued_at,
        month=month,
        pdf=content,
        sha256=sha256(content).hexdigest(),
    )
    session.add(row)
    session.flush()
    return row
