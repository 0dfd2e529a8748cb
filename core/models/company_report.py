"""`company_reports`: what a company says of how it handles data, signed, in versions."""

from __future__ import annotations

from typing import Any

from sqlalchemy import LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class CompanyReport(Tenant):
    """A signed PDF and its facts. It names functions and nobody's data, so it lies in the database and not in the vault."""

    __tablename__ = "company_reports"
    __table_args__ = (
        UniqueConstraint("org_id", "report", "language", "version", name="uq_company_reports_version"),
    )

    report: Mapped[str] = mapped_column(String(24))  # `compliance.reports.company.kinds.Report`
    language: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    facts: Mapped[dict[str, Any]]
    facts_sha256: Mapped[str] = mapped_column(String(64))  # over what it says, without date and number
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64))
