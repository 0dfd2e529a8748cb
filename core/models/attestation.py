"""`attestations`: what somebody of the operator's attests, by name and day."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.ids import new_id
from core.models.base import Base
from core.personal import Harmless, harmless


class Attestation(Base):
    """One attestation. It is of no company and about none of its people, so row-level security leaves it alone."""

    __tablename__ = "attestations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=now)
    name: Mapped[str] = mapped_column(String(200), info=harmless(Harmless.OPERATOR))
    role: Mapped[str] = mapped_column(String(200), info=harmless(Harmless.OPERATOR))  # empty: not said
    place: Mapped[str] = mapped_column(Text)  # where the epoch keys lay; see `core.attestations`
    sentence: Mapped[str] = mapped_column(Text)  # what was attested, word for word
