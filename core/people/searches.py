"""What admins search for, kept so that what was found has an address of its own: an hour, or until somebody is erased.

The words name people, so they lie sealed in the vault, and the address holds only their number: the way
back in a browser then leads to a page like any other.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from core.clock import now
from core.db import transaction
from core.models import Artifact, Kind
from core.vault import vault

KEPT_FOR = timedelta(hours=1)
LONGEST = 200  # letters


class _Search(BaseModel):
    model_config = ConfigDict(frozen=True)

    by: UUID
    words: str


def keep(org_id: UUID, words: str, *, by: UUID) -> UUID:
    """Keep what the member `by` searches for; return the number that leads back to it."""
    content = _Search(by=by, words=words[:LONGEST]).model_dump_json().encode()
    sealed = vault().seal(org_id, content, kind=Kind.SEARCH, media_type="application/json", member_id=None)
    with transaction(org_id) as session:
        return vault().keep(session, sealed).id


def forget_all(session: Session) -> None:
    """Delete what anybody has searched for: a person is erased, and the words may name them, however misspelt.

    What another erasure is deleting is left to that one.
    """
    kept = select(Artifact.id).where(
        Artifact.member_id.is_(None), Artifact.kind == Kind.SEARCH, Artifact.delete_requested_at.is_(None)
    )
    vault().delete(session, session.scalars(kept.with_for_update(key_share=True, skip_locked=True)).all())


def words_of(org_id: UUID, search_id: UUID, *, by: UUID) -> str | None:
    """Return the words of a search; `None` where it has ended or is somebody else's."""
    with transaction(org_id) as session:
        artifact = session.get(Artifact, search_id)
        if (
            artifact is None
            or artifact.kind != Kind.SEARCH
            or artifact.delete_requested_at is not None
            or artifact.created_at < now() - KEPT_FOR
        ):
            return None
        held = vault().find(session, search_id)
    kept = _Search.model_validate_json(vault().open(held))
    return kept.words if kept.by == by else None
