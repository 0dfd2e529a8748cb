"""`organizations`: the tenants."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import SmallInteger, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.ids import new_id
from core.models.base import Base


class Organization(Base):
    """A company: its brand, its promises in numbers, and nothing of its people."""

    __tablename__ = "organizations"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    created_at: Mapped[datetime] = mapped_column(default=now)
    slug: Mapped[str] = mapped_column(String(63), unique=True)
    name: Mapped[str] = mapped_column(String(120))
    accent: Mapped[str] = mapped_column(String(7), default="#2f4b6e")
    logo_id: Mapped[UUID | None]
    # Whether pictures that an image model made say so visibly, in a corner.
    label_models: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    regime: Mapped[str] = mapped_column(String(16), default="gdpr")
    language: Mapped[str] = mapped_column(String(8), default="en")
    # Whether German pages and mails say "Sie"; otherwise "du".
    formal_german: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    # How long what is kept, days; what each counts from and how much it may be is in `core.shoots.promises`. A company
    # from before they could be set keeps what it kept.
    retention_days: Mapped[int] = mapped_column(default=30)  # selfies
    model_days: Mapped[int] = mapped_column(default=365, server_default=text("365"))
    headshot_days: Mapped[int] = mapped_column(default=30, server_default=text("1095"))
    decliner_days: Mapped[int] = mapped_column(default=30, server_default=text("365"))
    leaver_days: Mapped[int] = mapped_column(default=90, server_default=text("365"))
    # Since when the company could choose: whoever was locked out before counts from here, so that it has had its say.
    schedule_since: Mapped[datetime] = mapped_column(default=now, server_default=text("now()"))
    schedule_version: Mapped[int] = mapped_column(
        default=1, server_default=text("1")
    )  # counts the changes of these
    # Who it is in law and where, as certificates name it; empty where nobody has said.
    legal_name: Mapped[str] = mapped_column(Text, default="", server_default="")
    postal_address: Mapped[str] = mapped_column(Text, default="", server_default="")
    # Where it is, for clocks of requests: ISO 3166-1 alpha-2, empty where nobody has said, and a name of the zone database.
    country: Mapped[str] = mapped_column(String(2), default="", server_default="")
    time_zone: Mapped[str] = mapped_column(String(48), default="UTC", server_default="UTC")
    # How lists with the same header were read before: hash of the header → field → number of its column.
    list_columns: Mapped[dict[str, Any]] = mapped_column(
        JSONB, default=dict, server_default=text("'{}'::jsonb")
    )
    # Filters of the list of people that admins go back to: `core.people.views`.
    people_views: Mapped[list[Any]] = mapped_column(JSONB, default=list, server_default=text("'[]'::jsonb"))
    # Who is asked for new photos by itself, `core.shoots.renewal.Rule`; nobody where there is none.
    renewal: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    # The hours of the day, by the clock of who gets them, from and until which no reminder leaves; the same for never.
    quiet_from: Mapped[int] = mapped_column(SmallInteger, default=18, server_default=text("18"))
    quiet_until: Mapped[int] = mapped_column(SmallInteger, default=8, server_default=text("8"))
    # In mails to people: whom they are from beside the platform's address, and where answers go; the usual where empty.
    sender_name: Mapped[str] = mapped_column(String(120), default="", server_default="")
    reply_to: Mapped[str] = mapped_column(String(254), default="", server_default="")
    contact_email: Mapped[str] = mapped_column(String(254), default="")
    # Where the newest checkpoint is mailed each day, one address a line; functions of the company, as the contact is.
    checkpoint_emails: Mapped[str] = mapped_column(Text, default="", server_default="")
