"""Work that is given up: every job says what people then see, and none goes round for ever."""

from __future__ import annotations

import inspect
from uuid import UUID

import pytest
from conftest import add_participation
from sqlalchemy import select

from compliance import erasure
from core import audit
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import AuditEvent, Erasure, Member, Outbox, State
from core.queue import JobName, enqueue
from workers.jobs import Job
from workers.process.runner import MAX_ATTEMPTS, WORKER_DIED, module_of, perform


def killed_its_worker(org: UUID, job: JobName, subject_id: UUID) -> Outbox:
    """Deliver once more what was delivered as often as it is tried, and never told how it went."""
    with transaction(org) as session:
        row = enqueue(session, job, subject_id)
        row.attempts = MAX_ATTEMPTS
    perform(str(row.id))
    with transaction(org) as session:
        ended = session.get_one(Outbox, row.id)
        assert (ended.error_code, ended.done_at) == (WORKER_DIED, None)
        assert ended.failed_at is not None
    return ended


@pytest.mark.parametrize("name", JobName)
def test_every_job_has_what_a_job_has(name: JobName) -> None:
    module = module_of(name)
    for verb in ("run", "failed"):
        promised = list(inspect.signature(getattr(Job, verb)).parameters)[1:]
        assert list(inspect.signature(getattr(module, verb)).parameters) == promised


def test_a_delivery_is_counted_before_it_is_tried(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        row = enqueue(session, JobName.PURGE, member.id)
    perform(str(row.id))
    with transaction(org) as session:
        done = session.get_one(Outbox, row.id)
        assert (done.attempts, done.failed_at) == (1, None)
        assert done.done_at is not None


def test_what_has_to_be_deleted_is_owed_again(org: UUID, member: Member) -> None:
    killed_its_worker(org, JobName.PURGE, member.id)
    with transaction(org) as session:
        (again,) = session.scalars(select(Outbox).where(Outbox.failed_at.is_(None)))
        assert (again.job, again.subject_id, again.attempts) == (JobName.PURGE, member.id, 0)
        assert again.not_before > now()


def test_a_mail_that_nobody_took_is_told(org: UUID, member: Member) -> None:
    row = add_participation(org, member, State.READY)
    killed_its_worker(org, JobName.READY_MAIL, row.id)
    with transaction(org) as session:
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.READY_UNDELIVERED))
        assert event.subject_id == member.id
        assert event.facts == {"participation": str(row.id), "code": WORKER_DIED}


def test_a_link_to_ones_data_that_nobody_took_is_told_to_the_log_alone(org: UUID, member: Member) -> None:
    add_participation(org, member, State.EXPIRED)
    killed_its_worker(org, JobName.DATA_MAIL, new_id())  # an address that nobody has
    killed_its_worker(org, JobName.DATA_MAIL, member.id)
    with transaction(org) as session:
        undelivered = audit.Tag.DATA_LINK_UNDELIVERED
        (event,) = session.scalars(select(AuditEvent).where(AuditEvent.tag == undelivered))
        assert (event.subject_id, event.facts) == (member.id, {"code": WORKER_DIED})


def test_an_erasure_without_its_certificate_says_that_it_failed(org: UUID, member: Member) -> None:
    with transaction(org) as session:
        person = session.get_one(Member, member.id)
        erasure.request(
            session,
            person,
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.actor_for(person),
            language="en",
        )
    with transaction(org) as session:
        record = session.scalars(select(Erasure)).one()
    killed_its_worker(org, JobName.CERTIFY, record.id)
    with transaction(org) as session:
        assert session.get_one(Erasure, record.id).failure == WORKER_DIED
