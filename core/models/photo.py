"""`photos`: what employees upload."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.sealed import SealedRow, SealedValue
from core.personal import OWN_ID, Category, personal


class Photo(SealedRow):
    """One uploaded photo and the check's verdict.

    `upload_key` is chosen by the browser, so a retried upload finds the first one. `subject_x` and
    `subject_y` say where the face is that the person called theirs, where a photo shows several.
    `confirmed_at` is when they said that this face is theirs although the comparison doubts it.
    `likeness_id` is the face's embedding, only with that consent. `check_failed_at` is when its check failed for a
    reason of ours: then the photo is kept as it came, so that it can be checked again. `put_in_by` is who of the
    company put it in for its person; nobody where they sent it themselves.
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
    likeness_id: Mapped[UUID | None] = mapped_column(ForeignKey("artifacts.id"))
    upload_key: Mapped[str] = mapped_column(String(64), info=personal(Category.ALIAS, OWN_ID))
    put_in_by: Mapped[UUID | None]
    measured_on = "artifact_id"
    verdict = SealedValue[dict[str, Any] | None](lambda: None, plain="plain_verdict")
    # fraction of the photo's width, from the left
    subject_x = SealedValue[float | None](lambda: None, plain="plain_subject_x")
    # fraction of the photo's height, from the top
    subject_y = SealedValue[float | None](lambda: None, plain="plain_subject_y")
    # From before they were sealed: `core.models.sealed`.
    plain_verdict: Mapped[dict[str, Any] | None] = mapped_column(
        "verdict", JSONB(none_as_null=True), info=personal(Category.FACE)
    )
    plain_subject_x: Mapped[float | None] = mapped_column("subject_x", info=personal(Category.FACE))
    plain_subject_y: Mapped[float | None] = mapped_column("subject_y", info=personal(Category.FACE))
    confirmed_at: Mapped[datetime | None] = mapped_column(info=personal(Category.CHOICE))
    checked_at: Mapped[datetime | None]
    check_failed_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]

    def picture(self, values: dict[str, Any]) -> UUID | None:
        """Return the photo's artifact where a face was found: of what cannot be decoded only the reason stays."""
        verdict = values.get("verdict") or {}
        return self.artifact_id if verdict.get("faces") or verdict.get("phash") else None

    @property
    def subject(self) -> tuple[float, float] | None:
        """The middle of the face that the person called theirs; `None` where nobody had to ask."""
        if self.subject_x is None or self.subject_y is None:
            return None
        return self.subject_x, self.subject_y

    @property
    def held(self) -> list[UUID]:
        """The artifacts that were made of this photo."""
        return [one for one in (self.artifact_id, self.preview_id, self.likeness_id) if one is not None]
