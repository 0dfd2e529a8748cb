"""`consents`: what a person agreed to, `notices`: in which words, and `consent_receipts`: what they were given for it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import ARRAY, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Category, Harmless, Stays, harmless, personal, stays


class Consent(Tenant):
    """One answer to one purpose; the newest counts.

    The database lets nothing of a row change but `withdrawn_at`, which is never emptied again, and `signed`, which erasure empties.
    """

    __tablename__ = "consents"
    __table_args__ = (
        Index("ix_consents_member", "member_id", "purpose"),
        {"info": stays(Stays.CONSENT)},
    )

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    participation_id: Mapped[UUID] = mapped_column(ForeignKey("participations.id"))
    purpose: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    granted: Mapped[bool]
    regime: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    language: Mapped[str] = mapped_column(String(8), info=harmless(Harmless.CODE))
    text_version: Mapped[str] = mapped_column(String(32), info=harmless(Harmless.CODE))
    text_sha256: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.CODE))
    # The whole of what was read, a row of `notices`; null for those from before it was kept.
    notice_sha256: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.CODE))
    # The name and state that the person typed, where the law asks for a release in writing; under their key.
    signed: Mapped[bytes | None] = mapped_column(LargeBinary, info=personal(Category.IDENTITY))
    withdrawn_at: Mapped[datetime | None]


class ShownNotice(Tenant):
    """A text as people read and answered it, kept once however many did. It says nothing of any of them."""

    __tablename__ = "notices"
    __table_args__ = (UniqueConstraint("org_id", "sha256", name="uq_notices_sha256"),)

    sha256: Mapped[str] = mapped_column(String(64))
    content: Mapped[str] = mapped_column(Text)  # RFC 8785 JSON, whose hash that is


class Act(StrEnum):
    """What a person decided, in one step."""

    ANSWERED = "answered"  # the questions of a notice, each with yes or no
    DECLINED = "declined"  # a shoot altogether
    TAKEN_BACK = "taken_back"  # what was agreed to before


class ConsentReceipt(Tenant):
    """One decision, for which a person has a receipt. The database lets nothing of a row change.

    What was answered stands in the rows of `consents` that it names, what was read in those of `notices`.
    """

    __tablename__ = "consent_receipts"
    __table_args__ = (
        Index("ix_consent_receipts_member", "member_id", "id"),
        {"info": stays(Stays.CONSENT)},
    )

    member_id: Mapped[UUID] = mapped_column(ForeignKey("members.id"))
    participation_id: Mapped[UUID | None] = mapped_column(ForeignKey("participations.id"))
    act: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    language: Mapped[str] = mapped_column(String(8), info=harmless(Harmless.CODE))
    # Answers that were given, or those that were taken back.
    consents: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), info=harmless(Harmless.RANDOM))
    # What was open on the page; null where the decision was made on another one than the question's.
    notice_sha256: Mapped[str | None] = mapped_column(String(64), info=harmless(Harmless.CODE))
    # What stands in for a headshot from then on, where it is declined or the first consent taken back.
    alternative: Mapped[str | None] = mapped_column(String(16), info=harmless(Harmless.CODE))
    # Whether the company did it at the person's request.
    by_company: Mapped[bool]
