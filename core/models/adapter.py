"""`adapters`: the small image models that were trained, one a person, or one a style."""

from __future__ import annotations

from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.sealed import SealedRow, SealedValue
from core.personal import Category, Harmless, harmless, personal


class AdapterKind(StrEnum):
    """What an adapter has learned."""

    PERSON = "person"
    STYLE = "style"


class Adapter(SealedRow):
    """What was trained on which base, from which photos, and how it did.

    The weights are the artifact. Once that is deleted the row says only that there was one: it lives
    as long as `Artifact.delete_requested_at` is null.
    """

    __tablename__ = "adapters"
    __table_args__ = (
        Index("ix_adapters_participation", "participation_id"),
        Index("ix_adapters_member", "member_id"),
        Index("ix_adapters_style", "style_id"),
    )

    kind: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    participation_id: Mapped[UUID | None] = mapped_column(ForeignKey("participations.id"))
    style_id: Mapped[UUID | None] = mapped_column(ForeignKey("styles.id"))
    artifact_id: Mapped[UUID] = mapped_column(ForeignKey("artifacts.id"))
    base: Mapped[str] = mapped_column(String(32), info=harmless(Harmless.CODE))
    revision: Mapped[str] = mapped_column(String(128), info=harmless(Harmless.CODE))
    rank: Mapped[int] = mapped_column(info=harmless(Harmless.WORK))
    steps: Mapped[int] = mapped_column(info=harmless(Harmless.WORK))
    seed: Mapped[int] = mapped_column(BigInteger, info=harmless(Harmless.RANDOM))
    # ids of the photos that it learned from
    photos: Mapped[list[str]] = mapped_column(JSONB, info=harmless(Harmless.RANDOM))
    # {"step": int, "distance": float | None}, to the held-out photos
    measured_on = "artifact_id"
    curve = SealedValue[list[dict[str, Any]]](list, plain="plain_curve")
    # From before it was sealed: `core.models.sealed`.
    plain_curve: Mapped[list[dict[str, Any]]] = mapped_column(
        "curve", default=list, info=personal(Category.FACE, [])
    )
    seconds: Mapped[float] = mapped_column(info=harmless(Harmless.WORK))
    watt_hours: Mapped[float | None] = mapped_column(info=harmless(Harmless.WORK))
