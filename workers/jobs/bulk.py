"""Do one thing to many people, a few seconds of it, and owe the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from core.people import directory
from core.queue import JobName, enqueue
from core.shoots import bulk, imports, syncs
from core.shoots.bulk import Kind
from core.vault import vault
from workers.process.runner import JobRun

# So long nobody else gets this worker.
SECONDS = 3.0
_TRIES = 3  # of people whom somebody else adds at the same moment

Step = Callable[[Session], bool]


def run(job: JobRun) -> None:
    """Go on, some people a transaction, and leave what takes longer to the next in turn.

    Raises:
        ImportCrossed: the same people are added elsewhere again and again.
    """
    step = _step(job)
    if step is None:
        with job.finish():
            return
    until = time.monotonic() + SECONDS
    while (more := _some(job, step)) and time.monotonic() < until:
        pass
    with job.finish() as session:
        if more:
            enqueue(session, JobName.BULK, job.subject_id)
        elif bulk.find(session, job.subject_id).kind == Kind.SYNC:
            syncs.finish(session, job.subject_id)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Say on the page that it stopped; what was done stays."""
    bulk.give_up(session, subject_id, code)


def _step(job: JobRun) -> Step | None:
    """Return what does the next people; `None` where nothing is left to do."""
    with job.step() as session:
        action = bulk.find(session, job.subject_id)
        if bulk.is_over(action):
            return None
        assert action.kind == Kind.SYNC
        held = vault().find(session, action.id)
    parsed = imports.parse(imports.content_of(held), imports.choice_of(action.choice["read"]))
    rows = syncs.entries(parsed)
    return partial(syncs.go_on, action_id=job.subject_id, rows=rows)


def _some(job: JobRun, step: Step) -> bool:
    directory.count()
    for _ in range(_TRIES - 1):
        try:
            with job.step() as session:
                return step(session)
        except imports.ImportCrossed:
            continue
    with job.step() as session:
        return step(session)
