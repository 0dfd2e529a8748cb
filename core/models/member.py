"""`members`: people in an organization."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Category, Harmless, harmless, personal


class Role(StrEnum):
    """What a member is to the organization; what each may do is in `core.permissions`."""

    OWNER = "owner"
    HR_ADMIN = "hr_admin"
    REVIEWER = "reviewer"
    AUDITOR = "auditor"
    EMPLOYEE = "employee"


# In the order in which people are listed: those who were erased last. Written out, since a question uses the index only
# where it says the same.
IN_ORDER = (
    text("(erased_at IS NOT NULL)"),
    text("lower(coalesce(last_name, ''))"),
    text("lower(coalesce(first_name, ''))"),
)


class Member(Tenant):
    """A person. After erasure only the id, the organization and the times remain.

    `pseudonym` is the keyed hash that stands for the person in the evidence log; its key is derived
    from the person's data key and dies with it.
    """

    __tablename__ = "members"

    role: Mapped[str] = mapped_column(String(16), default=Role.EMPLOYEE, info=harmless(Harmless.CODE))
    email: Mapped[str | None] = mapped_column(String(254), info=personal(Category.IDENTITY))
    first_name: Mapped[str | None] = mapped_column(String(80), info=personal(Category.IDENTITY))
    last_name: Mapped[str | None] = mapped_column(String(80), info=personal(Category.IDENTITY))
    employee_id: Mapped[str | None] = mapped_column(String(64), info=personal(Category.IDENTITY))
    department: Mapped[str | None] = mapped_column(String(120), info=personal(Category.IDENTITY))
    language: Mapped[str] = mapped_column(String(8), default="en", info=personal(Category.CHOICE, "en"))
    idp_entity_id: Mapped[str | None] = mapped_column(String(512), info=personal(Category.IDENTITY))
    name_id: Mapped[str | None] = mapped_column(String(512), info=personal(Category.IDENTITY))
    pseudonym: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.KEYED))
    disabled_at: Mapped[datetime | None]
    links_ended_at: Mapped[datetime | None]  # links to one's data from before open nothing
    erased_at: Mapped[datetime | None]

    __table_args__ = (
        Index("uq_members_email", "org_id", text("lower(email)"), unique=True),
        UniqueConstraint("org_id", "idp_entity_id", "name_id", name="uq_members_identity"),
        Index("uq_members_employee_id", "org_id", "employee_id", unique=True),
        Index("ix_members_in_order", "org_id", *IN_ORDER, "id"),
    )

    @property
    def full_name(self) -> str:
        """First and last name, or an empty string after erasure."""
        return f"{self.first_name or ''} {self.last_name or ''}".strip()

    @property
    def initials(self) -> str:
        """Up to two capital letters for the avatar that stands in for a photo."""
        letters = [name[0] for name in (self.first_name, self.last_name) if name]
        return "".join(letters).upper() or "–"
