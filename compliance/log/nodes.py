"""Where the Merkle log's hashes are kept: `log_nodes` of the main database."""

from __future__ import annotations

from sqlalchemy.orm import Session

from core.db import organization_of
from core.models import LogNode


class StoredNodes:
    """The hashes of an organization's full subtrees, in `log_nodes`."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._org_id = organization_of(session)
        self._new: dict[tuple[int, int], bytes] = {}

    def get(self, level: int, index: int) -> bytes:
        """Return a subtree's hash."""
        fresh = self._new.get((level, index))
        if fresh is not None:
            return fresh
        return self._session.get_one(LogNode, (self._org_id, level, index)).hash

    def put(self, level: int, index: int, node: bytes) -> None:
        """Keep a subtree's hash; `flush` writes it."""
        self._new[level, index] = node

    def flush(self) -> None:
        """Write what was put."""
        self._session.add_all(
            LogNode(org_id=self._org_id, level=level, position=index, hash=node)
            for (level, index), node in self._new.items()
        )
        self._session.flush()
        self._new.clear()
