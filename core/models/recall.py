"""`recalls`: copies that a company has and is asked to delete, after somebody was erased."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class Recall(Tenant):
    """What to look for lies in `sealed`, under a key of its own known by the row's id, until `ended_at`.

    It ends when the company confirms that the copies are deleted, and at `ends_at` whatever happens. The row names nobody.
    """

    __tablename__ = "recalls"
    __table_args__ = (UniqueConstraint("erasure_id", name="uq_recalls_erasure_id"),)

    erasure_id: Mapped[UUID] = mapped_column(ForeignKey("erasures.id"))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    files: Mapped[int]
    ends_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
