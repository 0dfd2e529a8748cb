"""`looks`: the pictures that a company gave to learn its look from, and what came of them."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class Look(Tenant):
    """What versions of a style share; other pictures make another look, so a version that is used keeps its own.

    Once it has ended, pictures and model are destroyed, and the row says only that there was one.
    """

    __tablename__ = "looks"

    pictures: Mapped[list[str]] = mapped_column(JSONB)  # ids of the artifacts, in the order of the upload
    # Added last: an adapter names its style, and a style its look.
    adapter_id: Mapped[UUID | None] = mapped_column(
        ForeignKey("adapters.id", use_alter=True, name="fk_looks_adapter_id")
    )
    checkpoint_id: Mapped[UUID | None] = mapped_column(ForeignKey("artifacts.id"))
    failure_code: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]
