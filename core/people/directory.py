"""Filling the directory of people again from what lies sealed: after a crash of the server, a failover or a restore.

It is UNLOGGED, so all of it is gone then, and with it the one row that says that it is whole; until that is there
again, pages and jobs answer `core.db.DirectoryEmpty`.
"""

from __future__ import annotations

import time
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, Text, Uuid, cast, exists, func, insert, literal, select, text
from sqlalchemy.orm import Session

from core import locks
from core.db import Lookup, engine, transaction
from core.logs import logger
from core.models import DirectoryState, Person
from core.models.member import DIRECTORY, NAMES
from core.vault import names, vault

BATCH: Final = 5000


def is_whole() -> bool:
    """Whether everybody is in it."""
    with Session(engine()) as session:
        return session.scalar(select(DirectoryState.whole)) is True


def rebuild() -> int:
    """Fill it where it is not whole; return how many people were added. Of several callers one does it, the others wait."""
    if is_whole():
        return 0
    begun, added = time.monotonic(), 0
    with Session(engine()) as session, session.begin():
        locks.wait(session, locks.Space.DIRECTORY)
        if session.scalar(select(DirectoryState.whole)) is not True:
            added = sum(map(add_missing, Lookup.organizations()))
            session.execute(insert(DirectoryState).values(whole=True))
    count()
    logger().warning("directory_rebuilt", count=added, seconds=round(time.monotonic() - begun, 1))
    return added


def count() -> None:
    """Let the server count people now, where many were just added: it plans by that, and does so by itself in a minute."""
    with engine().begin() as connection:
        connection.execute(text("SELECT count_people()"))


def add_missing(org_id: UUID) -> int:
    """Add everybody of a company who is not in it; return how many that were."""
    total = 0
    while added := _add(org_id):
        total += added
    return total


def _add(org_id: UUID) -> int:
    """Add some people of a company; whose key is gone has no name any more."""
    columns = (getattr(Person, f"plain_{name}") for name in NAMES)
    missing = (
        select(Person.id, Person.sealed, *columns)
        .where(~exists().where(DIRECTORY.c.id == Person.id))
        .order_by(Person.id)
        .limit(BATCH)
    )
    with transaction(org_id, nameless=True) as session:
        rows = session.execute(missing).all()
        if not rows:
            return 0
        keys = vault().keys.living([row.id for row in rows if row.sealed is not None])
        filled: dict[str, list[str | None]] = {name: [] for name in NAMES}
        for person_id, sealed, *plain in rows:
            said: names.Names = dict(zip(NAMES, plain, strict=True))
            if sealed is not None:
                key = keys.get(person_id)
                said = names.opened(org_id, person_id, sealed, key) if key is not None else {}
            for name, values in filled.items():
                values.append(said.get(name))
        arrays = [cast(literal(values, ARRAY(Text)), ARRAY(Text)) for values in filled.values()]
        people = (
            func.unnest(literal([row.id for row in rows], ARRAY(Uuid)), *arrays)
            .table_valued("id", *NAMES, name="people")
            .render_derived()
        )
        theirs = select(cast(people.c.id, Uuid), literal(org_id, Uuid), *(people.c[name] for name in NAMES))
        session.execute(insert(DIRECTORY).from_select(["id", "org_id", *NAMES], theirs))
        return len(rows)
