"""`open_links`: an address of a shoot at which people of the company ask for an invitation of their own."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Harmless, harmless


class OpenLink(Tenant):
    """A link that is the same for everybody; it leads to a form, and to nobody's pages.

    Only the token's SHA-256 is stored. The token itself is an HMAC of the row's random `nonce` under a key in the
    settings, so the page of the shoot can show it again and the database cannot. A shoot has one that works.
    """

    __tablename__ = "open_links"
    __table_args__ = (
        Index("uq_open_links_shoot", "shoot_id", unique=True, postgresql_where=text("revoked_at IS NULL")),
    )

    shoot_id: Mapped[UUID] = mapped_column(ForeignKey("shoots.id"))
    nonce: Mapped[bytes] = mapped_column(LargeBinary(16), info=harmless(Harmless.RANDOM))
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True, info=harmless(Harmless.RANDOM))
    # Of mail addresses that may join, in ASCII and small letters, as `core.people.addresses.canonical` has them.
    domains: Mapped[list[str]] = mapped_column(ARRAY(String(255)))
    most: Mapped[int]  # people whom it may add
    joined: Mapped[int] = mapped_column(default=0)  # whom it added; whoever is erased later stays counted
    ends_at: Mapped[datetime]  # or with the shoot's deadline, if that is earlier
    revoked_at: Mapped[datetime | None]
