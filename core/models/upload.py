"""`uploads`: pictures that somebody sent, until a worker has judged them, and what came of them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, harmless


class Use(StrEnum):
    """What the pictures are for."""

    OWN_PICTURE = "own_picture"  # in place of a headshot
    LOGO = "logo"
    BACKDROP = "backdrop"
    LOOK = "look"  # the only one with several pictures


class Upload(Tenant):
    """Sealed as they came in `originals`; once judged, those are destroyed and `checked_at` is set.

    `result_id` is what then came of them: an artifact, or of a look the style's version that has it. Without
    one, `refusal` says why. `left_out` are those of a look that could not be used.
    """

    __tablename__ = "uploads"
    __table_args__ = (Index("ix_uploads_member", "member_id"),)

    use: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))  # who sent them
    subject_id: Mapped[UUID | None]  # the participation, or the style's version
    # ids of artifacts, in the order of the upload
    originals: Mapped[list[str]] = mapped_column(JSONB, info=harmless(Harmless.RANDOM))
    result_id: Mapped[UUID | None]
    refusal: Mapped[dict[str, Any] | None] = mapped_column(info=harmless(Harmless.WORK))
    left_out: Mapped[list[dict[str, Any]]] = mapped_column(info=harmless(Harmless.WORK))
    checked_at: Mapped[datetime | None]
