"""`shoots`: campaigns."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, SmallInteger, String, UniqueConstraint, false, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant

DEFAULT_FILE_NAME = "{employee_id}_{last}_{first}.jpg"


class EngineName(StrEnum):
    """What makes a shoot's portraits."""

    STUDIO = "studio"  # the person's own best photos
    DIFFUSION = "diffusion"  # an image model that has learned the person, or is shown their photos
    WARDROBE = "wardrobe"  # the person's own photos, with clothes that an image model painted

    @property
    def needs_gpu(self) -> bool:
        """Whether a worker with an image model makes them."""
        return self is not EngineName.STUDIO


class Shoot(Tenant):
    """One style, one deadline, many people."""

    __tablename__ = "shoots"
    __table_args__ = (UniqueConstraint("org_id", "renews"),)

    name: Mapped[str] = mapped_column(String(120))
    style_id: Mapped[UUID] = mapped_column(ForeignKey("styles.id"))
    deadline: Mapped[datetime]
    engine: Mapped[str] = mapped_column(String(16), default=EngineName.STUDIO)
    file_name: Mapped[str] = mapped_column(String(160), default=DEFAULT_FILE_NAME)
    # When it reminds by itself: days after a person's invitation, and as negative numbers before the deadline.
    reminder_days: Mapped[list[int]] = mapped_column(
        ARRAY(SmallInteger), default=lambda: [3, 7, -2], server_default=text("'{}'")
    )
    closed_at: Mapped[datetime | None]
    # nothing is handed over that nobody of the company has looked at
    reviewed: Mapped[bool] = mapped_column(default=False, server_default=false())
    # Departments whose people have another style: what stands for each → id, see `core.shoots.department_styles`.
    department_styles: Mapped[dict[str, Any]] = mapped_column(
        JSONB, default=dict, server_default=text("'{}'::jsonb")
    )
    # The first day of the month whose people the company's rule asked for new photos: `core.shoots.renewal`.
    renews: Mapped[date | None]
