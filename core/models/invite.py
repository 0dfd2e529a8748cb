"""`invites`: links sent by mail."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, harmless


class Invite(Tenant):
    """A link bound to one member and one shoot.

    Only the token's SHA-256 is stored. The token itself is an HMAC of the row's random `nonce` under a
    key in the settings, so the mail job can compute it again after a crash and the database cannot.
    """

    __tablename__ = "invites"
    __table_args__ = (Index("ix_invites_participation", "participation_id"),)

    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participations.id"))
    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16), info=harmless(Harmless.RANDOM))
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True, info=harmless(Harmless.RANDOM))
    expires_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    # Its mail says that it is a reminder, and is not sent to whoever needs none any more.
    reminder: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    by_day: Mapped[bool] = mapped_column(
        default=False, server_default=text("false")
    )  # not in the company's quiet hours
