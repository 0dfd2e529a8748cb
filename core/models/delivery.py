"""`deliveries`: mails about a shoot that were handed to the mail server, and what came back."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, harmless


class MailState(StrEnum):
    """How it stands with the newest mail to one person of a shoot; `core.shoots.deliveries` owns it."""

    QUEUED = "queued"  # owed, and not handed over yet
    SENT = "sent"  # the mail server took it, and nothing came back
    BOUNCED = "bounced"  # it reached nobody: the server refused it, or a report came back


class MailKind(StrEnum):
    """What a mail about a shoot is for."""

    INVITE = "invite"
    READY = "ready"
    REMIND = "remind"
    REMIND_READY = "remind_ready"


class Teller(StrEnum):
    """Who said that a mail reached nobody."""

    SERVER = "server"  # our mail server, when it was handed over
    REPORT = "report"  # a delivery report that came back by mail (RFC 3464)
    PROVIDER = "provider"  # whoever delivers our mails, over HTTP


class Delivery(Tenant):
    """One mail; its id is that of the work that sent it, and part of its Message-ID and its return path.

    No address stands here: where it went is the person's, and sealed. `status` is what the other side said, as an
    enhanced status code (RFC 3463) such as `5.1.1`, or a three-digit reply.
    """

    __tablename__ = "deliveries"
    __table_args__ = (Index("ix_deliveries_participation", "participation_id"),)

    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participations.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    sent_at: Mapped[datetime | None]
    bounced_at: Mapped[datetime | None]
    status: Mapped[str | None] = mapped_column(String(16), info=harmless(Harmless.CODE))
    told_by: Mapped[str | None] = mapped_column(String(16), info=harmless(Harmless.CODE))
