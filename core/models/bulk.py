"""`bulk_actions` and `bulk_items`: one thing done to many people, behind the pages, and what came of it for each."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, harmless


class BulkAction(Tenant):
    """What was asked for: `core.shoots.bulk` and `core.shoots.syncs` say what each kind does with `choice`.

    Nobody is named here: `choice` holds ids, days and the program's own words, the items ids. `total` is how many people it
    is about.
    """

    __tablename__ = "bulk_actions"

    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))  # who asked for it
    kind: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    choice: Mapped[dict[str, Any]] = mapped_column(JSONB, info=harmless(Harmless.CODE))
    total: Mapped[int] = mapped_column(info=harmless(Harmless.WORK))
    finished_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.CODE))


class BulkItem(Tenant):
    """One person of it; `outcome` is empty while it is not their turn yet."""

    __tablename__ = "bulk_items"
    __table_args__ = (
        Index("ix_bulk_items_action", "action_id", "outcome", "id"),
        Index("ix_bulk_items_member", "member_id"),
    )

    action_id: Mapped[UUID] = mapped_column(ForeignKey("bulk_actions.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    participation_id: Mapped[UUID | None] = mapped_column(ForeignKey("participations.id"))
    outcome: Mapped[str | None] = mapped_column(String(32), info=harmless(Harmless.CODE))
