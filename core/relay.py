"""Carries committed work from the outbox to Redis, and again if Redis or a worker lost it."""

from __future__ import annotations

import threading
from contextlib import closing
from uuid import UUID

import psycopg
import redis
from rq import Queue
from rq.exceptions import NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from core.db import Lookup, engine
from core.logs import logger
from core.queue import CHANNEL, JobName, lane_of, redis_client
from core.settings import settings

BATCH = 500
# A worker that took a job has its lock within milliseconds; older and unlocked means lost.
LOST_AFTER_SECONDS = 5.0
LOOK_EVERY_SECONDS = 5.0
# The longest job, a render of twenty photos on one slow core, takes about two minutes.
JOB_TIMEOUT_SECONDS = 900
PERFORM = "workers.runner.perform"


def lock_number(outbox_id: UUID) -> int:
    """Return the advisory lock that a worker holds while it runs this work (signed 64 bits)."""
    return int.from_bytes(outbox_id.bytes[8:], signed=True)


def _publish(outbox_id: UUID, job: str) -> None:
    queue = Queue(lane_of(JobName(job)), connection=redis_client(), serializer=JSONSerializer)
    queue.enqueue_call(
        PERFORM,
        args=[str(outbox_id)],
        job_id=str(outbox_id),
        timeout=JOB_TIMEOUT_SECONDS,
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


def _waits_in_redis(outbox_id: UUID) -> bool:
    try:
        job = Job.fetch(str(outbox_id), connection=redis_client(), serializer=JSONSerializer)
    except NoSuchJobError:
        return False
    return str(job.get_status(refresh=False)) in ("queued", "JobStatus.QUEUED")


def _is_running(connection: Connection, outbox_id: UUID) -> bool:
    """A worker holds the row's lock while it works; Postgres frees it the moment the worker dies."""
    number = lock_number(outbox_id)
    free = connection.execute(text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar_one()
    if free:
        connection.execute(text("SELECT pg_advisory_unlock(:n)"), {"n": number})
    return not free


def publish_lost() -> int:
    """Publish again what Redis forgot or a dead worker left; return how much that was."""
    lost = 0
    rows = Lookup.published_outbox(LOST_AFTER_SECONDS, BATCH)
    if not rows:
        return 0
    with engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for outbox_id, job in rows:
            if not _waits_in_redis(outbox_id) and not _is_running(connection, outbox_id):
                _publish(outbox_id, job)
                lost += 1
                logger().warning("work_published_again", outbox=str(outbox_id), job=job)
    return lost


def run(stop: threading.Event) -> None:
    """Relay until `stop` is set: at once when a commit notifies, and every few seconds anyway.

    A Postgres or Redis that does not answer is waited for.
    """
    address = settings().database_url.get_secret_value().replace("postgresql+psycopg://", "postgresql://")
    while not stop.is_set():
        try:
            with closing(psycopg.connect(address, autocommit=True)) as listener:
                listener.execute(f"LISTEN {CHANNEL}".encode())
                while not stop.is_set():
                    publish_due()
                    publish_lost()
                    for _ in listener.notifies(timeout=LOOK_EVERY_SECONDS / 5, stop_after=1):
                        pass
        except (psycopg.OperationalError, DBAPIError, redis.RedisError) as error:
            logger().warning("relay_waits", exc_info=error)
            stop.wait(1.0)
