"""What the database's rows say about a person: overwriting it, and reading back whether anything is left."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, Table, null, or_, select, update
from sqlalchemy.orm import Session

from core import locks, personal
from core.clock import now
from core.logs import logger
from core.models import Erasure
from core.models.base import Base
from core.personal import Personal


def clear(session: Session, member_id: UUID) -> None:
    """Overwrite every column that says something about a person, as the map of what is personal has it."""
    for mapper in Base.registry.mappers:
        table = mapper.local_table
        if not isinstance(table, Table) or (person := personal.person_of(table)) is None:
            continue
        values = {
            mapper.get_property_by_column(column).key: _erased(said)
            for column, said in _personal(table)
            if column.computed is None  # follows by itself
        }
        if values:
            session.execute(update(mapper.class_).where(person == member_id).values(values))


def left(session: Session, member_id: UUID, tables: Collection[Table] | None = None) -> list[str]:
    """Read every such column back; return `table.column` of each in which something else stands than after `clear`.

    Args:
        session: bound to the organization.
        member_id: whose.
        tables: only these; all if not given.
    """
    session.flush()
    found: list[str] = []
    for table, person in personal.about_people(Base.metadata):
        says = list(_personal(table))
        if not says or (tables is not None and table not in tables):
            continue
        differs = {column.name: column.is_distinct_from(_erased(said)) for column, said in says}
        question = select(*(one.label(name) for name, one in differs.items()))
        for row in session.execute(question.where(person == member_id, or_(*differs.values()))).mappings():
            found += [f"{table.name}.{name}" for name, says_something in row.items() if says_something]
    return sorted(set(found))


def overwrite_again(session: Session, erasure: Erasure) -> datetime | None:
    """Overwrite what was written about somebody after they were erased; return when, `None` if there was nothing."""
    if not (written := left(session, erasure.member_id)):
        return None
    logger().error("written_after_erasure", erasure=str(erasure.id), count=len(written))
    locks.whole_person(session, erasure.member_id)
    clear(session, erasure.member_id)
    return now()


def _erased(said: Personal) -> object:
    """What is to stand there; nothing is the database's NULL also in a column of JSON, which has a null of its own."""
    return null() if said.erased is None else said.erased


def _personal(table: Table) -> Iterator[tuple[Column[object], Personal]]:
    for column in table.columns:
        said = personal.declared(column)
        if isinstance(said, Personal):
            yield column, said
