"""`saml_connections`: each organization's identity provider."""

from __future__ import annotations

from typing import Any

from sqlalchemy import String, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class SamlConnectionRow(Tenant):
    """What `sso.saml` needs to trust one identity provider; certificates are whole, never fingerprints."""

    __tablename__ = "saml_connections"
    __table_args__ = (UniqueConstraint("org_id"),)

    idp_entity_id: Mapped[str] = mapped_column(String(512))
    idp_sso_url: Mapped[str] = mapped_column(String(2048))
    idp_certificates: Mapped[list[str]] = mapped_column(JSONB)
    attributes: Mapped[dict[str, Any]]
    admin_groups: Mapped[list[str]] = mapped_column(JSONB)
    auditor_groups: Mapped[list[str]] = mapped_column(JSONB, server_default=text("'[]'"))
    allow_unsolicited: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
