"""`consents`: what a person agreed to, in which words."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, Stays, harmless, stays


class Consent(Tenant):
    """One answer to one purpose. Rows are never changed but for `withdrawn_at`; the newest counts."""

    __tablename__ = "consents"
    __table_args__ = (
        Index("ix_consents_member", "member_id", "purpose"),
        {"info": stays(Stays.CONSENT)},
    )

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participations.id"))
    purpose: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    granted: Mapped[bool]
    regime: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    language: Mapped[str] = mapped_column(String(8), info=harmless(Harmless.CODE))
    text_version: Mapped[str] = mapped_column(String(32), info=harmless(Harmless.CODE))
    text_sha256: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.CODE))
    withdrawn_at: Mapped[datetime | None]
