"""Who had received copies of a person's pictures: each download by the company, by date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.audit import Tag
from core.models import AuditEvent, State

# The event of a first copy and that of the move to `delivered` are of one transaction.
TOGETHER = timedelta(seconds=5)


def handed(session: Session, member_id: UUID) -> Sequence[AuditEvent]:
    """Return the events of copies that the company got of somebody's pictures, oldest first.

    Copies are noted each by itself; of those from before that only the first is known, by the move to `delivered` that
    somebody else than the person made.
    """
    moved = (AuditEvent.tag == Tag.PARTICIPATION_MOVED) & (
        AuditEvent.facts["after"].astext == State.DELIVERED.value
    )
    by_others = AuditEvent.actor_id.is_not(None) & (AuditEvent.actor_id != member_id)
    events = session.scalars(
        select(AuditEvent)
        .where(AuditEvent.subject_id == member_id)
        .where(or_(AuditEvent.tag == Tag.HEADSHOT_HANDED, moved & by_others))
        .order_by(AuditEvent.id)
    ).all()
    noted = [one for one in events if one.tag == Tag.HEADSHOT_HANDED]
    return [one for one in events if one.tag == Tag.HEADSHOT_HANDED or not _same(one, noted)]


def _same(moved: AuditEvent, noted: Sequence[AuditEvent]) -> bool:
    return any(
        one.facts["participation"] == moved.facts["participation"]
        and abs(one.created_at - moved.created_at) < TOGETHER
        for one in noted
    )
