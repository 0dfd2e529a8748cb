"""`privacy_versions`: what a company states of how it answers for its people's data, version by version."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class PrivacyVersion(Tenant):
    """One version, whole. It is public, names functions and nobody who takes part, and is never changed."""

    __tablename__ = "privacy_versions"
    __table_args__ = (UniqueConstraint("org_id", "version", name="uq_privacy_versions_version"),)

    version: Mapped[int]
    facts: Mapped[dict[str, Any]]  # `compliance.privacy.facts.PrivacyFacts`
    facts_sha256: Mapped[str] = mapped_column(String(64))  # as its event in the log has it
