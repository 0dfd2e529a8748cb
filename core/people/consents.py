"""What people have answered, as it stands now. Asking, proof and withdrawal are `compliance.consent`'s."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.consent import Purpose
from core.models import Consent


def standing(session: Session, member_id: UUID) -> dict[Purpose, Consent]:
    """Return the newest answer to each purpose that was asked."""
    rows = session.scalars(select(Consent).where(Consent.member_id == member_id).order_by(Consent.id))
    return {Purpose(row.purpose): row for row in rows}


def agreed(session: Session, member_id: UUID) -> frozenset[Purpose]:
    """Return what a person agreed to and has not taken back.

    Enough to choose a way that needs fewer consents; touching a face takes a `ValidConsent`.
    """
    return agreed_by(session, [member_id])[member_id]


def agreed_by(session: Session, member_ids: Sequence[UUID]) -> dict[UUID, frozenset[Purpose]]:
    """Return for each of many people what `agreed` says, in one question."""
    rows = session.scalars(select(Consent).where(Consent.member_id.in_(member_ids)).order_by(Consent.id))
    newest = {(row.member_id, Purpose(row.purpose)): row for row in rows}
    found: dict[UUID, set[Purpose]] = {member_id: set() for member_id in member_ids}
    for (member_id, purpose), row in newest.items():
        if row.granted and row.withdrawn_at is None:
            found[member_id].add(purpose)
    return {member_id: frozenset(purposes) for member_id, purposes in found.items()}
