"""Where the Merkle log's hashes are kept: `log_nodes` of the main database."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import (
    ARRAY,
    BigInteger,
    LargeBinary,
    SmallInteger,
    Uuid,
    func,
    insert,
    literal,
    select,
    tuple_,
)
from sqlalchemy.orm import Session

from compliance.log.merkle import HASH_BYTES, NodeStore
from core.db import organization_of
from core.models import LogNode


class _Asked:
    """Notes which subtrees are asked for, and answers with nothing in particular."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int]] = []

    def get(self, level: int, index: int) -> bytes:
        self.places.append((level, index))
        return bytes(HASH_BYTES)

    def put(self, level: int, index: int, node: bytes) -> None:
        raise NotImplementedError  # a proof keeps no hash


class StoredNodes:
    """The hashes of an organization's full subtrees, in `log_nodes`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._org_id = organization_of(session)
        self._known: dict[tuple[int, int], bytes] = {}
        self._new: list[tuple[int, int]] = []

    def get(self, level: int, index: int) -> bytes:
        """Return a subtree's hash."""
        fresh = self._known.get((level, index))
        if fresh is not None:
            return fresh
        return self._session.get_one(LogNode, (self._org_id, level, index)).hash

    def find(self, place: tuple[int, int]) -> bytes | None:
        """Return a subtree's hash, `None` where there is none."""
        if place not in self._known:
            self.fetch([place])
        return self._known.get(place)

    def prove(self, make: Callable[[NodeStore], list[bytes]]) -> list[bytes]:
        """Return the proof that `make` makes, after reading all that it asks for in one question."""
        asked = _Asked()
        make(asked)
        self.fetch(asked.places)
        return make(self)

    def fetch(self, places: Sequence[tuple[int, int]]) -> None:
        """Read subtrees' hashes, `(level, index)`, in one question, for those who ask for one after the other."""
        wanted = [place for place in places if place not in self._known]
        if not wanted:
            return
        rows = self._session.execute(
            select(LogNode.level, LogNode.position, LogNode.hash).where(
                tuple_(LogNode.level, LogNode.position).in_(wanted)
            )
        )
        self._known.update({(level, index): node for level, index, node in rows})

    def put(self, level: int, index: int, node: bytes) -> None:
        """Keep a subtree's hash; `flush` writes it."""
        self._known[level, index] = node
        self._new.append((level, index))

    def flush(self) -> None:
        """Write what was put, in one statement."""
        if not self._new:
            return
        rows = (
            func.unnest(
                literal([level for level, _ in self._new], ARRAY(SmallInteger)),
                literal([index for _, index in self._new], ARRAY(BigInteger)),
                literal([self._known[place] for place in self._new], ARRAY(LargeBinary)),
            )
            .table_valued("level", "position", "hash", name="made")
            .render_derived()
        )
        self._session.execute(
            insert(LogNode).from_select(
                ["org_id", "level", "position", "hash"],
                select(literal(self._org_id, Uuid), rows.c.level, rows.c.position, rows.c.hash),
            )
        )
        self._new.clear()
