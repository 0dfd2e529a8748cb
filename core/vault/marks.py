"""The mark that the key store carries: which installation it belongs to, and as of when."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine, inspect
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.vault.key_tables import KeyStoreMark


@dataclass(frozen=True)
class Mark:
    """What each part of an installation carries: whose it is, and as of when."""

    installation: UUID
    generation: UUID


class Marks:
    """Reads and writes the key store's mark.

    Args:
        engine: the key store's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def read(self) -> Mark | None:
        """Return which installation the store says it belongs to, if any."""
        if not inspect(self._engine).has_table(KeyStoreMark.__tablename__):
            return None
        with Session(self._engine) as session:
            row = session.get(KeyStoreMark, True)
            return None if row is None else Mark(row.id, row.generation)

    def write(self, mark: Mark) -> None:
        """Make the store say which installation it belongs to."""
        values = {"id": mark.installation, "generation": mark.generation}
        with Session(self._engine) as session, session.begin():
            written = insert(KeyStoreMark).values(single=True, **values)
            session.execute(written.on_conflict_do_update(index_elements=["single"], set_=values))
