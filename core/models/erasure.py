"""`erasures`: a person's data being destroyed."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, Stays, harmless, stays


class Erasure(Tenant):
    """How far it is. Holds no personal data.

    What was destroyed and how that was checked is read again for each certificate; `locations` has it of erasures from
    before that, and is empty since. `receipt_sha256` is the hash of the secret in the link under which the person finds the certificate afterwards.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        Index("ix_erasures_unfinished", "created_at", postgresql_where=text("objects_destroyed_at IS NULL")),
        Index(
            "ix_erasures_unsettled", "org_id", "epoch", postgresql_where=text("epoch_destroyed_at IS NULL")
        ),
        {"info": stays(Stays.REQUEST)},
    )

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"), unique=True)
    subject: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.KEYED))
    reason: Mapped[str] = mapped_column(String(32), info=harmless(Harmless.CODE))
    # Whose law's words the person would have got; null for those from before it was noted.
    regime: Mapped[str | None] = mapped_column(String(16), info=harmless(Harmless.CODE))
    language: Mapped[str] = mapped_column(String(8), default="en", info=harmless(Harmless.CODE))
    receipt_sha256: Mapped[bytes] = mapped_column(
        LargeBinary(32), unique=True, info=harmless(Harmless.RANDOM)
    )
    epoch: Mapped[int | None] = mapped_column(info=harmless(Harmless.WORK))
    key_destroyed_at: Mapped[datetime | None]
    objects_destroyed_at: Mapped[datetime | None]
    epoch_destroyed_at: Mapped[datetime | None]
    locations: Mapped[list[dict[str, Any]]] = mapped_column(default=list, info=harmless(Harmless.WORK))
    # A certificate's facts that are in the log and not yet a document, and their event; see `compliance.certificate.issuing`.
    announced: Mapped[bytes | None] = mapped_column(LargeBinary, info=harmless(Harmless.WORK))
    announced_event: Mapped[UUID | None]
    failure: Mapped[str | None] = mapped_column(String(200), info=harmless(Harmless.WORK))
