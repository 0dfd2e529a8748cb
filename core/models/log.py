"""`log_leaves`, `log_nodes`, `checkpoints`, `cosignatures`: each organization's Merkle log."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from core.clock import now
from core.models.base import Base


class LogLeaf(Base):
    """Which event stands at which position."""

    __tablename__ = "log_leaves"
    __table_args__ = (UniqueConstraint("event_id"),)

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    event_id: Mapped[UUID] = mapped_column(ForeignKey("audit_events.id"))


class LogNode(Base):
    """The hash of one full subtree (RFC 6962); enough to prove anything in O(log n) reads."""

    __tablename__ = "log_nodes"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Checkpoint(Base):
    """A signed tree head, of two signatures; those from before there was a second key have one."""

    __tablename__ = "checkpoints"
    __table_args__ = (
        # A second signature alone has 3,248 letters; a note with one has at most 600.
        Index(
            "ix_checkpoints_signed_once", "org_id", "size", postgresql_where=text("octet_length(note) < 2000")
        ),
    )

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    note: Mapped[str] = mapped_column(Text)


class CosignatureRow(Base):
    """What a witness said of a checkpoint: one line of the signed note, of one of its keys."""

    __tablename__ = "cosignatures"

    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"), primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    witness: Mapped[str] = mapped_column(Text, primary_key=True)  # its verifier key
    line: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
