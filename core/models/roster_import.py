"""`roster_imports`: lists of people that were confirmed, while they are imported and what came of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, harmless


class RosterImport(Tenant):
    """One confirmed list; its id is that of the uploaded file, so that it can be confirmed once.

    Who stands in it lies sealed in the vault alone: in the uploaded file until `finished_at`, then for an hour in
    `result_id`, which says what became of each row. Here are numbers, and while it goes on `outcomes`: for each
    row that is done the codes of what was to be said of it.
    """

    __tablename__ = "roster_imports"
    __table_args__ = (Index("ix_roster_imports_shoot", "shoot_id"),)

    shoot_id: Mapped[UUID] = mapped_column(ForeignKey("shoots.id"))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))  # who confirmed it
    choice: Mapped[dict[str, Any]] = mapped_column(JSONB, info=harmless(Harmless.CODE))
    rows: Mapped[int] = mapped_column(info=harmless(Harmless.WORK))
    outcomes: Mapped[list[list[str]]] = mapped_column(JSONB, info=harmless(Harmless.CODE))
    invited: Mapped[int] = mapped_column(default=0, info=harmless(Harmless.WORK))
    skipped: Mapped[int] = mapped_column(default=0, info=harmless(Harmless.WORK))
    rejected: Mapped[int] = mapped_column(default=0, info=harmless(Harmless.WORK))
    result_id: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.CODE))
