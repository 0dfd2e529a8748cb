"""`subject_requests`: what people ask for of their data, by when it is owed, and what came of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, String, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Category, Harmless, Stays, harmless, personal, stays


class Right(StrEnum):
    """What can be asked for."""

    ACCESS = "access"
    PORTABILITY = "portability"
    ERASURE = "erasure"
    RECTIFICATION = "rectification"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    OPT_OUT = "opt_out"  # of selling and sharing, which is not done here
    LIMIT = "limit"  # the use of sensitive data, in California's words
    WITHDRAWAL = "withdrawal"


class Channel(StrEnum):
    """On which way a request came."""

    SELF_SERVICE = "self_service"
    HR = "hr"
    PUBLIC_FORM = "public_form"
    AGENT = "agent"
    OPENDSR = "opendsr"  # by the company's privacy program


class Stage(StrEnum):
    """How far a request is; `compliance.requests.moves` alone takes it on."""

    UNCONFIRMED = "unconfirmed"  # nobody has shown yet that the address is theirs
    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    VERIFYING = "verifying"
    IN_PROGRESS = "in_progress"
    HELD = "held"
    FULFILLED = "fulfilled"
    PARTLY = "partly"
    DENIED = "denied"
    CANCELLED = "cancelled"
    CLOSED = "closed"


def _code(length: int = 16) -> Any:
    return mapped_column(String(length), info=harmless(Harmless.CODE))


class SubjectRequest(Tenant):
    """One request, under whatever law.

    Who asks and what they wrote lies in `sealed`: under the person's key, or where nobody is known under a key of the
    request's own (`compliance.requests.words`). Both go when it is closed; the rest names nobody.
    """

    __tablename__ = "subject_requests"
    __table_args__ = (
        Index(
            "ix_subject_requests_due", "org_id", "due_at", "id", postgresql_where=text("decided_at IS NULL")
        ),
        Index("ix_subject_requests_state", "org_id", "state", "id"),
        Index("ix_subject_requests_member", "member_id", "id"),
        {"info": stays(Stays.REQUEST)},
    )

    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    type: Mapped[str] = _code()
    channel: Mapped[str] = _code()
    regime: Mapped[str] = _code()
    state: Mapped[str] = _code()
    language: Mapped[str] = _code(8)
    sealed: Mapped[bytes | None] = mapped_column(info=personal(Category.IDENTITY))
    received_at: Mapped[datetime]
    acknowledge_by: Mapped[datetime]
    acknowledged_at: Mapped[datetime | None]
    first_due_at: Mapped[datetime]
    due_at: Mapped[datetime]
    extended_at: Mapped[datetime | None]
    extension: Mapped[str | None] = _code(32)
    verification: Mapped[str | None] = _code(24)
    tier: Mapped[str | None] = _code(24)
    points: Mapped[int | None] = mapped_column(info=harmless(Harmless.WORK))
    verified: Mapped[bool | None]
    verified_at: Mapped[datetime | None]
    tries: Mapped[int] = mapped_column(default=0, server_default=text("0"), info=harmless(Harmless.WORK))
    hold: Mapped[str | None] = _code(32)
    held_at: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]
    proposed: Mapped[str | None] = _code()  # the decision that waits for a second person
    proposed_by: Mapped[UUID | None]
    decision: Mapped[str | None] = _code()
    basis: Mapped[str | None] = _code(40)
    decided_at: Mapped[datetime | None]
    delivered_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    erasure_id: Mapped[UUID | None] = mapped_column(ForeignKey("erasures.id"))
    evidence_sha256: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.RANDOM))
    processors: Mapped[list[dict[str, Any]]] = mapped_column(
        default=list, server_default=text("'[]'::jsonb"), info=harmless(Harmless.WORK)
    )
    reminded: Mapped[int] = mapped_column(default=0, server_default=text("0"), info=harmless(Harmless.WORK))
    events: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), default=list, server_default=text("'{}'::uuid[]"), info=harmless(Harmless.RANDOM)
    )
