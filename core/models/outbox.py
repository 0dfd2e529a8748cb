"""`outbox`: work that a committed change owes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.models.base import Tenant


class Outbox(Tenant):
    """A durable job: written with the change that needs it, done with the change that it makes.

    Redis only says that there is work, so a flushed Redis loses nothing.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_open", "not_before", postgresql_where=text("done_at IS NULL AND failed_at IS NULL")),
        Index("ix_outbox_subject", "subject_id"),
        # What a free worker looks through, and what the relay holds against the workers' locks.
        Index(
            "ix_outbox_turn",
            "job",
            "org_id",
            "not_before",
            "id",
            postgresql_where=text("done_at IS NULL AND failed_at IS NULL AND published_at IS NULL"),
        ),
        Index(
            "ix_outbox_taken",
            "published_at",
            postgresql_where=text("done_at IS NULL AND failed_at IS NULL AND published_at IS NOT NULL"),
        ),
    )

    job: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[UUID]
    not_before: Mapped[datetime] = mapped_column(default=now)
    published_at: Mapped[datetime | None]  # when a worker took it
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
