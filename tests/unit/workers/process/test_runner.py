"""One piece of owed work, however often it is delivered."""

from __future__ import annotations

import contextlib
from datetime import datetime
from uuid import UUID

import pytest

from core.clock import now
from core.db import transaction
from core.models import Member, Outbox
from core.queue import JobName, enqueue
from workers.process.runner import AlreadyDone, JobRun


@pytest.fixture
def job(org: UUID, member: Member) -> JobRun:
    """Work that was delivered; its lock was lost, as when Postgres restarts."""
    with transaction(org) as session:
        owed = enqueue(session, JobName.PURGE, member.id)
    return JobRun(owed.id, org, member.id, 1)


def department(job: JobRun) -> str | None:
    with transaction(job.org_id) as session:
        return session.get_one(Member, job.subject_id).department


def finish(job: JobRun, result: str) -> None:
    with job.finish() as session:
        session.get_one(Member, job.subject_id).department = result


def test_a_result_of_work_that_was_done_meanwhile_is_dropped(job: JobRun) -> None:
    finish(job, "first")
    with pytest.raises(AlreadyDone):
        finish(job, "second")
    assert department(job) == "first"


def test_a_result_of_work_that_was_given_up_meanwhile_is_dropped(job: JobRun) -> None:
    with transaction(job.org_id) as session:
        session.get_one(Outbox, job.outbox_id).failed_at = now()
    with pytest.raises(AlreadyDone):
        finish(job, "late")
    assert department(job) is None


def test_work_is_done_with_its_result_or_not_at_all(job: JobRun) -> None:
    def done() -> datetime | None:
        with transaction(job.org_id) as session:
            return session.get_one(Outbox, job.outbox_id).done_at

    with contextlib.suppress(RuntimeError), job.finish() as session:
        session.get_one(Member, job.subject_id).department = "half"
        raise RuntimeError
    assert (department(job), done()) == (None, None)
    finish(job, "whole")
    assert department(job) == "whole"
    assert done() is not None
