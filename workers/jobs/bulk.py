"""Do one thing to many people, a few seconds of it, and owe the rest."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from compliance import erasure
from compliance.erasure import ErasureReason
from core import locks
from core.clock import now
from core.models import Member
from core.people import directory
from core.queue import JobName, enqueue
from core.shoots import bulk, bulk_judges, bulk_steps, imports, syncs
from core.shoots.bulk import Kind, Outcome
from core.vault import vault
from workers.process.runner import JobRun

# So long nobody else gets this worker.
SECONDS = 3.0
_TRIES = 3  # of people whom somebody else adds at the same moment

Step = Callable[[], bool]


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
    while (more := step()) and time.monotonic() < until:
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
        if action.kind == Kind.ERASE:
            return partial(_erase_next, job)
        if action.kind != Kind.SYNC:
            return partial(_in_a_step, job, partial(bulk_steps.go_on, action_id=job.subject_id))
        held = vault().find(session, action.id)
    parsed = imports.parse(imports.content_of(held), imports.choice_of(action.choice["read"]))
    rows = syncs.entries(parsed)
    return partial(_in_a_step, job, partial(syncs.go_on, action_id=job.subject_id, rows=rows))


def _in_a_step(job: JobRun, go_on: Callable[[Session], bool]) -> bool:
    directory.count()
    for _ in range(_TRIES - 1):
        try:
            with job.step() as session:
                return go_on(session)
        except imports.ImportCrossed:
            continue
    with job.step() as session:
        return go_on(session)


def _erase_next(job: JobRun) -> bool:
    """Erase the next person, with a certificate of their own; what names anybody is deleted with each."""
    with job.step() as session:
        action = bulk.locked(session, job.subject_id)
        if bulk.is_over(action) or not bulk.may_go_on(session, action):
            return False
        items = bulk.waiting(session, action.id, 1)
        if not items:
            action.finished_at = now()
            return False
        (item,) = items
        locks.whole_person(session, item.member_id)
        member = session.get_one(Member, item.member_id, populate_existing=True)
        item.outcome = bulk_judges.judge_erasure(member)
        if item.outcome == Outcome.DONE:
            if erasure.is_held(session, member.id):
                item.outcome = Outcome.LEGAL_HOLD
            else:
                erasure.request(
                    session,
                    member,
                    reason=ErasureReason.EMPLOYER_REQUEST,
                    actor=bulk.actor_of(session, action),
                    language=member.language,
                )
        session.flush()
        return True
