"""The newest signed head of each log, kept beside the keys: a main database that goes back in time cannot hide it."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.vault.key_tables import LogHead


@dataclass(frozen=True)
class SignedHead:
    """A tree head as it was signed, and all that the tree needs to grow on from it."""

    size: int  # leaves
    peaks: tuple[bytes, ...]  # hashes of the full subtrees, from the left; 32 bytes each
    note: str  # the signed checkpoint


class Heads:
    """Keeps signed heads.

    Args:
        engine: the key store's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self, org_id: UUID) -> SignedHead | None:
        """Return the newest head that is known to be signed for the organization's log."""
        with Session(self._engine) as session:
            row = session.get(LogHead, org_id)
            if row is None:
                return None
            hashes = (row.peaks[start : start + 32] for start in range(0, len(row.peaks), 32))
            return SignedHead(row.size, tuple(hashes), row.note)

    def keep(self, org_id: UUID, head: SignedHead) -> None:
        """Keep a head that was signed; one that is smaller than what is kept changes nothing."""
        kept = insert(LogHead).values(
            org_id=org_id, size=head.size, peaks=b"".join(head.peaks), note=head.note
        )
        with Session(self._engine) as session, session.begin():
            session.execute(
                kept.on_conflict_do_update(
                    index_elements=[LogHead.org_id],
                    set_={name: kept.excluded[name] for name in ("size", "peaks", "note")},
                    where=LogHead.size < kept.excluded.size,
                )
            )
