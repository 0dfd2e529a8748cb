"""How a company's lists were read before: a list with the same header is read the same way again."""

from __future__ import annotations

import hashlib
from typing import Final

from sqlalchemy.orm import Session

from core.people import organizations
from core.people.columns import Field
from core.people.roster import Choice, Roster

MOST: Final = 50  # headers; of a company's few exports that is years


def known(session: Session, parsed: Roster, choice: Choice) -> Choice | None:
    """Return what was said about a list with this header before; `None` where nothing was, or something is said now."""
    if choice.columns is not None or choice.has_header is not None or not parsed.columns.has_header:
        return None
    kept = organizations.current(session).list_columns.get(_key(parsed))
    if kept is None:
        return None
    columns = {Field(name): index for name, index in kept.items()}
    return Choice(encoding=choice.encoding, columns=columns, has_header=True)


def keep(session: Session, parsed: Roster, choice: Choice) -> None:
    """Remember what somebody said about a list that was confirmed; the header itself is kept as a hash alone."""
    if choice.columns is None or not parsed.columns.has_header:
        return
    organization = organizations.current(session)
    said = {field.value: index for field, index in choice.columns.items()}
    others = {key: value for key, value in organization.list_columns.items() if key != _key(parsed)}
    newest = list(others.items())[-(MOST - 1) :]
    organization.list_columns = {**dict(newest), _key(parsed): said}


def _key(parsed: Roster) -> str:
    return hashlib.sha256("\x1f".join(parsed.columns.labels).encode()).hexdigest()
