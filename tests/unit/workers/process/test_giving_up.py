"""Work that is given up: every job says what people then see, and none goes round for ever."""

from __future__ import annotations

import inspect
from uuid import UUID

import pytest
from conftest import add_participation
from sqlalchemy import select

from core import audit, owed
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import AuditEvent, Member, Outbox, Participation, State
from core.queue import JobName, enqueue
from deploy.local.services import LocalServices
from workers.jobs import Job
from workers.process.alone import Death
from workers.process.runner import (
    LAST_DEATH,
    LAST_DEATH_ON_GPU,
    MAX_ATTEMPTS,
    JobRun,
    module_of,
    perform,
)


def ended(org: UUID, job: JobName, subject_id: UUID, code: str = "dropped") -> None:
    """End work with its answer, whatever it is."""
    with transaction(org) as session:
        module_of(job).failed(session, subject_id, code)


def killed(org: UUID, job: JobName, subject_id: UUID, deaths: int) -> Outbox:
    """Deliver what has taken so many workers along, the last of them just now."""
    with transaction(org) as session:
        row = enqueue(session, job, subject_id)
        row.deaths, row.started_at = deaths - 1, now()
    perform(str(row.id))
    with transaction(org) as session:
        return session.get_one(Outbox, row.id)


@pytest.mark.parametrize("name", JobName)
def test_every_job_has_what_a_job_has(name: JobName) -> None:
    module = module_of(name)
    for verb in ("run", "failed"):
        promised = list(inspect.signature(getattr(Job, verb)).parameters)[1:]
        assert list(inspect.signature(getattr(module, verb)).parameters) == promised


def test_work_that_is_done_was_never_a_failure(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        row = enqueue(session, JobName.PURGE, member.id)
    perform(str(row.id))
    with transaction(org) as session:
        done = session.get_one(Outbox, row.id)
        assert (done.attempts, done.outages, done.deaths, done.failed_at, done.started_at) == (
            0,
            0,
            0,
            None,
            None,
        )
        assert done.done_at is not None


@pytest.mark.parametrize("job", sorted(owed.UNTIL_DONE))
def test_what_is_promised_is_never_given_up_for_its_workers_deaths(
    org: UUID, member: Member, job: JobName
) -> None:
    row = killed(org, job, member.id, LAST_DEATH)
    assert (row.deaths, row.failed_at, row.started_at, row.error_code) == (
        LAST_DEATH,
        None,
        None,
        Death.DIED,
    )
    assert row.not_before > now()


@pytest.mark.parametrize("job", sorted(owed.DELETIONS))
def test_a_deletion_that_fails_by_itself_is_tried_until_it_is_done(org: UUID, job: JobName) -> None:
    with transaction(org) as session:
        row = enqueue(session, job, new_id())  # of nobody, where an erasure cannot even begin
    for _ in range(MAX_ATTEMPTS + 2):
        perform(str(row.id))
    with transaction(org) as session:
        found = session.get_one(Outbox, row.id)
        assert found.failed_at is None
        assert job is JobName.PURGE or (found.attempts, found.error_code) == (
            MAX_ATTEMPTS + 2,
            "NoResultFound",
        )


def test_a_worker_that_is_told_to_leave_hands_its_work_back(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(org) as session:
        row = enqueue(session, JobName.PURGE, member.id)

    def leave(_job: JobRun) -> None:
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(module_of(JobName.PURGE), "run", leave)
        with pytest.raises(SystemExit):
            perform(str(row.id))
    perform(str(row.id))
    with transaction(org) as session:
        found = session.get_one(Outbox, row.id)
        assert (found.deaths, found.done_at is not None) == (0, True)


def test_a_restart_of_postgres_is_nobodys_death(services: LocalServices, org: UUID, member: Member) -> None:
    with transaction(org) as session:
        row = enqueue(session, JobName.PURGE, member.id)
        row.started_at = now()
    services.restart_postgres()
    perform(str(row.id))
    with transaction(org) as session:
        found = session.get_one(Outbox, row.id)
        assert (found.deaths, found.done_at is not None) == (0, True)


def test_a_gpu_job_that_killed_three_workers_is_left_to_the_studio(org: UUID, member: Member) -> None:
    participation = add_participation(org, member, State.RENDERING)
    row = killed(org, JobName.TRAIN, participation.id, LAST_DEATH_ON_GPU)
    assert (row.error_code, row.failed_at is not None) == (Death.DIED, True)
    with transaction(org) as session:
        assert session.get_one(Participation, participation.id).fallback_code == Death.DIED


def test_a_mail_that_nobody_took_is_told(org: UUID, member: Member) -> None:
    row = add_participation(org, member, State.READY)
    ended(org, JobName.READY_MAIL, row.id, "mail_refused")
    with transaction(org) as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.READY_UNDELIVERED))
        assert event.subject_id == member.id
        assert event.facts == {"participation": str(row.id), "code": "mail_refused"}


def test_a_link_to_ones_data_that_nobody_took_is_told_to_the_log_alone(org: UUID, member: Member) -> None:
    add_participation(org, member, State.EXPIRED)
    ended(org, JobName.DATA_MAIL, new_id(), "mail_refused")  # an address that nobody has
    ended(org, JobName.DATA_MAIL, member.id, "mail_refused")
    with transaction(org) as session:
        undelivered = audit.Tag.DATA_LINK_UNDELIVERED
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == undelivered))
        assert (event.subject_id, event.facts) == (member.id, {"code": "mail_refused"})
