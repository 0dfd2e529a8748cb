"""Sealing and opening in the middle of a test's own transaction."""

from __future__ import annotations

from uuid import UUID

from core.db import allowed_inside
from core.models import Kind
from core.vault import Held, Sealed, vault


def sealed(
    org_id: UUID,
    content: bytes,
    kind: Kind,
    member_id: UUID | None = None,
    media_type: str = "image/jpeg",
) -> Sealed:
    """Return what a verb keeps."""
    with allowed_inside():
        return vault().seal(org_id, content, kind=kind, media_type=media_type, member_id=member_id)


def opened(held: Held | None) -> bytes:
    """Return what a verb found."""
    assert held is not None
    with allowed_inside():
        return vault().open(held)
