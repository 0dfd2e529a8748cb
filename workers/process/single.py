"""One worker at a time for a piece of work, or for what work is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from core import locks
from core.db import direct_engine


@contextmanager
def only_one(subject_id: UUID) -> Iterator[bool]:
    """Hold the advisory lock of an outbox row, or of what a job is about, on a connection of its own.

    Yields whether it is ours.

    If Postgres restarts meanwhile, the lock is gone and the outbox row alone decides who was first.
    """
    connection = direct_engine().connect().execution_options(isolation_level="AUTOCOMMIT")
    try:
        yield locks.take(connection, locks.Space.WORK, subject_id.bytes)
    finally:
        # Closing the connection for good frees the lock, whether or not Postgres still answers.
        connection.invalidate()
        connection.close()
