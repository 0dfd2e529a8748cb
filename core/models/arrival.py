"""`arrivals`: photos of which a part has arrived."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import OWN_ID, Category, Harmless, harmless, personal


class Arrival(Tenant):
    """An upload that goes on where it stopped: the sealed pieces from its beginning on.

    With the last piece it becomes a photo of the same `upload_key`, and this row and its pieces end.
    """

    __tablename__ = "arrivals"
    __table_args__ = (
        UniqueConstraint("participation_id", "upload_key", name="uq_arrivals_upload_key"),
        Index("ix_arrivals_member", "member_id"),
    )

    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participations.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    upload_key: Mapped[str] = mapped_column(String(64), info=personal(Category.ALIAS, OWN_ID))
    # ids of artifacts, in the order of the file
    pieces: Mapped[list[str]] = mapped_column(JSONB, info=harmless(Harmless.RANDOM))
    received: Mapped[int] = mapped_column(info=harmless(Harmless.WORK))  # bytes
