"""Erasing somebody as they do it themselves, up to the certificate or further."""

from __future__ import annotations

from uuid import UUID

from work import do_all_work

from compliance import erasure
from core import audit
from core.db import transaction
from core.models import Member


def erase(org_id: UUID, member_id: UUID) -> erasure.Requested:
    """Press the button for a person, and do what is owed of it: the certificate is PENDING after that."""
    with transaction(org_id) as session:
        requested = erasure.request(
            session,
            session.get_one(Member, member_id),
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
    do_all_work()
    return requested
