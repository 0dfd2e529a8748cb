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

    `published_at` is when a worker took it. `attempts` counts tries that failed for a reason of the work's own,
    `outages` those that found something outside away, `deaths` those that ended with their worker. `started_at` is
    when the worker that has it now began; whoever finds it set and nobody at work knows that a worker died.
    `first_failed_at` is since when it has not worked, and `error_code` why not, last.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_open", "not_before", postgresql_where=text("done_at IS NULL AND failed_at IS NULL")),
        Index(
            "ix_outbox_failing",
            "job",
            postgresql_where=text("first_failed_at IS NOT NULL AND done_at IS NULL"),
        ),
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
    published_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    done_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    error_code: Mapped[str | None] = mapped_column(String(64))
    deaths: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    outages: Mapped[int] = mapped_column(default=0, server_default=text("0"))
    started_at: Mapped[datetime | None]
    first_failed_at: Mapped[datetime | None]
    # Which trace the work belongs to (W3C Trace Context); random numbers, where tracing is on.
    traceparent: Mapped[str | None] = mapped_column(String(55))
