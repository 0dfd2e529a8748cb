"""Consents that were taken back stay taken back: noted with the keys, and taken back again after a restore.

The note is a keyed hash of person and purpose with a time, beside the ledger of erasures: it does not go back in time
with the main database. It is written right after the commit that takes a consent back, and again every hour for what was
taken back lately, should the process or the key store have been away in between.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import consent
from compliance.consent import leaving
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import Lookup, transaction
from core.models import Consent, Member, Participation
from core.people import consents
from core.vault import vault

BATCH: Final = 1000
LATELY: Final = timedelta(days=1)  # a key store that was away for longer has an operator's attention


def replay() -> int:
    """Take back again what a restored backup brought back, note what may not be noted; return how many that were."""
    again = 0
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            people = list(
                session.scalars(select(Member.id).where(Member.erased_at.is_(None)).order_by(Member.id))
            )
        for start in range(0, len(people), BATCH):
            with transaction(org_id) as session:
                again += _replay(session, people[start : start + BATCH])
        with transaction(org_id) as session:
            _note(session)
    return again


def _replay(session: Session, member_ids: list[UUID]) -> int:
    agreed = consents.agreed_by(session, member_ids)
    asked = [(member_id, purpose.value) for member_id, purposes in agreed.items() for purpose in purposes]
    noted = vault().keys.withdrawals.among(asked)
    if not noted:
        return 0
    again = 0
    for member_id in sorted({member_id for member_id, _ in noted}):
        standing = consents.standing(session, member_id)
        back = {
            purpose
            for purpose in agreed[member_id]
            if (at := noted.get((member_id, purpose.value))) and standing[purpose].created_at < at
        }
        _withdraw(session, member_id, back)
        again += len(back)
    return again


def _withdraw(session: Session, member_id: UUID, back: set[Purpose]) -> None:
    if Purpose.PHOTO in back:
        newest = select(Participation).where(Participation.member_id == member_id)
        part = session.scalar(newest.order_by(Participation.id.desc()).limit(1))
        assert part is not None, "a consent is given in a participation"
        leaving.withdraw_all(session, part, actor=audit.SYSTEM)
        return
    for purpose in sorted(back):
        consent.withdraw(session, session.get_one(Member, member_id), purpose)


def _note(session: Session) -> None:
    lately = select(Consent.member_id, Consent.purpose, Consent.withdrawn_at).where(
        Consent.withdrawn_at > now() - LATELY
    )
    for member_id, purpose, at in session.execute(lately):
        assert at is not None
        vault().keys.withdrawals.note(member_id, purpose, at)
