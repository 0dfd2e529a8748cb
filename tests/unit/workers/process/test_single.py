"""The lock of a worker's work, whose connection may be cut while the worker lives."""

from __future__ import annotations

import threading
import time
from uuid import UUID

import pytest
from sqlalchemy import text

from core import locks
from core.db import direct_engine, engine, transaction
from core.models import Member, Outbox
from core.queue import JobName, enqueue
from workers.jobs import purge
from workers.process import single
from workers.process.runner import JobRun, perform
from workers.process.single import only_one

pytestmark = pytest.mark.usefixtures("environment")

SUBJECT = UUID(int=7)
PATIENCE = 10.0  # seconds


def holder(subject_id: UUID) -> int | None:
    """Return the process of Postgres that holds the lock."""
    wanted = locks.number(locks.Space.WORK, subject_id.bytes)
    with engine().begin() as connection:
        return connection.scalar(
            text(
                "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
                " AND (classid::bigint << 32) | objid::bigint = :wanted"
            ),
            {"wanted": wanted},
        )


def cut(subject_id: UUID) -> int:
    """Cut the connection that holds the lock, as a firewall or a failover does; return its process."""
    pid = holder(subject_id)
    assert pid is not None
    with engine().begin() as connection:
        assert connection.scalar(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    return pid


def wait_until_held_again(subject_id: UUID, before: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while holder(subject_id) in (None, before):
        assert time.monotonic() < deadline, "the lock was not taken again"
        time.sleep(0.01)


def test_a_lock_whose_connection_was_cut_is_taken_again_and_freed_in_the_end() -> None:
    with only_one(SUBJECT) as mine:
        assert mine
        for _ in range(2):
            wait_until_held_again(SUBJECT, cut(SUBJECT))
            with only_one(SUBJECT) as others:
                assert not others
    assert holder(SUBJECT) is None
    assert not [one for one in threading.enumerate() if one.name == "work lock"]


def test_what_postgres_says_on_a_connection_that_lives_changes_nothing() -> None:
    with only_one(SUBJECT) as mine:
        assert mine
        pid = holder(SUBJECT)
        with engine().begin() as connection:
            connection.execute(text("SELECT pg_notify('nobody', '')"))
        assert holder(SUBJECT) == pid
    assert holder(SUBJECT) is None


def test_a_lock_that_somebody_else_took_meanwhile_is_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    taken = single._taken
    monkeypatch.setattr(single, "_taken", lambda _: None)
    with only_one(SUBJECT) as mine:
        assert mine
        cut(SUBJECT)
        deadline = time.monotonic() + PATIENCE
        while holder(SUBJECT) is not None:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        other = direct_engine().connect()
        assert locks.take(other, locks.Space.WORK, SUBJECT.bytes)
        assert taken(SUBJECT) is None
    assert holder(SUBJECT) is not None
    other.invalidate()
    other.close()


def test_work_whose_lock_was_cut_is_done_once_and_nobody_has_died(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    with transaction(org) as session:
        owed = enqueue(session, JobName.PURGE, member.id)
    ran: list[UUID] = []

    def slow(job: JobRun) -> None:
        ran.append(job.outbox_id)
        wait_until_held_again(job.outbox_id, cut(job.outbox_id))
        another = threading.Thread(target=perform, args=(str(job.outbox_id),))
        another.start()
        another.join()
        with job.finish():
            pass

    monkeypatch.setattr(purge, "run", slow)
    perform(str(owed.id))
    with transaction(org) as session:
        row = session.get_one(Outbox, owed.id)
        assert (len(ran), row.deaths, row.first_failed_at) == (1, 0, None)
        assert row.done_at is not None
