"""Who asks and what they wrote: sealed in the request's row until it is closed.

Under the person's key, so that it ends with them; where nobody is known under a key of the request's own.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from uuid import UUID

from sqlalchemy import event
from sqlalchemy.orm import Session

from core.logs import logger
from core.models import SubjectRequest
from core.vault import vault
from core.vault.crypto import open_sealed, seal


@dataclass(frozen=True)
class Words:
    """What only the person, and who answers them, may read.

    Attributes:
        address: where answers go, of somebody without a record here.
        name: what they call themselves.
        agent: who asks on their behalf, and in which role.
        text: what they wrote.
        code_to: where an agent’s code went.
        notes: what the company added to its answers, by the event's id.
        told: names of processors who were told, in the order of the row's times.
    """

    address: str = ""
    name: str = ""
    agent: str = ""
    text: str = ""
    code_to: str = ""
    notes: dict[str, str] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)


def owner_of(row: SubjectRequest) -> UUID:
    """Return whose key seals a request."""
    return row.member_id or row.id


def _associated(row: SubjectRequest) -> bytes:
    return row.org_id.bytes + owner_of(row).bytes + row.id.bytes + b"subject_requests"


def put(row: SubjectRequest, words: Words) -> None:
    """Seal words into a row.

    Raises:
        KeyErased: the person has been erased.
    """
    owner = owner_of(row)
    key = vault().keys.create([owner])[owner]
    row.sealed = seal(key, json.dumps(asdict(words), separators=(",", ":")).encode(), _associated(row))


def read_all(rows: Sequence[SubjectRequest]) -> dict[UUID, Words]:
    """Return the words of rows by their ids; nothing of a row whose key or words are gone."""
    keys = vault().keys.living({owner_of(row) for row in rows if row.sealed is not None})
    return {
        row.id: Words(**json.loads(open_sealed(keys[owner_of(row)], row.sealed, _associated(row))))
        for row in rows
        if row.sealed is not None and owner_of(row) in keys
    }


def read(row: SubjectRequest) -> Words:
    """Return a row's words; empty where they are gone."""
    return read_all([row]).get(row.id, Words())


def forget(session: Session, row: SubjectRequest) -> None:
    """Take the words out of a row; with the commit its own key goes too, where it has one."""
    had, row.sealed = row.sealed is not None, None
    if had and row.member_id is None:
        _forget_key(session, row.id)


def adopt(session: Session, row: SubjectRequest, member_id: UUID) -> None:
    """Say whose request it is, and seal it under their key instead of its own."""
    words = read(row)
    row.member_id = member_id
    put(row, words)
    _forget_key(session, row.id)


def _forget_key(session: Session, key: UUID) -> None:
    @event.listens_for(session, "after_commit", once=True)
    def destroy(_: Session) -> None:
        try:
            vault().keys.forget([key])
        except Exception as error:  # noqa: BLE001 - the bytes are gone from the row; the sweep of unused keys has the key
            logger().error("request_key_left", request=str(key), exc_info=error)
