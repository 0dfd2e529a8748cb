"""`mail_texts`: what a company says in its mails to people in its own words."""

from __future__ import annotations

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class MailText(Tenant):
    """The parts of one mail in one language that differ from ours; `core.shoots.wording` has which and how."""

    __tablename__ = "mail_texts"
    __table_args__ = (UniqueConstraint("org_id", "kind", "language", name="uq_mail_texts_kind"),)

    kind: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    content: Mapped[dict[str, str]] = mapped_column(JSONB)
