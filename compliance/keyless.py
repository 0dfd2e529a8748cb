"""Keys without anything that they open, and what a restored database lists although its key is gone.

A picture's own key is destroyed with it, whoever ended it: its person, retention, a consent that was taken back. The
key store does not go back in time with the main database, so it remembers: what a restore brings back cannot be opened,
and here its row says so too. The other way round, a key whose row a restore or a crash took is of no use to anybody,
and could open what lies in an old backup of the objects: it goes as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance import strays
from core import audit, locks
from core.clock import now
from core.db import Lookup, transaction
from core.errors import Misfit
from core.grounds import Ground, because
from core.ids import first_of
from core.logs import logger
from core.models import (
    Adapter,
    Artifact,
    Farewell,
    Headshot,
    Organization,
    Participation,
    Person,
    Photo,
    Recall,
    SubjectRequest,
)
from core.portraits import photos
from core.vault import vault

BATCH: Final = 1000


class TooManyUnusedKeys(Misfit):
    """So many keys have no row that the rows are missing, not the keys too many."""

    code = "too_many_unused_keys"


def replay() -> int:
    """End what a restored backup lists and no key opens any more; return how many artifacts that were."""
    ended = 0
    for org_id in Lookup.organizations():
        last = UUID(int=0)
        while True:
            with transaction(org_id) as session:
                some = session.execute(
                    select(Artifact.id, Artifact.member_id)
                    .where(Artifact.id > last, Artifact.own_key, Artifact.delete_requested_at.is_(None))
                    .order_by(Artifact.id)
                    .limit(BATCH)
                ).all()
            if not some:
                break
            last = some[-1][0]
            opened = vault().keys.among([artifact_id for artifact_id, _ in some])
            dead = {artifact_id: member_id for artifact_id, member_id in some if artifact_id not in opened}
            if dead:
                with transaction(org_id) as session:
                    ended += _end(session, dead)
    return ended


def _end(session: Session, dead: dict[UUID, UUID | None]) -> int:
    """Say in the rows that artifacts are gone, with all that was measured on them; return how many are not yet."""
    locks.people(session, {member_id for member_id in dead.values() if member_id is not None})
    gone = list(dead)
    held = session.scalars(select(Photo).where(Photo.artifact_id.in_(gone), Photo.removed_at.is_(None))).all()
    with because(session, Ground.RESTORED):
        photos.end(session, held)
    photos.record_removed(session, held, actor=audit.SYSTEM, reason="restored")
    for photo in session.scalars(select(Photo).where(Photo.likeness_id.in_(gone))):
        photo.likeness_id = None
    for headshot in session.scalars(select(Headshot).where(Headshot.artifact_id.in_(gone))):
        headshot.gates = {}
    for adapter in session.scalars(select(Adapter).where(Adapter.artifact_id.in_(gone))):
        adapter.curve = []
    for part in session.scalars(select(Participation).where(Participation.checkpoint_id.in_(gone))):
        part.checkpoint_id = None
    with because(session, Ground.RESTORED):
        vault().delete(session, gone)
    return len(gone)


def look() -> tuple[int, list[UUID]]:
    """Return how many keys there are, and whose are older than an hour and belong to nothing in this database."""
    limit = first_of(now() - strays.AGE)
    total, unused = 0, list[UUID]()
    for some in vault().keys.owners(BATCH * 10):
        total += len(some)
        old = {owner_id for owner_id in some if owner_id < limit}
        if old:
            for org_id in Lookup.organizations():
                with transaction(org_id) as session:
                    old -= set(_known(session, min(old), max(old)))
                if not old:
                    break
        unused += sorted(old)
    return total, unused


def _known(session: Session, first: UUID, last: UUID) -> Iterator[UUID]:
    """Yield what a company has that owns a key, in a range of ids."""
    yield from session.scalars(select(Organization.id).where(Organization.id.between(first, last)))
    yield from session.scalars(
        select(Person.id).where(Person.id.between(first, last), Person.erased_at.is_(None))
    )
    yield from session.scalars(
        select(Artifact.id).where(Artifact.id.between(first, last), Artifact.destroyed_at.is_(None))
    )
    yield from session.scalars(
        select(SubjectRequest.id).where(
            SubjectRequest.id.between(first, last), SubjectRequest.sealed.is_not(None)
        )
    )
    yield from session.scalars(
        select(Recall.id).where(Recall.id.between(first, last), Recall.ended_at.is_(None))
    )
    yield from session.scalars(
        select(Farewell.id).where(Farewell.id.between(first, last), Farewell.ended_at.is_(None))
    )


def sweep(*, most: int | None = None) -> int:
    """Destroy the keys that belong to nothing; return how many that were.

    Args:
        most: how many may be destroyed; as few as of objects without a row (`strays.allowed`) if not given.

    Raises:
        KeyStoreNotOurs: the key store and the main database are not of one time.
        TooManyUnusedKeys: there are more; nothing was destroyed.
    """
    vault().ties.check_key_store()
    total, unused = look()
    bound = strays.allowed(total) if most is None else most
    if len(unused) > bound:
        raise TooManyUnusedKeys(
            operator=f"{len(unused)} of {total} data keys belong to nobody and nothing in this database, and {bound} would be "
            "plausible. Nothing was destroyed. After a restore they are those of whoever and whatever came after the backup; "
            "while a newer backup may still be restored they are needed. If none will be: "
            f"`headshots keys sweep --most {len(unused)}`."
        )
    for start in range(0, len(unused), BATCH):
        vault().keys.forget(unused[start : start + BATCH])
    if unused:
        logger().warning("unused_keys_destroyed", count=len(unused))
    return len(unused)
