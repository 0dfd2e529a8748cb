"""Import a confirmed list of people, a few seconds of it, and owe the rest."""

from __future__ import annotations

import time
from uuid import UUID

from sqlalchemy.orm import Session

from core.people import directory
from core.people.roster import Roster
from core.queue import JobName, enqueue
from core.shoots import commits, import_results, imports
from core.vault import vault
from workers.process.runner import JobRun

# So long nobody else gets this worker; to read ten thousand rows anew takes half a second.
SECONDS = 3.0
_TRIES = 3  # of rows whose people somebody else adds at the same moment


def run(job: JobRun) -> None:
    """Go on with the list, some rows a transaction, and leave what takes longer to the next in turn.

    Raises:
        ImportCrossed: the same people are added elsewhere again and again.
    """
    with job.step() as session:
        confirmed = commits.find(session, job.subject_id)
    if confirmed is None:
        with job.finish():
            return
    parsed = commits.read(confirmed)
    until = time.monotonic() + SECONDS
    while (more := _some(job, parsed)) and time.monotonic() < until:
        pass
    if not more:
        _end(job, parsed)
        return
    with job.finish() as session:
        enqueue(session, JobName.IMPORT_ROSTER, job.subject_id)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Say on the page that it stopped; what was done stays, and the rest can be taken up there."""
    commits.give_up(session, subject_id, code)


def _some(job: JobRun, parsed: Roster) -> bool:
    directory.count()
    for _ in range(_TRIES - 1):
        try:
            with job.step() as session:
                return commits.go_on(session, job.subject_id, parsed)
        except imports.ImportCrossed:
            continue  # these rows are judged anew, now that those people are known
    with job.step() as session:
        return commits.go_on(session, job.subject_id, parsed)


def _end(job: JobRun, parsed: Roster) -> None:
    with job.step() as session:
        result = commits.result(session, job.subject_id, parsed)
    if result is None:  # it has stopped
        with job.finish():
            return
    sealed, is_kept = import_results.seal(job.org_id, result), False
    try:
        with job.finish() as session:
            is_kept = commits.finish(session, job.subject_id, sealed)
    finally:
        if not is_kept:
            vault().discard(sealed)
