"""Carries committed work from the outbox to Redis, and again if Redis or a worker lost it."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from uuid import UUID

from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import text

from core import locks
from core.connections import postgres_connection
from core.db import Lookup, direct_url, engine
from core.logs import logger
from core.queue import CHANNEL, CPU_LANES, JobName, Lane, lane_of, redis_client

BATCH = 500
# A worker that took a job has its lock within milliseconds; older and unlocked means lost.
LOST_AFTER_SECONDS = 5.0
LOOK_EVERY_SECONDS = 2.0
# Work for later becomes due without a commit that notifies.
WAIT_SECONDS = 1.0
# On a CPU the longest job, a render of twenty photos on one slow core, takes about two minutes. On a GPU
# it is a whole shoot's pictures, up to eight people at a time.
JOB_TIMEOUT_SECONDS = dict.fromkeys(CPU_LANES, 900) | {Lane.GPU: 7200}
PERFORM = "workers.process.runner.perform"


def _publish(outbox_id: UUID, job: str) -> None:
    lane = lane_of(JobName(job))
    queue = Queue(lane, connection=redis_client(), serializer=JSONSerializer)
    queue.enqueue_call(
        PERFORM,
        args=[str(outbox_id)],
        job_id=str(outbox_id),
        timeout=JOB_TIMEOUT_SECONDS[lane],
        result_ttl=0,
        failure_ttl=0,
        description=job,
    )


def publish_due() -> int:
    """Publish everything that is due; return how much that was."""
    published = 0
    while rows := Lookup.claim_outbox(BATCH):
        for outbox_id, job in rows:
            _publish(outbox_id, job)
        published += len(rows)
    return published


def _queued() -> set[str]:
    """Return the ids that wait in Redis.

    The lists count, not a job's status: that still says queued when a worker died right after taking it.
    """
    waiting: set[str] = set()
    for lane in Lane:
        waiting.update(Queue(lane, connection=redis_client(), serializer=JSONSerializer).get_job_ids())
    return waiting


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
    """Publish again what Redis forgot or a dead worker left; return how much that was.

    Publishing once too often does no harm: `workers.process.runner` does the work once.
    """
    rows = Lookup.published_outbox(LOST_AFTER_SECONDS)
    if not rows:
        return 0
    # In this order, so that work taken from the queue in between is seen as running.
    queued = _queued()
    running = _running()
    lost = [
        (outbox_id, job)
        for outbox_id, job in rows
        if str(outbox_id) not in queued and locks.number(locks.Space.WORK, outbox_id.bytes) not in running
    ]
    for outbox_id, job in lost:
        _publish(outbox_id, job)
        logger().warning("work_published_again", outbox=str(outbox_id), job=job)
    return len(lost)


def run(stop: threading.Event) -> None:
    """Relay until `stop` is set: at once when a commit notifies, and every few seconds anyway.

    A Postgres or Redis that does not answer is waited for. What was lost is delivered again within
    `LOST_AFTER_SECONDS + LOOK_EVERY_SECONDS`.
    """
    while not stop.is_set():
        try:
            with closing(postgres_connection(direct_url())) as listener:
                listener.execute(f"LISTEN {CHANNEL}".encode())
                next_look = 0.0
                while not stop.is_set():
                    publish_due()
                    if time.monotonic() >= next_look:
                        publish_lost()
                        next_look = time.monotonic() + LOOK_EVERY_SECONDS
                    for _ in listener.notifies(timeout=WAIT_SECONDS, stop_after=1):
                        pass
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing is done while nobody relays
            logger().error("relay_waits", exc_info=error)
            stop.wait(1.0)
