"""`audit_events`: what happened, written once."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class AuditEvent(Tenant):
    """One event. The app's role may insert it and mark it sequenced, and nothing else.

    `leaf` is the canonical JSON that the Merkle log hashes; it names people by pseudonym only.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index("ix_audit_events_org", "org_id", "id"),
        Index("ix_audit_events_kind", "org_id", "tag", "id"),
        Index("ix_audit_events_subject", "org_id", "subject_id", "id"),
        Index("ix_audit_events_unsequenced", "org_id", "id", postgresql_where=text("NOT sequenced")),
    )

    tag: Mapped[str] = mapped_column(String(48))
    actor_id: Mapped[UUID | None]
    subject_id: Mapped[UUID | None]
    facts: Mapped[dict[str, Any]]
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    sequenced: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
