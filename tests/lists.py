"""A list of people as pages send it into a shoot and confirm it."""

from __future__ import annotations

from uuid import UUID

from core import audit
from core.db import transaction
from core.people.roster import Choice
from core.shoots import commits, imports, shoots


def sent(org: UUID, shoot_id: UUID, content: bytes) -> UUID:
    """Have a list judged and kept, and return its number."""
    with transaction(org) as session:
        imports.first_look(session, shoots.get(session, shoot_id), content)
    sealed = imports.seal(org, shoot_id, content)
    with transaction(org) as session:
        return imports.keep(session, sealed)


def confirmed(org: UUID, shoot_id: UUID, content: bytes) -> UUID:
    """Send a list and owe its import, and return its number."""
    import_id = sent(org, shoot_id, content)
    with transaction(org) as session:
        held = commits.file_of(session, shoot_id, import_id)
    assert held is not None
    content = imports.read(held, shoot_id)
    with transaction(org) as session:
        commits.start(session, shoot_id, import_id, Choice(), content, actor=audit.SYSTEM)
    return import_id
