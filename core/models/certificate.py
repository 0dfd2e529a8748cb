"""`certificates`: signed proofs of deletion."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class Certificate(Tenant):
    """A signed PDF. It names nobody, so it lives in the database and not in the vault."""

    __tablename__ = "certificates"
    __table_args__ = (UniqueConstraint("erasure_id", "status", name="uq_certificates_status"),)

    erasure_id: Mapped[UUID] = mapped_column(ForeignKey("erasures.id"))
    status: Mapped[str] = mapped_column(String(16))
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
