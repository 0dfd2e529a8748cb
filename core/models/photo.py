"""`photos`: what employees upload."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class Photo(Tenant):
    """One uploaded photo and the check's verdict.

    `upload_key` is chosen by the browser, so a retried upload finds the first one.
    """

    __tablename__ = "photos"
    __table_args__ = (
        UniqueConstraint("participation_id", "upload_key", name="uq_photos_upload_key"),
        Index("ix_photos_member", "member_id"),
    )

    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participations.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    artifact_id: Mapped[UUID] = mapped_column(ForeignKey("artifacts.id"))
    preview_id: Mapped[UUID | None] = mapped_column(ForeignKey("artifacts.id"))
    upload_key: Mapped[str] = mapped_column(String(64))
    verdict: Mapped[dict[str, Any] | None]
    checked_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]
