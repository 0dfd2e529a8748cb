"""Consents that were taken back stay taken back: noted with the keys, and taken back again after a restore.

So does the leave that somebody gave their company to put photos in for them (`core.portraits.on_behalf`).

The note is a keyed hash of the consent, beside the ledger of erasures: it does not go back in time with the main
database. One that was given anew has no note and stands, whatever the clocks of the hosts said. It is written right
after the commit that takes a consent back, and again every hour for what was taken back lately, should the process or
the key store have been away in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import consent
from compliance.consent import leaving
from core import audit, locks
from core.clock import now
from core.consent import Purpose
from core.db import Lookup, transaction
from core.grounds import Ground, because
from core.models import Consent, Member, Participation, Person
from core.people import consents
from core.portraits import on_behalf
from core.vault import vault

BATCH: Final = 1000
LATELY: Final = timedelta(days=1)  # a key store that was away for longer has an operator's attention


def replay() -> int:
    """Take back again what a restored backup brought back, note what may not be noted; return how many that were."""
    again = 0
    for org_id in Lookup.organizations():
        with transaction(org_id) as session:
            people = list(
                session.scalars(select(Person.id).where(Person.erased_at.is_(None)).order_by(Person.id))
            )
        for start in range(0, len(people), BATCH):
            with transaction(org_id) as session:
                again += _replay(session, people[start : start + BATCH])
            with transaction(org_id) as session:
                again += _end_leaves(session, people[start : start + BATCH])
        with transaction(org_id) as session:
            _note(session)
    return again


def brought_back(since: datetime) -> bool:
    """Whether a consent stands that was taken back at `since` or later; a keyed hash for each that stands."""
    ledger = vault().keys.withdrawals
    noted = ledger.since(since)
    if not noted:
        return False
    given = select(Consent.id, Consent.member_id).where(Consent.granted, Consent.withdrawn_at.is_(None))
    for org_id in Lookup.organizations():
        with transaction(org_id, nameless=True) as session:
            whose = {member_id for one, member_id in session.execute(given) if ledger.hash(one) in noted}
            if _brought_back(session, sorted(whose)):
                return True
            allowed = select(Participation.member_id).where(Participation.photos_by_company_at.is_not(None))
            if on_behalf.brought_back(session, session.scalars(allowed.distinct()).all()):
                return True
    return False


def _replay(session: Session, member_ids: list[UUID]) -> int:
    if not (found := _brought_back(session, member_ids)):
        return 0
    locks.people(session, found)
    # Looked at again: somebody may have taken a consent back and given it anew in between.
    back = _brought_back(session, sorted(found))
    with because(session, Ground.RESTORED):
        for member_id in sorted(back):
            _withdraw(session, member_id, back[member_id])
    return sum(map(len, back.values()))


def _end_leaves(session: Session, member_ids: list[UUID]) -> int:
    found = on_behalf.brought_back(session, member_ids)
    if found:
        locks.people(session, {row.member_id for row in found})
        # Looked at again: somebody may have allowed it anew in between.
        found = on_behalf.brought_back(session, sorted({row.member_id for row in found}))
    for row in found:
        on_behalf.take_back(session, row, actor=audit.SYSTEM)
    return len(found)


def _brought_back(session: Session, member_ids: list[UUID]) -> dict[UUID, set[Purpose]]:
    """Return whose consents stand although they were taken back, and to what."""
    agreed = consents.agreed_by(session, member_ids)
    standing = {
        row.id: (member_id, purpose)
        for member_id, purposes in agreed.items()
        if purposes
        for purpose, row in consents.standing(session, member_id).items()
        if purpose in purposes
    }
    back: dict[UUID, set[Purpose]] = {}
    for consent_id in vault().keys.withdrawals.among(standing):
        member_id, purpose = standing[consent_id]
        back.setdefault(member_id, set()).add(purpose)
    return back


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
    lately = select(Consent.id, Consent.withdrawn_at).where(Consent.withdrawn_at > now() - LATELY)
    taken_back = {consent_id: at for consent_id, at in session.execute(lately) if at is not None}
    for consent_id in taken_back.keys() - vault().keys.withdrawals.among(taken_back):
        vault().keys.withdrawals.note([consent_id], taken_back[consent_id])
