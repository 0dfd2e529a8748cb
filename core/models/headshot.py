"""`headshots`: results."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.sealed import SealedRow, SealedValue
from core.personal import Category, Harmless, harmless, personal


class Headshot(SealedRow):
    """One candidate with its gate report; `withheld_code` says why nobody may see it."""

    __tablename__ = "headshots"
    __table_args__ = (
        Index("ix_headshots_participation", "participation_id", "rank"),
        Index("ix_headshots_mark", "mark", unique=True),
    )

    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participations.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    photo_id: Mapped[UUID] = mapped_column(ForeignKey("photos.id"))  # made from it, or measured against it
    style_id: Mapped[UUID] = mapped_column(ForeignKey("styles.id"))
    artifact_id: Mapped[UUID | None] = mapped_column(ForeignKey("artifacts.id"))
    engine: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    adapter_id: Mapped[UUID | None] = mapped_column(ForeignKey("adapters.id"))
    seed: Mapped[int | None] = mapped_column(BigInteger, info=harmless(Harmless.RANDOM))
    # which time the studio worked for the person in this shoot, from 1 on
    run: Mapped[int] = mapped_column(default=1, server_default=text("1"), info=harmless(Harmless.WORK))
    rank: Mapped[int] = mapped_column(info=harmless(Harmless.WORK))  # within its run, the best is 0
    measured_on = "artifact_id"
    gates = SealedValue[dict[str, Any]](dict, plain="plain_gates")
    # From before they were sealed: `core.models.sealed`.
    plain_gates: Mapped[dict[str, Any]] = mapped_column(
        "gates", default=dict, info=personal(Category.FACE, {})
    )
    withheld_code: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.CODE))
    # what its person says is wrong with it: `core.portraits.rejections.Reason`
    rejected_code: Mapped[str | None] = mapped_column(String(16), info=personal(Category.CHOICE))
    rejected_at: Mapped[datetime | None] = mapped_column(info=personal(Category.CHOICE))
    # what its company says is wrong with it, which its person reads: `core.portraits.reviews.Flaw`
    returned_code: Mapped[str | None] = mapped_column(String(16), info=personal(Category.CHOICE))
    returned_at: Mapped[datetime | None]
    # who of the company looked at it and let it be handed over
    reviewed_by: Mapped[UUID | None]
    reviewed_at: Mapped[datetime | None]
    # what its files carry as a watermark, where an image model made it; `compliance.origin.watermark`
    mark: Mapped[int | None] = mapped_column(BigInteger, info=personal(Category.ALIAS))
    seconds: Mapped[float] = mapped_column(info=harmless(Harmless.WORK))

    @property
    def notes(self) -> tuple[str, ...]:
        """What differs from the style, as its gate report has it."""
        return tuple(self.gates.get("notes", ()))
