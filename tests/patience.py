"""Trying owed work again and again, without waiting for the pauses in between."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from work import do_all_work

from core.clock import now
from core.db import transaction
from core.models import Outbox


def owed_work(org: UUID) -> list[Outbox]:
    """Return all work that a company was ever owed, oldest first."""
    with transaction(org) as session:
        return list(session.scalars(select(Outbox).order_by(Outbox.id)))


def try_again(org: UUID, times: int = 1) -> None:
    """Let the pauses of all open work be over, and do it."""
    for _ in range(times):
        with transaction(org) as session:
            for row in session.scalars(
                select(Outbox).where(Outbox.done_at.is_(None), Outbox.failed_at.is_(None))
            ):
                row.not_before = now()
        do_all_work()
