"""`breaches`: each breach of personal data that the company knows of, what was decided and whom it told (Art. 33(5) GDPR)."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, String, UniqueConstraint, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class Told(StrEnum):
    """Whether somebody is to be told of a breach."""

    YES = "yes"
    NO = "no"


class Breach(Tenant):
    """One breach. It says what happened to how many, and names nobody; nothing deletes it but the end of the database."""

    __tablename__ = "breaches"
    __table_args__ = (UniqueConstraint("org_id", "number", name="uq_breaches_number"),)

    number: Mapped[int]  # counts within the company
    aware_at: Mapped[datetime]  # from here the 72 hours count
    facts: Mapped[dict[str, Any]]  # `compliance.breaches.facts.BreachFacts`
    revision: Mapped[int] = mapped_column(default=1, server_default=text("1"))  # counts the changes of it
    authority: Mapped[str | None] = mapped_column(String(8))  # `Told`; nothing while it is not decided
    authority_told_at: Mapped[datetime | None]
    people: Mapped[str | None] = mapped_column(String(8))
    people_told_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    reminded: Mapped[int] = mapped_column(
        default=0, server_default=text("0")
    )  # steps of `compliance.breaches.reminders`
    events: Mapped[list[UUID]] = mapped_column(
        ARRAY(Uuid), default=list, server_default=text("'{}'::uuid[]")
    )  # its entries in the log
