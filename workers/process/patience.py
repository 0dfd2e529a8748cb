"""How long a worker waits: for work that hangs, and for a database that is away."""

from __future__ import annotations

import faulthandler
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from rq import get_current_job
from rq.timeouts import JobTimeoutException, UnixSignalDeathPenalty
from sqlalchemy.exc import DBAPIError

# RQ ends a job with a signal, which Python sees between two of its own steps. One that hangs in native code never
# sees it: this much later, a share of the time it had, the process ends. At least the time to note how it went.
_NATIVE_SHARE: Final = 0.1
_LEAST_GRACE_SECONDS: Final = 5.0
# Of its time in a worker, what work gets alone: five times as long as the longest job on a CPU.
_ALONE_SHARE: Final = 2 / 3
_USUAL_SECONDS: Final = 900.0  # where no queue says how long
_NOTE_SECONDS: Final = 20.0  # Postgres restarts within this; after it the relay finds the work by itself


class TimeIsUp(BaseException):
    """A job's time is over.

    No `Exception`: it comes wherever the job happens to be, and whatever there makes do with one file's or one
    library's failure must not take it for that and go on.
    """


class Limit(UnixSignalDeathPenalty):  # type: ignore[misc]  # RQ's types are not followed
    """RQ's limit of a job's time, the end of which is `TimeIsUp`."""

    def __init__(self, timeout: int, exception: type[BaseException], **named: Any) -> None:
        super().__init__(timeout, TimeIsUp if exception is JobTimeoutException else exception, **named)


def _limit() -> float | None:
    """Return how many seconds the queue gives the job at hand; `None` outside of a queue."""
    job = get_current_job()
    return float(job.timeout) if job is not None and job.timeout else None


def seconds_alone() -> float:
    """Return how long the work at hand may take in a process of its own."""
    return (_limit() or _USUAL_SECONDS) * _ALONE_SHARE


@contextmanager
def until_killed() -> Iterator[None]:
    """End this process, where the block hangs so that not even the queue's signal reaches it.

    What it was doing is written as places in the code, without values.
    """
    limit = _limit()
    if limit is None:
        yield
        return
    ends = limit + max(limit * _NATIVE_SHARE, _LEAST_GRACE_SECONDS)
    faulthandler.dump_traceback_later(ends, exit=True, file=sys.__stderr__ or sys.stderr)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()


def when_postgres_answers(note: Callable[[], None]) -> None:
    """Write a note once the database takes it, within `_NOTE_SECONDS`; otherwise nobody writes it."""
    ends = time.monotonic() + _NOTE_SECONDS
    while time.monotonic() < ends:
        try:
            note()
        except DBAPIError:
            time.sleep(1)
        else:
            return
