"""`web_sessions`: who is signed in, kept on the server so that it can be ended."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Category, Harmless, harmless, personal


class App(StrEnum):
    """Which of the two apps a session opens."""

    PORTAL = "portal"
    ADMIN = "admin"


class SignInMethod(StrEnum):
    """How the person proved who they are."""

    SAML = "saml"
    INVITE = "invite"
    DATA = "data"  # a link to one's data: opens what is held and what becomes of it, and starts nothing new

    @property
    def opens(self) -> App:
        """The one app that this opens.

        An invitation's link is forwarded and lies in mailboxes, so it never opens the company's own pages; and
        whoever runs a company's sign-in can make it say any name, so that never opens a person's.
        """
        return App.ADMIN if self is SignInMethod.SAML else App.PORTAL


class WebSession(Tenant):
    """One browser's session; only the SHA-256 of its token is stored."""

    __tablename__ = "web_sessions"
    __table_args__ = (Index("ix_web_sessions_member", "member_id"),)

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True, info=harmless(Harmless.RANDOM))
    # whose link it opened
    participation_id: Mapped[UUID | None] = mapped_column(ForeignKey("participations.id"))
    method: Mapped[str] = mapped_column(String(8), info=harmless(Harmless.CODE))
    # a session without one opens nothing
    app: Mapped[str | None] = mapped_column(String(8), info=harmless(Harmless.CODE))
    saml_session_index: Mapped[str | None] = mapped_column(String(256), info=personal(Category.ALIAS))
    seen_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    # Of a link's session, see `core.shoots.devices`: hash over what the device keeps and the member,
    device_sha256: Mapped[bytes | None] = mapped_column(LargeBinary(32), info=personal(Category.ALIAS))
    # and its kind in a word: iPhone, Windows.
    system: Mapped[str | None] = mapped_column(String(16), info=personal(Category.CHOICE))
    disowned_at: Mapped[datetime | None]  # whoever used it said that they are not this member
    told_at: Mapped[datetime | None]  # a mail about it is owed to the member
