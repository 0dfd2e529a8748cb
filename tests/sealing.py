"""Sealing and opening in the middle of a test's own transaction, as no page or job may."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy.orm import Session

from core import db
from core.models import Artifact, Kind
from core.vault import Held, Sealed, vault


@contextmanager
def _inside() -> Iterator[None]:
    """Hide from the storage that this thread has a transaction open."""
    count, db._open.count = db._open.count, 0
    try:
        yield
    finally:
        db._open.count = count


def sealed(
    org_id: UUID,
    content: bytes,
    kind: Kind,
    member_id: UUID | None = None,
    media_type: str = "image/jpeg",
) -> Sealed:
    """Return what a verb keeps."""
    with _inside():
        return vault().seal(org_id, content, kind=kind, media_type=media_type, member_id=member_id)


def put(session: Session, content: bytes, *, kind: Kind, media_type: str, member_id: UUID | None) -> Artifact:
    """Seal and keep at once."""
    return vault().keep(session, sealed(db.organization_of(session), content, kind, member_id, media_type))


def opened(held: Held | None) -> bytes:
    """Return what a verb found."""
    assert held is not None
    with _inside():
        return vault().open(held)


def got(session: Session, artifact_id: UUID) -> bytes:
    """Find and open at once."""
    return opened(vault().find(session, artifact_id))
