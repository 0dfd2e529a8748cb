"""What pages and workers do with a list of people, done in the process of a benchmark."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from core import audit
from core.db import transaction
from core.models import Shoot
from core.people import directory, roster
from core.shoots import commits, import_results, imports


def send(org_id: UUID, content: bytes) -> UUID:
    """Have a list judged for the company's one shoot, and return its number."""
    with transaction(org_id) as session:
        shoot = session.scalars(select(Shoot)).one()
        imports.first_look(session, shoot, content)
    sealed = imports.seal(org_id, shoot.id, content)
    with transaction(org_id) as session:
        return imports.keep(session, sealed)


def confirm(org_id: UUID, import_id: UUID) -> None:
    """Owe the import of a list that was sent."""
    with transaction(org_id) as session:
        shoot_id = session.scalars(select(Shoot.id)).one()
        held = commits.file_of(session, shoot_id, import_id)
    assert held is not None
    content = imports.read(held, shoot_id)
    with transaction(org_id) as session:
        commits.start(session, shoot_id, import_id, roster.Choice(), content, actor=audit.SYSTEM)


def import_all(org_id: UUID, import_id: UUID) -> None:
    """Do what a worker does with a confirmed list."""
    with transaction(org_id) as session:
        confirmed = commits.find(session, import_id)
    assert confirmed is not None
    parsed = commits.read(confirmed)
    more = True
    while more:
        directory.count()
        with transaction(org_id) as session:
            more = commits.go_on(session, import_id, parsed)
    with transaction(org_id) as session:
        result = commits.result(session, import_id, parsed)
    assert result is not None
    sealed = import_results.seal(org_id, result)
    with transaction(org_id) as session:
        commits.finish(session, import_id, sealed)
