"""What is kept after an erasure: counted now in every table that has anything about the person, and in the key store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain
from typing import Final

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from compliance.certificate import keeping
from compliance.certificate.facts import Basis, Retained, Where
from core import personal
from core.clock import now
from core.models import (
    AuditEvent,
    Certificate,
    Consent,
    Erasure,
    Farewell,
    Outbox,
    Participation,
    Photo,
    Recall,
    SubjectRequest,
)
from core.models.base import Base
from core.personal import Stays
from core.settings import settings
from core.vault import vault

BASES: Final = {
    Stays.EMPTIED: Basis.ACCOUNTABILITY,
    Stays.CONSENT: Basis.CONSENT_PROOF,
    Stays.REQUEST: Basis.ACCOUNTABILITY,
}
ERASURE_LEDGER = "erasure_ledger"
WITHDRAWAL_LEDGER = "withdrawal_ledger"
REMOVAL_LEDGER = "removal_ledger"
KEPT_CERTIFICATES = "kept_certificates"
RECALLED_FILES = "recalled_files"


def kept(session: Session, erasure: Erasure) -> tuple[Retained, ...]:
    """Return everything that is kept, with the number of each.

    Nothing of it has an end that is set but the names of files that a company is asked to delete, and what lies beside the keys.
    """
    found = (*_rows(session, erasure), *_of_the_log(session, erasure), *_ledgers(session, erasure))
    return tuple(one for one in found if one.count)


def _rows(session: Session, erasure: Erasure) -> Iterator[Retained]:
    for table, person in personal.about_people(Base.metadata):
        asked = select(func.count()).select_from(table).where(person == erasure.member_id)
        yield _in_database(table.name, session.scalar(asked), BASES[personal.why_it_stays(table)])


def _of_the_log(session: Session, erasure: Erasure) -> Iterator[Retained]:
    """Yield what names the person, or their request, in other columns."""
    number = erasure.member_id
    events = or_(AuditEvent.subject_id == number, AuditEvent.actor_id == number)
    subjects = [
        number,
        erasure.id,
        *session.scalars(select(Participation.id).where(Participation.member_id == number)),
        *session.scalars(select(Photo.id).where(Photo.member_id == number)),
        *chain(*session.scalars(select(SubjectRequest.events).where(SubjectRequest.member_id == number))),
    ]
    yield _in_database(Certificate.__tablename__, _certificates(session, erasure), Basis.ACCOUNTABILITY)
    for table, condition in (
        (AuditEvent, events),
        (Outbox, Outbox.subject_id.in_(subjects)),
        (Recall, Recall.erasure_id == erasure.id),
        (Farewell, Farewell.erasure_id == erasure.id),
    ):
        asked = select(func.count()).select_from(table).where(condition)
        yield _in_database(table.__tablename__, session.scalar(asked), Basis.ACCOUNTABILITY)
    recall = session.scalar(select(Recall).where(Recall.erasure_id == erasure.id, Recall.ended_at.is_(None)))
    if recall is not None:
        yield Retained(
            what=RECALLED_FILES,
            where=Where.OBJECTS,
            count=recall.files,
            basis=Basis.RECALL,
            until=recall.ends_at,
            identifies_person=True,
        )


def _ledgers(session: Session, erasure: Erasure) -> Iterator[Retained]:
    keys, number = vault().keys, erasure.member_id
    consents = session.scalars(select(Consent.id).where(Consent.member_id == number)).all()
    for what, count in (
        (ERASURE_LEDGER, len(keys.erasures.among([number]))),
        (WITHDRAWAL_LEDGER, len(keys.withdrawals.among(consents))),
        (REMOVAL_LEDGER, keys.removals.count_of(number)),
    ):
        yield Retained(what=what, where=Where.KEYS, count=count, basis=Basis.RESTORE)
    yield Retained(
        what=KEPT_CERTIFICATES,
        where=Where.KEYS,
        count=_certificates(session, erasure),
        basis=Basis.RESTORE,
        until=now() + timedelta(days=settings().backup_days) + keeping.MARGIN,
    )


def _certificates(session: Session, erasure: Erasure) -> int:
    """Return how many certificates there are with the one that is being made, which is kept beside the keys as well."""
    earlier = select(func.count()).select_from(Certificate).where(Certificate.erasure_id == erasure.id)
    return 1 + (session.scalar(earlier) or 0)


def _in_database(table: str, count: int | None, basis: Basis) -> Retained:
    return Retained(what=table, where=Where.DATABASE, count=count or 0, basis=basis)
