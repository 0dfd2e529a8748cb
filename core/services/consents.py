"""What people have answered, as it stands now. Asking, proof and withdrawal are `compliance.consent`'s."""

from __future__ import annotations

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
    return frozenset(
        purpose
        for purpose, row in standing(session, member_id).items()
        if row.granted and row.withdrawn_at is None
    )
