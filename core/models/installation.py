"""`installation`: the one row that says which installation this database is of."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.ids import new_id
from core.models.base import Base


class Installation(Base):
    """This installation. It says nothing of any company or person, so row-level security leaves it alone."""

    __tablename__ = "installation"
    __table_args__ = (CheckConstraint("single", name="single"),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    single: Mapped[bool] = mapped_column(default=True, unique=True)  # so that there is never a second row
    created_at: Mapped[datetime] = mapped_column(default=now)
    fingerprints: Mapped[dict[str, Any]]  # SHA-256 of each key that every host must have, by its name
    generation: Mapped[UUID] = mapped_column(default=new_id)  # see `core.vault.ties`
    next_generation: Mapped[UUID | None]
    backup_at: Mapped[datetime | None]  # of the newest whole backup
    # since when names and measures lie sealed only; before that also as the release before knew them
    sealed_at: Mapped[datetime | None]
    drill_at: Mapped[datetime | None]  # when a restore was last tried and found good
    attestation_asked_at: Mapped[datetime | None]  # when the operator was last reminded to attest
