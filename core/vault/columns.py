"""Sealing what rows say of a face, and opening it: AES-256-GCM under the key of whose it is.

Where the row was measured on a stored picture, that one's own key is needed as well, so the values end with the picture:
retention and a consent that was taken back are as final for them as erasure. Keys are asked for many rows at once.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import event, inspect
from sqlalchemy.orm import Session, UOWTransaction, object_session

from core.db import is_sealing
from core.ids import new_id
from core.models.sealed import TO_SEAL, SealedRow
from core.vault.crypto import joined, open_sealed, seal
from core.vault.vault import vault

_NONE = UUID(int=0)  # in the place of a picture's key, where the person's alone seals


def _associated(row: SealedRow, picture: UUID) -> bytes:
    return (
        row.org_id.bytes + row.owner_id.bytes + row.id.bytes + picture.bytes + str(row.__tablename__).encode()
    )


def _key(keys: dict[UUID, bytes], owner_id: UUID, picture: UUID) -> bytes:
    return keys[owner_id] if picture == _NONE else joined(keys[owner_id], keys[picture])


def seal_rows(rows: Collection[SealedRow]) -> None:
    """Seal what is opened of rows; one that says nothing holds nothing.

    Raises:
        KeyErased: somebody whose row it is has been erased.
    """
    for row in rows:
        if not inspect(row).has_identity and vars(row).get("id") is None:
            row.id = new_id()
        if all(row.opened().get(one.name) in (None, one.nothing()) for one in row.sealed_values()):
            row.sealed = None
    rows = [row for row in rows if row.sealed is not None]
    pictures = {row.id: row.picture(row.opened()) or _NONE for row in rows}
    keys = vault().keys.living({row.owner_id for row in rows} | set(pictures.values()))
    without = {row.owner_id for row in rows} - keys.keys()
    if without:
        keys |= vault().keys.create(without)
    for row in rows:
        values = row.opened()
        # A picture from before they had keys of their own has none.
        picture = pictures[row.id] if pictures[row.id] in keys else _NONE
        content = json.dumps(values, separators=(",", ":")).encode()
        key = _key(keys, row.owner_id, picture)
        sealed = picture.bytes + seal(key, content, _associated(row, picture))
        row.keep_opened(sealed, values)
        row.sealed = sealed


def open_rows(rows: Sequence[SealedRow]) -> None:
    """Open rows; one whose key is gone says nothing any more."""
    found = [(row, row.sealed) for row in rows if row.sealed is not None]
    pictures = {sealed[:16] for _, sealed in found}
    keys = vault().keys.living({row.owner_id for row, _ in found} | {UUID(bytes=one) for one in pictures})
    for row, sealed in found:
        picture = UUID(bytes=sealed[:16])
        if row.owner_id not in keys or (picture != _NONE and picture not in keys):
            row.keep_opened(sealed, {})
            continue
        content = open_sealed(_key(keys, row.owner_id, picture), sealed[16:], _associated(row, picture))
        row.keep_opened(sealed, json.loads(content))


def _open_around(row: SealedRow) -> None:
    """Open a row, and with it all others that its session has read."""
    session = object_session(row)
    rows = [row]
    if session is not None:
        rows += [
            one
            for one in session
            if isinstance(one, SealedRow) and one is not row and "sealed" in vars(one) and not one.is_opened()
        ]
    open_rows(rows)


SealedRow.opener = staticmethod(_open_around)


@event.listens_for(Session, "before_flush")
def _seal_before_flush(session: Session, _context: UOWTransaction, _instances: object) -> None:
    rows = [one for one in (*session.new, *session.dirty) if isinstance(one, SealedRow)]
    if not rows:
        return
    if is_sealing(session):
        waiting = [one for one in rows if one.sealed == TO_SEAL or _moved(one)]
        if waiting:
            seal_rows(waiting)
        return
    for row in rows:
        if row.sealed == TO_SEAL:
            for one in row.sealed_values():
                setattr(row, one.plain, row.opened().get(one.name, one.nothing()))
            row.sealed = None


def _moved(row: SealedRow) -> bool:
    """Whether the picture is another one now, while what was measured stays."""
    if row.measured_on is None or row.sealed is None:
        return False
    return bool(inspect(row).attrs[row.measured_on].history.has_changes()) and bool(row.opened())
