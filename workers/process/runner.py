"""Runs one piece of owed work: once, however often it is delivered.

Redis delivers at least once. A lock in Postgres, freed by Postgres itself when a worker dies, keeps
two workers from doing the same; the outbox row, marked done in the job's own transaction, keeps a
second delivery from doing it again.

How a try ended is told apart: something outside was away (`core.outages`; it waits), the work failed (given up and
told after some tries, unless it is promised to somebody), or it took its worker along (`workers.process.alone`).
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import Final, cast
from uuid import UUID

from sqlalchemy import DateTime, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from core import locks, outages, owed
from core.clock import now
from core.consent import ConsentRequired
from core.db import Lookup, transaction
from core.logs import logger
from core.models import Outbox
from core.observe import metrics, tracing
from core.observe.metrics import Outcome
from core.queue import JobName, Lane, lane_of
from core.vault import ArtifactGone, KeyErased
from workers.jobs import Job
from workers.process import alone, leaving, patience
from workers.process.alone import Death
from workers.process.single import only_one
from workers.process.traces import traced

MAX_ATTEMPTS: Final = 6  # of work that somebody can start again themselves
# Of whole workers, after which work gets its answer although none was seen to be its fault: deploys kill no five.
LAST_DEATH: Final = 5
# A second image model does not fit beside the worker's own, so such work never runs alone; the studio takes over.
LAST_DEATH_ON_GPU: Final = 3
ALARM_SECONDS: Final = 600.0  # of work that does not work, until each further try says so as an error


class Permanent(Exception):
    """Trying again cannot help; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class NotYet(Exception):
    """It is not this work's turn for some seconds; nobody waits for that, and it is no try."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class AlreadyDone(Exception):
    """Another delivery of the same work has committed."""


@dataclass(frozen=True)
class JobRun:
    """One delivery of one piece of work."""

    outbox_id: UUID
    org_id: UUID
    subject_id: UUID
    attempt: int  # from 1; a try that found something outside away is not counted

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
            row.started_at = row.error_code = None


class How(Enum):
    """How a try ended."""

    DONE = auto()
    GONE = auto()  # whom it was about has left, or taken back their consent
    REFUSED = auto()  # for good
    AWAY = auto()  # something outside was
    FAILED = auto()
    PUT_BACK = auto()  # until it is its turn
    DIED = auto()  # it took its worker along, or would have


@dataclass(frozen=True)
class _End:
    how: How
    code: str = ""


@dataclass(frozen=True)
class _Taken:
    """Work that a worker has, and what happened to it before."""

    job: JobRun
    name: JobName
    deaths: int
    died_now: bool  # the worker that had it last is gone
    away: str | None  # what it waited for

    @property
    def may_end(self) -> bool:
        """Whether it may be given up although nobody has found it impossible."""
        return self.name not in owed.UNTIL_DONE

    @property
    def on_gpu(self) -> bool:
        """Whether it needs the image model that its worker holds."""
        return lane_of(self.name) is Lane.GPU

    @property
    def died_too_often(self) -> bool:
        """Whether its workers died so often that it gets an answer, or at least a pause."""
        return self.died_now and self.deaths >= (LAST_DEATH_ON_GPU if self.on_gpu else LAST_DEATH)


def module_of(name: JobName) -> Job:
    """Return the module that does a job: `workers.jobs.<name>`."""
    return cast("Job", importlib.import_module(f"workers.jobs.{name.value}"))


@traced
def perform(outbox_id: str, org_id: UUID | None = None) -> None:
    """Do the work of one outbox row. Nothing escapes it, so Redis never sees an error's text.

    When Postgres does not answer, the row stays open and unlocked, and the relay delivers it again.

    Args:
        outbox_id: the row's.
        org_id: its company, where that is known.
    """
    with patience.until_killed():
        try:
            _perform(UUID(outbox_id), org_id)
        except (DBAPIError, alone.LeftUndone) as error:
            logger().error("work_left_to_the_relay", outbox=outbox_id, exc_info=error)


def _perform(outbox_id: UUID, org_id: UUID | None) -> None:
    if org_id is None:
        if (found := Lookup.outbox(outbox_id)) is None:
            return
        org_id, _ = found
    with only_one(outbox_id) as mine:
        taken = _take(outbox_id, org_id) if mine else None
        if taken is None:
            return
        try:
            with leaving.at_hand(outbox_id, taken.job.org_id):
                _do(taken)
        except (SystemExit, KeyboardInterrupt):
            _put_back(taken.job)
            raise
        except (DBAPIError, alone.LeftUndone) as error:
            part = outages.part_of(error) or outages.Part.OTHER
            patience.when_postgres_answers(lambda: _later(taken, part, outage=True))
            raise


def _take(outbox_id: UUID, org_id: UUID) -> _Taken | None:
    """Note, in a transaction of its own, that this worker has the work now; `None` if it is over.

    Whoever comes while that note stands and no lock is held knows that the worker died. A restart of Postgres
    frees the locks of living workers, so it tells nothing; one that is told to stop takes its note back.
    """
    # A crash of the server that forgets this note is none of a worker.
    with transaction(org_id, durable=False) as session:
        row = session.get_one(Outbox, outbox_id, with_for_update={"key_share": True})
        if row.done_at is not None or row.failed_at is not None:
            return None
        died = row.started_at is not None and _postgres_began(session) < row.started_at
        if died:
            row.deaths += 1
            _note_failure(row, Death.DIED)
            logger().error("worker_died", job=row.job, outbox=str(outbox_id), count=row.deaths)
        row.started_at = now()
        return _Taken(
            JobRun(outbox_id, org_id, row.subject_id, row.attempts + 1),
            JobName(row.job),
            row.deaths,
            died,
            row.error_code if row.outages else None,
        )


def _postgres_began(session: Session) -> datetime:
    return session.scalars(select(func.pg_postmaster_start_time(type_=DateTime(timezone=True)))).one()


def _do(taken: _Taken) -> None:
    if taken.died_too_often:
        if taken.may_end:
            _give_up(taken, Death.DIED)
        else:
            _later(taken, Death.DIED)
    elif taken.deaths >= owed.ALONE_AFTER and not taken.on_gpu:
        death = alone.run(taken.job.outbox_id, patience.seconds_alone())
        if death is not None:
            _settle(taken, _End(How.DIED, death), was_alone=True)
    else:
        _settle(taken, _try(taken))


def perform_alone(outbox_id: UUID) -> None:
    """Do work that another process holds the lock of, and note how it went; see `workers.process.alone`.

    Raises:
        MemoryError: it took more than it may; nothing is noted.
        DBAPIError: it could not be noted how it went.
    """
    found = Lookup.outbox(outbox_id)
    if found is None:
        return
    org_id, name = found
    with transaction(org_id) as session:
        row = session.get_one(Outbox, outbox_id)
        job = JobRun(outbox_id, org_id, row.subject_id, row.attempts + 1)
        taken = _Taken(job, JobName(name), row.deaths, died_now=False, away=None)
    end = _try(taken)
    if end.how is How.DIED:
        raise MemoryError
    _settle(taken, end, was_alone=True)


def _try(taken: _Taken) -> _End:
    job = taken.job
    log = logger().bind(job=taken.name.value, outbox=str(job.outbox_id), attempt=job.attempt)
    started = now()
    try:
        locks.again(lambda: module_of(taken.name).run(job))
    except AlreadyDone:
        log.info("job_was_done")
        _count(taken, Outcome.REPEATED)
    except (KeyErased, ArtifactGone, ConsentRequired) as error:
        # The person erased everything or withdrew while this was on its way: there is nothing left to do.
        return _End(How.GONE, error.code)
    except NotYet as error:
        _put_back(job, error.seconds)
        return _End(How.PUT_BACK)
    except Permanent as error:
        return _End(How.REFUSED, error.code)
    except patience.TimeIsUp as error:
        log.error("job_timed_out", exc_info=error)
        part = outages.waited_for(error)
        return _End(How.AWAY, part) if part else _End(How.DIED, Death.TIMED_OUT)
    except MemoryError as error:
        log.error("job_out_of_memory", exc_info=error)
        return _End(How.DIED, Death.OUT_OF_MEMORY)
    except Exception as error:  # whatever it is: retried, then given up with its kind
        if part := outages.part_of(error):
            log.warning("job_met_an_outage", code=part.value, exc_info=error)
            return _End(How.AWAY, part)
        log.error("job_failed", exc_info=error)
        return _End(How.FAILED, getattr(error, "code", None) or type(error).__name__)
    else:
        log.info("job_done", seconds=round((now() - started).total_seconds(), 2))
        _count(taken, Outcome.DONE)
    finally:
        metrics.JOB_SECONDS.labels(taken.name.value).observe((now() - started).total_seconds())
    return _End(How.DONE)


def _settle(taken: _Taken, end: _End, *, was_alone: bool = False) -> None:
    """Note how a try ended, and what follows from it."""
    if end.how is How.PUT_BACK:
        return
    if end.how is How.DONE:
        if taken.away is not None:
            _wake(taken)
    elif end.how is How.AWAY:
        _later(taken, end.code, outage=True)
    elif end.how is How.GONE and taken.name not in owed.DELETIONS:
        _give_up(taken, end.code, outcome=Outcome.OVERTAKEN)
    elif end.how is How.REFUSED:
        _give_up(taken, end.code)
    elif end.how is How.DIED:
        enough = was_alone or (taken.on_gpu and taken.deaths + 1 >= LAST_DEATH_ON_GPU)
        if enough and taken.may_end:
            _give_up(taken, end.code, death=True)
        else:
            _later(taken, end.code, death=True)
    elif taken.may_end and taken.job.attempt >= MAX_ATTEMPTS:
        _give_up(taken, end.code, attempt=True)
    else:
        _later(taken, end.code, attempt=True)


def _later(
    taken: _Taken, code: str, *, outage: bool = False, attempt: bool = False, death: bool = False
) -> None:
    """Have it tried again after a pause, and count why; say so aloud when that goes on."""
    with transaction(taken.job.org_id) as session:
        row = session.get_one(Outbox, taken.job.outbox_id, with_for_update={"key_share": True})
        if row.done_at is not None or row.failed_at is not None:
            return
        row.outages += outage
        row.attempts += attempt
        row.deaths += death
        row.published_at = row.started_at = None
        since = _note_failure(row, code)
        tries = row.outages + row.attempts + row.deaths
        row.not_before = now() + owed.pause(taken.name, tries)
    _count(taken, Outcome.FAILED)
    seconds = (now() - since).total_seconds()
    if seconds >= ALARM_SECONDS:
        logger().error(
            "work_keeps_failing",
            job=taken.name.value,
            outbox=str(taken.job.outbox_id),
            code=code,
            count=tries,
            seconds=round(seconds),
        )


def _note_failure(row: Outbox, code: str) -> datetime:
    """Note why it does not work, and return since when."""
    row.error_code = code[:64]
    row.first_failed_at = row.first_failed_at or now()
    return row.first_failed_at


def _give_up(
    taken: _Taken,
    code: str,
    *,
    attempt: bool = False,
    death: bool = False,
    outcome: Outcome = Outcome.GIVEN_UP,
) -> None:
    """End it with an answer to whoever waits.

    An answer that cannot be written is tried again with the work.
    """
    logger().error("job_given_up", job=taken.name.value, outbox=str(taken.job.outbox_id), code=code)
    try:
        with transaction(taken.job.org_id) as session:
            row = session.get_one(Outbox, taken.job.outbox_id, with_for_update={"key_share": True})
            if row.done_at is not None or row.failed_at is not None:
                return
            row.attempts += attempt
            row.deaths += death
            row.failed_at = now()
            row.started_at = None
            _note_failure(row, code)
            module_of(taken.name).failed(session, taken.job.subject_id, code)
    except DBAPIError:
        raise
    except Exception as error:  # noqa: BLE001 - nobody may be left without an answer
        logger().error("answer_not_written", job=taken.name.value, exc_info=error)
        part = outages.part_of(error)
        _later(taken, part or code, outage=part is not None, attempt=part is None)
    else:
        _count(taken, outcome)


def _count(taken: _Taken, outcome: Outcome) -> None:
    metrics.JOBS.labels(taken.name.value, outcome).inc()
    tracing.describe({"headshots.outcome": outcome.value})


def _put_back(job: JobRun, seconds: float = 0.0) -> None:
    """Hand back what this worker has to leave before it is done, which is nobody's death, for so long at least."""
    with transaction(job.org_id) as session:
        row = session.get_one(Outbox, job.outbox_id, with_for_update={"key_share": True})
        if row.done_at is None and row.failed_at is None:
            row.published_at = row.started_at = None
            row.not_before = (
                max(row.not_before, now() + timedelta(seconds=seconds)) if seconds else row.not_before
            )


def _wake(taken: _Taken) -> None:
    """What was away answers again: whatever else of this company waits for it goes on at once."""
    assert taken.away is not None
    with transaction(taken.job.org_id) as session:
        woken = owed.wake(session, taken.away)
    if woken:
        logger().info("outage_over", code=taken.away, count=woken)
