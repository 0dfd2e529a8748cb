"""Objects without a row, and rows without an object: what has no row in `artifacts` does not exist, and this makes it true.

The sweep has brakes, because what it deletes it can only know by what it does not find: the storage must carry this
database's mark (`core.vault.ties`), and there may be few strays among what lies there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from core.clock import now
from core.db import Lookup, transaction
from core.errors import Misfit
from core.logs import logger
from core.models import Artifact
from core.vault import vault

# An object is written before its row is committed, and no transaction that writes one takes minutes.
AGE: Final = timedelta(hours=1)
# A stray is left by a process that died, or a transaction that was given up, between writing and committing. 59 kills
# in five minutes under load left none for 995 objects, so one in a hundred within six hours is no accident: rows are
# missing. An installation that has just begun may leave a few of its few; never most of what there is.
SHARE: Final = 0.01
FEW: Final = 10
MOST_SHARE: Final = 0.5


class TooManyStrays(Misfit):
    """So many objects have no row that the rows are missing, not the objects too many."""

    code = "too_many_strays"


@dataclass(frozen=True)
class Missing:
    """A row whose object is not there: bytes that were lost."""

    org_id: UUID
    artifact_id: UUID
    object_name: str


@dataclass(frozen=True)
class Found:
    """What a comparison of storage and database found.

    Attributes:
        objects: how many lie in the storage.
        rows: how many the database says lie there.
        strays: names of objects older than `AGE` that no row knows.
        missing: rows whose object is not there.
    """

    objects: int
    rows: int
    strays: list[str] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether each has its other."""
        return not self.strays and not self.missing


def allowed(objects: int) -> int:
    """Return how many strays among so many objects are no reason to stop."""
    return min(max(FEW, int(objects * SHARE)), int(objects * MOST_SHARE))


def look() -> Found:
    """Compare all objects with all rows, both ways; changes nothing.

    Raises:
        Unavailable: the storage does not answer.
    """
    began = now()
    store = vault().store
    listed = dict(store.names())
    limit = (began - AGE).timestamp()
    strays = {name for name, changed in listed.items() if changed < limit}
    rows, missing = 0, []
    for org_id in Lookup.organizations():
        with transaction(org_id, nameless=True) as session:
            known = session.execute(
                select(Artifact.id, Artifact.object_name, Artifact.created_at, Artifact.delete_requested_at)
                .where(Artifact.destroyed_at.is_(None))
                .execution_options(yield_per=1000)
            )
            for artifact_id, name, created_at, delete_requested_at in known:
                rows += 1
                strays.discard(name)
                # What is being deleted may be gone before its row says so; what is newer was not listed.
                if name not in listed and delete_requested_at is None and created_at < began:
                    missing.append(Missing(org_id, artifact_id, name))
    return Found(
        objects=len(listed),
        rows=rows,
        strays=sorted(strays),
        missing=[one for one in missing if not store.exists(one.object_name)],
    )


def sweep(*, dry_run: bool = False, most: int | None = None) -> Found:
    """Delete objects that no row knows, and return what was found.

    Args:
        dry_run: delete nothing.
        most: how many may be deleted; `allowed` says if not given.

    Raises:
        StorageNotOurs: the storage belongs to another installation, or to another copy of this database.
        TooManyStrays: there are more; nothing was deleted.
        Unavailable: the storage does not answer.
    """
    vault().ties.check_storage()
    found = look()
    if found.missing:
        logger().error("objects_missing", count=len(found.missing))
    bound = allowed(found.objects) if most is None else most
    if len(found.strays) > bound:
        raise TooManyStrays(
            operator=f"{len(found.strays)} of {found.objects} objects in the storage have no row in this database, and "
            f"{bound} would be plausible. Nothing was deleted. Look whether the database is whole (`headshots storage "
            f"check`); if they may go all the same: `headshots storage sweep --most {len(found.strays)}`."
        )
    if not dry_run:
        for name in found.strays:
            vault().store.delete(name)
        if found.strays:
            logger().warning("orphans_deleted", count=len(found.strays))
    return found
