"""From when on names and measures lie sealed only, and bringing there what was written before.

A release that knows of it runs beside one that does not, so at first both write what both can read. Once no process of
the earlier one is left, `headshots migrate --seal` says so to all of them at once, with `Installation.sealed_at`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from core import locks
from core.clock import now
from core.connections import APPLICATION
from core.db import Lookup, engine, transaction
from core.errors import Misfit
from core.logs import logger
from core.models import Adapter, Headshot, Installation, Member, Participation, Person, Photo
from core.models.member import DIRECTORY, NAMES
from core.models.sealed import SealedRow
from core.settings import settings
from core.vault import names, vault

BATCH: Final = 500
TABLES: Final[tuple[type[SealedRow], ...]] = (Photo, Headshot, Adapter, Participation)


class EarlierRelease(Misfit):
    """Processes of an earlier release are still connected."""

    code = "earlier_release"


def is_begun() -> bool:
    """Whether this installation keeps names and measures sealed only."""
    with Session(engine()) as session:
        return session.scalar(select(Installation.sealed_at)) is not None


def open_in_backups_until(moment: datetime) -> datetime | None:
    """Return when the last backup expires in which names and measures lie open, of those made until `moment`.

    `None` where none is left, or never was one: backups from since they lie sealed only end with their people's keys.
    """
    with Session(engine()) as session:
        since, made = session.execute(select(Installation.sealed_at, Installation.created_at)).one()
    if since is not None and since <= made:
        return None  # this installation began with them sealed
    until = (moment if since is None else since) + timedelta(days=settings().backup_days)
    return until if since is None or until > moment else None


def begin() -> int:
    """Keep them sealed only from now on, and seal what is there; return how many rows that were. Safe to run again.

    Raises:
        EarlierRelease: one that reads what would be emptied still runs; nothing was changed.
    """
    if not is_begun():
        _demand_alone()
        with Session(engine()) as session, session.begin():
            session.execute(update(Installation).values(sealed_at=now()))
    return seal_all()


def _demand_alone() -> None:
    with engine().connect() as connection:
        others = connection.scalars(
            text(
                "SELECT DISTINCT coalesce(nullif(application_name, ''), 'without a name') FROM pg_stat_activity WHERE"
                " datname = current_database() AND usename = current_user AND NOT starts_with(application_name, :ours)"
            ),
            {"ours": APPLICATION},
        ).all()
    if others:
        raise EarlierRelease(
            operator=f"Something else than this release is connected to the main database as the app ({', '.join(sorted(others))}). "
            "A process of an earlier release would find no names any more: stop it, or bring it to this release, and run this "
            "again. Nothing was changed."
        )


def seal_all() -> int:
    """Seal what still lies as the release before wrote it, once that has begun; return how many rows that were."""
    if not is_begun():
        return 0
    count = 0
    for org_id in Lookup.organizations():
        for table in TABLES:
            count += _seal(org_id, table)
        count += _seal_names(org_id)
    if count:
        logger().info("sealed", count=count)
    return count


def _seal(org_id: UUID, table: type[SealedRow]) -> int:
    """Seal the rows of one table; whoever's key is gone has said nothing."""
    count = 0
    while True:
        with transaction(org_id) as session:
            rows = session.scalars(
                select(table).where(table.lies_open()).order_by(table.id).limit(BATCH)
            ).all()
            if not rows:
                return count
            locks.people(session, {row.owner_id for row in rows} - {org_id})
            living = vault().keys.living({row.owner_id for row in rows})
            for row in rows:
                for one in row.sealed_values():
                    value: Any = getattr(row, one.name) if row.owner_id in living else one.nothing()
                    setattr(row, one.name, value)
            count += len(rows)


def _seal_names(org_id: UUID) -> int:
    """Seal the names of people; the directory has them, and of whose key is gone it is to have none."""
    plain = {name: getattr(Person, f"plain_{name}") for name in NAMES}
    lies_open = or_(*(column.is_not(None) for column in plain.values()))
    count = 0
    while True:
        with transaction(org_id) as session:
            ids = session.scalars(select(Person.id).where(lies_open).order_by(Person.id).limit(BATCH)).all()
            if not ids:
                return count
            locks.people(session, ids)
            keys = vault().keys.living(ids)
            known = select(Person.id, *plain.values()).where(Person.id.in_(ids))
            for person_id, *values in session.execute(known).all():
                said: names.Names = dict(zip(NAMES, values, strict=True))
                key = keys.get(person_id)
                sealed = names.sealed(org_id, person_id, said, key) if key is not None else None
                emptied = {f"plain_{name}": None for name in NAMES}
                session.execute(update(Person).where(Person.id == person_id).values(sealed=sealed, **emptied))
                if key is None:
                    said = dict.fromkeys(NAMES)
                session.execute(update(Member).where(DIRECTORY.c.id == person_id).values(**said))
            count += len(ids)
