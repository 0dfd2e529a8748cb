"""What every process counts, in one place. Labels are words of the program: never a company, a person or an id.

Names follow Prometheus: base units, `_total` for what only grows. What the database knows is in `core.observe.figures`.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

# Seconds. Pages take milliseconds, a headshot seconds, an image model minutes.
_PAGE_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_JOB_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_WAIT_SECONDS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30)

SHARED_FOLDER: Final = "PROMETHEUS_MULTIPROC_DIR"
MEDIA_TYPE: Final = CONTENT_TYPE_LATEST


class Outcome(StrEnum):
    """How one try of a job ended."""

    DONE = "done"
    REPEATED = "repeated"  # another delivery had done it
    OVERTAKEN = "overtaken"  # its person erased everything or withdrew meanwhile
    FAILED = "failed"  # it is tried again
    GIVEN_UP = "given_up"


class MailOutcome(StrEnum):
    """What became of a mail when the server was asked to take it."""

    SENT = "sent"
    FAILED = "failed"  # it waits and is tried again
    BOUNCED = "bounced"  # the server refuses this recipient


REQUESTS = Counter("headshots_requests", "Requests answered", ["app", "route", "status"])
REQUEST_SECONDS = Histogram(
    "headshots_request_seconds", "Seconds until a response began", ["app", "route"], buckets=_PAGE_SECONDS
)
POOL_WAIT = Histogram(
    "headshots_pool_wait_seconds",
    "Seconds until a database connection was at hand",
    ["database"],
    buckets=_WAIT_SECONDS,
)
PART_ERRORS = Counter("headshots_part_errors", "Failed calls of the storage and the keyring", ["part"])
PART_UP = Gauge(
    "headshots_part_up",
    "Whether a part answers",
    ["part"],
    multiprocess_mode="livemostrecent",  # a process that nobody has asked since knows nothing
)
JOBS = Counter("headshots_jobs", "Tries of jobs that have ended", ["job", "outcome"])
JOB_SECONDS = Histogram(
    "headshots_job_seconds", "Seconds that one try of a job took", ["job"], buckets=_JOB_SECONDS
)
PHOTO_CHECKS = Counter("headshots_photo_checks", "Photos checked", ["outcome"])
PHOTO_ISSUES = Counter("headshots_photo_issues", "What the check found on photos", ["issue"])
GATES = Counter("headshots_gate_results", "Gates that candidates were measured by", ["gate", "outcome"])
CANDIDATES = Counter("headshots_candidates", "Candidates measured", ["engine", "outcome"])
MAILS = Counter("headshots_mails", "Mails handed to the mail server", ["outcome"])
REPUBLISHED = Counter("headshots_republished", "Work delivered again that Redis or a worker lost")
DUTY_SUCCESS = Gauge(
    "headshots_duty_last_success_timestamp_seconds",
    "Unix time when the scheduler last finished a duty",
    ["duty"],
    multiprocess_mode="max",
)
DUTY_FAILURES = Counter("headshots_duty_failures", "Duties of the scheduler that failed", ["duty"])

# Said from the start, so that the first one is an increase.
for _mail in MailOutcome:
    MAILS.labels(_mail.value)
for _part in ("storage", "keyring"):
    PART_ERRORS.labels(_part)


def shared_folder() -> Path | None:
    """Return the folder in which several processes count together; `None` where this one counts alone."""
    named = os.environ.get(SHARED_FOLDER)  # noqa: TID251 - the library's own variable, which it reads while it is imported
    return Path(named) if named else None


@contextmanager
def held(folder: Path, *, exclusive: bool = False) -> Iterator[None]:
    """Keep the files in `folder` together while they are read, or moved: a sum never lacks or doubles one."""
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH)
        yield


def exposition() -> bytes:
    """Return this process's metrics, or those of all processes that count together."""
    folder = shared_folder()
    if folder is None:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together, str(folder))  # type: ignore[no-untyped-call]  # typed only in part
    with held(folder):
        return generate_latest(together)
