"""Which of several schedulers leads: whoever holds one advisory lock, on a connection that does nothing else.

Two would do no harm, since every duty takes its own locks; one is enough. Postgres frees the lock the moment the
leader dies, and within nine seconds (`WATCH`) when its host is lost without a word.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from core import locks
from core.connections import Watch, postgres_engine
from core.db import direct_url
from core.logs import logger

ASK_SECONDS: Final = 1.0  # how often the others ask for the lock, and the leader whether it still has it
WATCH: Final = Watch(idle_seconds=3, probe_seconds=2, probes=3)

Serve = Callable[[threading.Event], None]


def lead(serve: Serve, stop: threading.Event) -> None:
    """Have `serve` run while this process leads, until `stop` is set.

    Args:
        serve: returns soon after its event is set: the lead is lost, or the process is told to end.
        stop: set when the process is to end.
    """
    engine = postgres_engine(
        direct_url(), watch=WATCH, poolclass=NullPool, execution_options={"isolation_level": "AUTOCOMMIT"}
    )
    while not stop.is_set():
        try:
            with engine.connect() as connection:
                if _won(connection, stop):
                    _serve_while_leading(serve, connection, stop)
        except DBAPIError as error:
            logger().error("scheduler_waits", exc_info=error)
            stop.wait(ASK_SECONDS)


def _won(connection: Connection, stop: threading.Event) -> bool:
    """Wait for the lock; return whether it is ours, and not `stop` that ended the wait."""
    while not locks.take(connection, locks.Space.SCHEDULER):
        if stop.wait(ASK_SECONDS):
            return False
    return True


def _serve_while_leading(serve: Serve, connection: Connection, stop: threading.Event) -> None:
    over = threading.Event()
    serving = threading.Thread(target=serve, args=(over,), name="serving", daemon=True)
    logger().info("scheduler_leads")
    serving.start()
    try:
        while not stop.wait(ASK_SECONDS):
            connection.execute(text("SELECT 1"))
    finally:
        over.set()
        serving.join()
