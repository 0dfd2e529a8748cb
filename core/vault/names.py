"""Sealing who people are into `members`, whenever what stands in the directory changes, and opening it.

AES-256-GCM under the person's key, bound to company and person. Nothing else writes `Person.sealed`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import event, inspect, select
from sqlalchemy.orm import Session, UOWTransaction

from core import locks
from core.db import is_sealing
from core.ids import new_id
from core.models.member import DIRECTORY, NAMES, Member
from core.vault.crypto import open_sealed, seal
from core.vault.vault import vault

Names = dict[str, str | None]


def _associated(org_id: UUID, member_id: UUID) -> bytes:
    return org_id.bytes + member_id.bytes + b"members"


def sealed(org_id: UUID, member_id: UUID, names: Names, key: bytes) -> bytes:
    """Return a person's names under their key."""
    return seal(key, json.dumps(names, separators=(",", ":")).encode(), _associated(org_id, member_id))


def opened(org_id: UUID, member_id: UUID, content: bytes, key: bytes) -> Names:
    """Return what `sealed` sealed.

    Raises:
        CannotOpen: it is somebody else's, or was changed.
    """
    names: Names = json.loads(open_sealed(key, content, _associated(org_id, member_id)))
    return {name: names.get(name) for name in NAMES}


@event.listens_for(Session, "before_flush")
def _seal_before_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    new = [one for one in session.new if isinstance(one, Member)]
    changed = {
        one.id: one
        for one in session.dirty
        if isinstance(one, Member) and not _changes(one).isdisjoint(NAMES)
    }
    for one in new:
        if vars(one).get("id") is None:
            one.id = new_id()
        one.walled_by = one.org_id
    names = {one.id: {name: getattr(one, name) for name in NAMES} for one in new}
    for member_id, stands in _standing(session, changed).items():
        now = changed[member_id]
        names[member_id] = stands | {name: getattr(now, name) for name in _changes(now) & set(NAMES)}
    people = [one for one in (*new, *changed.values()) if one.id in names]
    if people:
        _write(people, names, sealing=is_sealing(session))


def _changes(member: Member) -> set[str]:
    return {one.key for one in inspect(member).attrs if one.history.has_changes()}


def _standing(session: Session, changed: Iterable[UUID]) -> dict[UUID, Names]:
    """Lock people, and return what stands in the directory: somebody else may have changed another part of it."""
    ids = sorted(changed)
    if not ids:
        return {}
    locks.names(session, ids)
    columns = DIRECTORY.c
    rows = session.execute(select(*(columns[name] for name in ("id", *NAMES))).where(columns.id.in_(ids)))
    return {row.id: {name: getattr(row, name) for name in NAMES} for row in rows}


def _write(people: list[Member], names: Mapping[UUID, Names], *, sealing: bool) -> None:
    said = [one for one in people if any(names[one.id].values())]
    keys: dict[UUID, bytes] = {}
    if sealing and said:
        keys = vault().keys.living([one.id for one in said])
        if without := [one.id for one in said if one.id not in keys]:
            keys |= vault().keys.create(without)
    for one in people:
        now = names[one.id]
        one.sealed = sealed(one.org_id, one.id, now, keys[one.id]) if one.id in keys else None
        for name, value in now.items():
            before = None if sealing else value
            if before is not None or inspect(one).has_identity:
                setattr(one, f"plain_{name}", before)
