"""`styles`: versions of a company's portrait style."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.style.spec import StyleSpec


class Style(Tenant):
    """One version; once a shoot has used it, `locked_at` is set and it never changes again."""

    __tablename__ = "styles"
    __table_args__ = (
        UniqueConstraint("org_id", "name", "version", name="uq_styles_version"),
        Index("ix_styles_look", "look_id"),
    )

    name: Mapped[str] = mapped_column(String(80))
    version: Mapped[int] = mapped_column(default=1)
    spec: Mapped[dict[str, Any]]
    locked_at: Mapped[datetime | None]
    look_id: Mapped[UUID | None] = mapped_column(ForeignKey("looks.id"))

    @property
    def parsed(self) -> StyleSpec:
        """The style as the object that the finisher obeys."""
        return StyleSpec.model_validate(self.spec)
