"""Which of several schedulers leads: whoever holds one advisory lock, on a connection that does nothing else.

Two would do no harm, since every duty takes its own locks; one is enough. Postgres frees the lock the moment the
leader dies, and within nine seconds (`WATCH`) when its host is lost without a word.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from typing import Final

import psycopg

from core import locks
from core.connections import Watch, postgres_connection
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
    while not stop.is_set():
        try:
            with closing(postgres_connection(direct_url(), WATCH)) as connection:
                if _won(connection, stop):
                    _serve_while_leading(serve, connection, stop)
        except psycopg.Error as error:
            logger().error("scheduler_waits", exc_info=error)
            stop.wait(ASK_SECONDS)


def _won(connection: psycopg.Connection, stop: threading.Event) -> bool:
    """Wait for the lock; return whether it is ours, and not `stop` that ended the wait."""
    number = locks.number(locks.Space.SCHEDULER)
    while True:
        row = connection.execute("SELECT pg_try_advisory_lock(%s)", (number,)).fetchone()
        if row is not None and row[0]:
            return True
        if stop.wait(ASK_SECONDS):
            return False


def _serve_while_leading(serve: Serve, connection: psycopg.Connection, stop: threading.Event) -> None:
    over = threading.Event()
    serving = threading.Thread(target=serve, args=(over,), name="serving", daemon=True)
    logger().info("scheduler_leads")
    serving.start()
    try:
        while not stop.wait(ASK_SECONDS):
            connection.execute("SELECT 1")
    finally:
        over.set()
        serving.join()
