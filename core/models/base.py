"""What every table shares."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import DateTime, ForeignKey, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.clock import now
from core.ids import new_id
from core.models.bounds import bound_by_columns


class Base(DeclarativeBase):
    """Declarative base: named constraints, timezone-aware times, JSONB for dicts and lists."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    # Asked for when they are read: otherwise many rows go out as one statement with a parameter for each cell, which the
    # driver takes longer to read than the server to store.
    __mapper_args__: Any = {"eager_defaults": False}  # noqa: RUF012 - read once, by SQLAlchemy
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[dict[str, Any]]: JSONB,
    }


bound_by_columns(Base)


class Tenant(Base):
    """A row that belongs to one organization; row-level security keys on `org_id`."""

    __abstract__ = True

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    org_id: Mapped[UUID] = mapped_column(ForeignKey("organizations.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
