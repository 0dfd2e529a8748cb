"""`opendsr_controllers`: whose programs may ask for a company, and `opendsr_requests`: what they asked."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant


class OpendsrController(Tenant):
    """A program that sends requests in a company's name, known by its domain and its certificate."""

    __tablename__ = "opendsr_controllers"
    __table_args__ = (UniqueConstraint("org_id", "domain", name="uq_opendsr_controllers_domain"),)

    domain: Mapped[str] = mapped_column(String(253))
    certificate: Mapped[str] = mapped_column(Text)  # whole, in PEM


class OpendsrRequest(Tenant):
    """A request as a program knows it; what it is about lies in `subject_requests`, and goes with that."""

    __tablename__ = "opendsr_requests"
    __table_args__ = (
        UniqueConstraint("org_id", "domain", "subject_request_id", name="uq_opendsr_requests_id"),
        Index("ix_opendsr_requests_request", "request_id"),
    )

    domain: Mapped[str] = mapped_column(String(253))
    subject_request_id: Mapped[UUID]  # the program's own number
    request_id: Mapped[UUID] = mapped_column(ForeignKey("subject_requests.id", ondelete="CASCADE"))
    body_sha256: Mapped[str] = mapped_column(String(64))
    callbacks: Mapped[list[str]] = mapped_column(JSONB)
    told: Mapped[str | None] = mapped_column(String(16))  # the last status that the callbacks took
