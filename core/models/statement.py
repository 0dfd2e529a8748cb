"""`statements`: each month's signed statement of what ended without a certificate of its own."""

from __future__ import annotations

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class Statement(Tenant):
    """A signed PDF of a company's month. It counts and names nobody, so it lives in the database and not in the vault."""

    __tablename__ = "statements"
    __table_args__ = (UniqueConstraint("org_id", "month", name="uq_statements_month"),)

    month: Mapped[str] = mapped_column(String(7))  # such as 2026-11, UTC
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
