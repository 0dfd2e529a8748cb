"""`artifacts`: the one inventory of stored bytes."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, false, text
from sqlalchemy.orm import Mapped, mapped_column

from core.models.base import Tenant
from core.personal import Category, Harmless, harmless


class Kind(StrEnum):
    """What the bytes are."""

    PHOTO = "photo"
    PIECE = "piece"  # of a photo that has arrived in part
    PREVIEW = "preview"
    LIKENESS = "likeness"  # the numbers that stand for the face on one photo
    HEADSHOT = "headshot"
    ADAPTER = "adapter"  # a small image model of one person, or of a style
    CHECKPOINT = "checkpoint"  # such a model half trained, so that a job that died can go on
    OWN_PICTURE = "own_picture"
    EXPORT = "export"
    LOGO = "logo"
    BACKDROP = "backdrop"
    STYLE_PICTURE = "style_picture"  # an example of the company's look
    ROSTER = "roster"
    UPLOAD = "upload"  # a picture as it came, until a worker has encoded it again
    SEARCH = "search"  # what an admin looks for in a list of people


# What names many people on its way through an admin's pages: each is sealed with a key of its own, which goes with it.
PASSING: Final = frozenset({Kind.ROSTER, Kind.SEARCH})
# What the bytes say about the person whose key seals them, or about those whom they name in passing; brand assets show
# nobody or are the company's to vouch for.
CATEGORIES: Final[dict[Kind, Category | None]] = {
    Kind.PHOTO: Category.FACE,
    Kind.PIECE: Category.FACE,
    Kind.PREVIEW: Category.FACE,
    Kind.LIKENESS: Category.FACE,
    Kind.HEADSHOT: Category.FACE,
    Kind.ADAPTER: Category.FACE,
    Kind.CHECKPOINT: Category.FACE,
    Kind.OWN_PICTURE: Category.FACE,
    Kind.EXPORT: Category.IDENTITY,
    Kind.LOGO: None,
    Kind.BACKDROP: None,
    Kind.STYLE_PICTURE: None,
    Kind.ROSTER: Category.IDENTITY,
    Kind.UPLOAD: Category.FACE,
    Kind.SEARCH: Category.IDENTITY,
}


class Artifact(Tenant):
    """One sealed object. What has no row here does not exist.

    `member_id` is the person whose key seals it. Brand assets have none and use the organization's key; what is in
    `PASSING` has none either and is sealed with a key of its own, known by the artifact's id. Where `own_key` says so,
    what is a person's is sealed with such a key as well: it is destroyed with the object, so a copy of that in a
    backup is dead too.
    """

    __tablename__ = "artifacts"
    __table_args__ = (
        Index("ix_artifacts_member", "member_id"),
        Index("ix_artifacts_object_name", "object_name", unique=True),
        Index(
            "ix_artifacts_leaving",
            "delete_requested_at",
            postgresql_where=text("delete_requested_at IS NOT NULL AND destroyed_at IS NULL"),
        ),
    )

    member_id: Mapped[UUID | None] = mapped_column(ForeignKey("members.id"))
    kind: Mapped[str] = mapped_column(String(16), info=harmless(Harmless.CODE))
    media_type: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.CODE))
    object_name: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.RANDOM))
    size: Mapped[int] = mapped_column(info=harmless(Harmless.WORK))
    sealed_sha256: Mapped[str] = mapped_column(String(64), info=harmless(Harmless.RANDOM))
    own_key: Mapped[bool] = mapped_column(default=False, server_default=false())
    delete_requested_at: Mapped[datetime | None]
    # `core.grounds.Ground`; none of what ended before it was noted
    ended_because: Mapped[str | None] = mapped_column(String(16), info=harmless(Harmless.CODE))
    destroyed_at: Mapped[datetime | None]
