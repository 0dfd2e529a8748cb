"""Tells the workers through Redis that the outbox holds work, and gives back what a dead one had taken.

A message in Redis carries no work, only that a lane has some: who is free then takes what is next
(`core.queue.take`). So whoever comes last is not behind all that was there before, the lists stay short
however much waits, and a Redis that forgot everything is told again within a second.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing

from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from core import locks
from core.connections import postgres_connection
from core.db import Lookup, direct_url, engine
from core.logs import logger
from core.observe import metrics
from core.queue import CHANNEL, CPU_LANES, JOBS, Lane, redis_client

# Messages that wait in a lane at most; what a hundred workers could take between two looks.
WINDOW = 128
# A worker that took work has its lock within milliseconds; older and unlocked means that it died.
LOST_AFTER_SECONDS = 5.0
LOOK_EVERY_SECONDS = 2.0
# Work for later becomes due without a commit that notifies.
WAIT_SECONDS = 1.0
# While workers take from a lane that has more than its window shows, and between two looks at all: 128 messages
# each time are 4,000/s.
PAUSE_SECONDS = 0.03
# On a CPU the longest job, a render of twenty photos on one slow core, takes about two minutes. On a GPU
# it is a whole shoot's pictures, up to eight people at a time.
JOB_TIMEOUT_SECONDS = dict.fromkeys(CPU_LANES, 900) | {Lane.GPU: 7200}
PERFORM = "workers.process.lanes.do_next"


def publish_due() -> int:
    """Tell each lane of what is due, as far as its window goes; return how many messages that took."""
    return _publish()[0]


def _publish() -> tuple[int, bool]:
    """Return how many messages were sent, and whether workers take from a lane that has more than its window shows."""
    due = Lookup.due_outbox(list(JOBS.values()), WINDOW)
    queues = [Queue(lane, connection=redis_client(), serializer=JSONSerializer) for lane in JOBS]
    with redis_client().pipeline(transaction=False) as asking:
        for queue in queues:
            asking.llen(queue.key)
        told = asking.execute()
    sent, more = 0, False
    for lane, queue, waiting, there in zip(JOBS, queues, due, told, strict=True):
        missing = min(waiting, WINDOW) - there
        if missing > 0:
            message = Queue.prepare_data(
                PERFORM,
                args=[lane.value],
                timeout=JOB_TIMEOUT_SECONDS[lane],
                result_ttl=0,
                failure_ttl=0,
                description=lane.value,
            )
            queue.enqueue_many([message] * missing)
            sent += missing
            more = more or waiting >= WINDOW
    return sent, more


def _running() -> set[int]:
    """Return the locks that workers hold; Postgres frees one the moment its worker dies.

    A lock on a 64-bit number has objsubid 1 (PostgreSQL documentation, pg_locks).
    """
    with engine().begin() as connection:
        held = connection.scalars(
            text(
                "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks"
                " WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
        )
        return set(held)


def publish_lost() -> int:
    """Let others take what a worker took and died over; return how much that was.

    To give back once too often does no harm: `workers.process.runner` does the work once.
    """
    taken = Lookup.published_outbox(LOST_AFTER_SECONDS)
    if not taken:
        return 0
    running = _running()
    lost = {
        outbox_id: job
        for outbox_id, job in taken
        if locks.number(locks.Space.WORK, outbox_id.bytes) not in running
    }
    if not lost:
        return 0
    for outbox_id, job in lost.items():
        metrics.REPUBLISHED.inc()
        logger().warning("work_published_again", outbox=str(outbox_id), job=job)
    return Lookup.give_back_outbox(list(lost), LOST_AFTER_SECONDS)


def run(stop: threading.Event) -> None:
    """Relay until `stop` is set: at once when a commit notifies, and every second anyway.

    A Postgres or Redis that does not answer is waited for. What was lost is delivered again within
    `LOST_AFTER_SECONDS + LOOK_EVERY_SECONDS`.
    """
    while not stop.is_set():
        try:
            with closing(postgres_connection(direct_url())) as listener:
                listener.execute(f"LISTEN {CHANNEL}".encode())
                next_look = 0.0
                while not stop.is_set():
                    if time.monotonic() >= next_look:
                        publish_lost()
                        next_look = time.monotonic() + LOOK_EVERY_SECONDS
                    _, more = _publish()
                    if not more:
                        for _ in listener.notifies(timeout=WAIT_SECONDS, stop_after=1):
                            pass
                    stop.wait(PAUSE_SECONDS)
                    for _ in listener.notifies(timeout=0):  # the next look sees all of them
                        pass
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is done while nobody relays
            logger().error("relay_waits", exc_info=error)
            stop.wait(1.0)
