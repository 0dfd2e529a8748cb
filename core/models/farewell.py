"""`farewells`: the one mail that tells somebody that others had them erased."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class Farewell(Tenant):
    """Where it goes and what it says lies in `sealed`, under a key of its own known by the row's id, until `ended_at`.

    It ends with its sending, and after a day whatever happens. `told_at` is when the mail server took it; else
    `failure` says why the person was not told. The row names nobody.
    """

    __tablename__ = "farewells"
    __table_args__ = (UniqueConstraint("erasure_id", name="uq_farewells_erasure_id"),)

    erasure_id: Mapped[UUID] = mapped_column(ForeignKey("erasures.id"))
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    told_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(64))
    ended_at: Mapped[datetime | None]
