"""What a person's files are called in an archive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core.models import Artifact, Kind

_SUFFIX: Final = {
    "application/json": "json",
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/heic": "heic",
    "image/avif": "avif",
}


def held(session: Session, member_id: UUID, folders: Mapping[Kind, str]) -> Sequence[Artifact]:
    """Return the files of somebody that are there, of the kinds that have a folder, oldest first."""
    return session.scalars(
        select(Artifact)
        .where(
            Artifact.member_id == member_id,
            Artifact.kind.in_(folders),
            Artifact.delete_requested_at.is_(None),
        )
        .order_by(Artifact.id)
    ).all()


def names(files: Sequence[Artifact], folders: Mapping[Kind, str]) -> dict[UUID, str]:
    """Return a path for each file: folder, number within it, ending."""
    found: dict[UUID, str] = {}
    numbers: Counter[str] = Counter()
    for one in files:
        folder = folders[Kind(one.kind)]
        numbers[folder] += 1
        found[one.id] = f"{folder}/{numbers[folder]:02d}.{_SUFFIX.get(one.media_type, 'bin')}"
    return found
