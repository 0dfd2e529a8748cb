"""Runs one piece of owed work: once, however often it is delivered.

Redis delivers at least once. A lock in Postgres, freed by Postgres itself when a worker dies, keeps
two workers from doing the same; the outbox row, marked done in the job's own transaction, keeps a
second delivery from doing it again.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import cast
from uuid import UUID

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import locks
from core.clock import now
from core.consent import ConsentRequired
from core.db import Lookup, direct_engine, transaction
from core.logs import logger
from core.models import Outbox
from core.observe import metrics
from core.observe.metrics import Outcome
from core.queue import JobName
from core.vault import ArtifactGone, KeyErased
from workers.jobs import Job

MAX_ATTEMPTS = 6
BACKOFF_SECONDS = (1, 4, 15, 60, 300)
WORKER_DIED = "worker_died"  # as often as work is tried, without a word


class Permanent(Exception):
    """Trying again cannot help; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class AlreadyDone(Exception):
    """Another delivery of the same work has committed."""


@dataclass(frozen=True)
class JobRun:
    """One delivery of one piece of work."""

    outbox_id: UUID
    org_id: UUID
    subject_id: UUID
    attempt: int

    @contextmanager
    def step(self) -> Iterator[Session]:
        """Open a short transaction before the last one: it reads, or writes what may safely be written twice."""
        with transaction(self.org_id) as session:
            yield session

    @contextmanager
    def finish(self) -> Iterator[Session]:
        """Open the one transaction that commits the result and marks the work as done.

        Raises:
            AlreadyDone: another delivery was faster; the caller's result is dropped.
        """
        with transaction(self.org_id) as session:
            row = session.get_one(Outbox, self.outbox_id, with_for_update={"key_share": True})
            if row.done_at is not None or row.failed_at is not None:
                raise AlreadyDone
            yield session
            row.done_at = now()


def module_of(name: JobName) -> Job:
    """Return the module that does a job: `workers.jobs.<name>`."""
    return cast("Job", importlib.import_module(f"workers.jobs.{name.value}"))


def perform(outbox_id: str) -> None:
    """Do the work of one outbox row. RQ calls this; nothing escapes it, so Redis never sees an error's text.

    When Postgres does not answer, the row stays open and unlocked, and the relay delivers it again.
    """
    try:
        _perform(UUID(outbox_id))
    except DBAPIError as error:
        logger().error("work_left_to_the_relay", outbox=outbox_id, exc_info=error)


def _perform(outbox_id: UUID) -> None:
    found = Lookup.outbox(outbox_id)
    if found is None:
        return
    org_id, name = found
    with only_one(outbox_id) as mine:
        if not mine:
            return
        with transaction(org_id) as session:
            row = session.get_one(Outbox, outbox_id, with_for_update={"key_share": True})
            if row.done_at is not None or row.failed_at is not None:
                return
            # Counted before it is tried, so that work which kills its worker is given up as well.
            row.attempts += 1
            job = JobRun(outbox_id, org_id, row.subject_id, row.attempts)
        if job.attempt > MAX_ATTEMPTS:
            logger().error("job_given_up", job=name, outbox=str(outbox_id), code=WORKER_DIED)
            _give_up(job, module_of(JobName(name)), WORKER_DIED)
            metrics.JOBS.labels(name, Outcome.GIVEN_UP).inc()
            return
        _attempt(job, JobName(name))


def _attempt(job: JobRun, name: JobName) -> None:
    log = logger().bind(job=name.value, outbox=str(job.outbox_id), attempt=job.attempt)
    module = module_of(name)
    started = now()
    try:
        locks.again(lambda: module.run(job))
    except AlreadyDone:
        log.info("job_was_done")
        outcome = Outcome.REPEATED
    except (KeyErased, ArtifactGone, ConsentRequired) as error:
        # The person erased everything or withdrew while this was on its way: there is nothing left to do.
        _give_up(job, module, error.code)
        outcome = Outcome.OVERTAKEN
    except Permanent as error:
        log.warning("job_given_up", code=error.code)
        _give_up(job, module, error.code)
        outcome = Outcome.GIVEN_UP
    except Exception as error:  # whatever it is: retried, then parked with its kind
        log.error("job_failed", exc_info=error)
        if job.attempt >= MAX_ATTEMPTS:
            _give_up(job, module, getattr(error, "code", None) or type(error).__name__)
            outcome = Outcome.GIVEN_UP
        else:
            _try_later(job)
            outcome = Outcome.FAILED
    else:
        log.info("job_done", seconds=round((now() - started).total_seconds(), 2))
        outcome = Outcome.DONE
    metrics.JOBS.labels(name, outcome).inc()
    metrics.JOB_SECONDS.labels(name).observe((now() - started).total_seconds())


def _try_later(job: JobRun) -> None:
    wait = BACKOFF_SECONDS[min(job.attempt, len(BACKOFF_SECONDS)) - 1]
    with transaction(job.org_id) as session:
        row = session.get_one(Outbox, job.outbox_id, with_for_update={"key_share": True})
        row.published_at = None
        row.not_before = now() + timedelta(seconds=wait)


def _give_up(job: JobRun, module: Job, code: str) -> None:
    with transaction(job.org_id) as session:
        row = session.get_one(Outbox, job.outbox_id, with_for_update={"key_share": True})
        row.failed_at = now()
        row.error_code = code[:64]
        module.failed(session, job.subject_id, code)


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
