"""One worker at a time for a piece of work, or for what work is about."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import UUID

from sqlalchemy import Connection, text
from sqlalchemy.exc import SQLAlchemyError

from core import locks
from core.db import direct_engine
from core.logs import logger

_AGAIN_SECONDS: Final = 0.5
_END_SECONDS: Final = 5.0  # for a connection that is being made when the work ends


@contextmanager
def only_one(subject_id: UUID) -> Iterator[bool]:
    """Hold the advisory lock of an outbox row, or of what a job is about, on a connection of its own.

    Yields whether it is ours.

    A connection that is cut while the work goes on frees the lock, and the work of a living worker would seem to
    have lost it. That is noticed at once, and the lock taken again. Should somebody else be faster, the outbox row
    alone decides who was first.
    """
    connection = _connect()
    try:
        mine = locks.take(connection, locks.Space.WORK, subject_id.bytes)
    except BaseException:
        _free(connection)
        raise
    if not mine:
        connection.close()
        yield False
        return
    working, over = socket.socketpair()
    keeping = threading.Thread(
        target=_keep, args=(connection, subject_id, over), name="work lock", daemon=True
    )
    keeping.start()
    try:
        yield True
    finally:
        working.close()
        keeping.join(timeout=_END_SECONDS)


def _connect() -> Connection:
    return direct_engine().connect().execution_options(isolation_level="AUTOCOMMIT")


def _put_away(connection: Connection) -> None:
    """Free the lock and keep the connection for the next work; one that is lost is closed."""
    try:
        locks.give_back(connection)
    except SQLAlchemyError:
        _free(connection)
    else:
        connection.close()


def _free(connection: Connection) -> None:
    """Close the connection for good, which frees its lock, whether or not Postgres still answers."""
    connection.invalidate()
    connection.close()


def _keep(connection: Connection | None, subject_id: UUID, over: socket.socket) -> None:
    """Take the lock again whenever its connection is lost, until the other end of `over` is closed; then free it."""
    try:
        while not _ended(connection, over):
            if connection is not None:
                if _answers(connection):
                    continue
                logger().warning("work_lock_lost")
                _free(connection)
                connection = None
            connection = _taken(subject_id)
    finally:
        if connection is not None:
            _put_away(connection)
        over.close()


def _ended(connection: Connection | None, over: socket.socket) -> bool:
    """Wait until the work is over, or Postgres says something on the connection, which it does when it ends it."""
    if connection is None:
        return bool(select.select([over], [], [], _AGAIN_SECONDS)[0])
    driver = connection.connection.driver_connection
    assert driver is not None
    return over in select.select([over, driver], [], [])[0]


def _answers(connection: Connection) -> bool:
    try:
        connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _taken(subject_id: UUID) -> Connection | None:
    """Return a new connection that holds the lock; `None` where it cannot be had now."""
    try:
        connection = _connect()
    except SQLAlchemyError:
        return None
    try:
        if locks.take(connection, locks.Space.WORK, subject_id.bytes):
            return connection
    except SQLAlchemyError as error:
        logger().warning("work_lock_not_taken", exc_info=error)
    _free(connection)
    return None
