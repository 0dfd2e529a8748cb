"""Behind PgBouncer in transaction mode: every call answers, and long locks and notifications go past it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from conftest import add_member, forget_process_state
from pooled import pgbouncer, pooler, through
from sealing import got, put
from sqlalchemy import func, select, text

from core import relay
from core.db import demand_sessions, engine, transaction
from core.errors import ConfigurationError
from core.ids import new_id
from core.models import Kind, Member
from core.queue import CHANNEL, JobName, Lane, enqueue, redis_client
from workers.process.single import only_one

pytestmark = pytest.mark.skipif(pgbouncer() is None, reason="needs PgBouncer: apt-get install pgbouncer")
CALLS = 200


@pytest.fixture
def pooled(environment: dict[str, str], org: UUID, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """The company, with both databases behind a pooler that has fewer connections than there are threads."""
    direct = environment["HEADSHOTS_DATABASE_URL"]
    with pooler(direct, servers=4) as folder:
        for name in ("DATABASE_URL", "KEYS_DATABASE_URL"):
            monkeypatch.setenv(f"HEADSHOTS_{name}", through(folder, environment[f"HEADSHOTS_{name}"]))
        monkeypatch.setenv("HEADSHOTS_DATABASE_DIRECT_URL", direct)
        forget_process_state()
        yield org
        forget_process_state()


def test_two_hundred_calls_of_eight_threads_all_answer(pooled: UUID) -> None:
    ada = add_member(pooled)

    def call(number: int) -> int:
        with transaction(pooled) as session:
            found = session.scalar(select(func.count()).select_from(Member)) or 0
            kept = put(session, b"%d" % number, kind=Kind.PHOTO, media_type="text/plain", member_id=ada.id)
        with transaction(pooled) as session:
            assert got(session, kept.id) == b"%d" % number
        return found

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(call, range(CALLS))) == [1] * CALLS


def test_work_is_locked_for_one_worker_while_the_pooler_hands_sessions_around(pooled: UUID) -> None:
    subject = new_id()
    with only_one(subject) as first:
        with ThreadPoolExecutor(8) as threads:
            others = list(threads.map(lambda _: _try(subject), range(40)))
        assert first
        assert not any(others)
    assert _try(subject), "the lock is free once its worker is done"


def _try(subject: UUID) -> bool:
    with only_one(subject) as mine:
        return mine


def test_a_commit_behind_the_pooler_wakes_the_relay(pooled: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    # Without the notification it would come after this long.
    monkeypatch.setattr(relay, "WAIT_SECONDS", 60.0)
    ada = add_member(pooled)
    stop = threading.Event()
    relaying = threading.Thread(target=relay.run, args=(stop,), daemon=True)
    relaying.start()
    try:
        _until(_listening)
        with transaction(pooled) as session:
            enqueue(session, JobName.PURGE, ada.id)
        _until(lambda: any(redis_client().llen(f"rq:queue:{lane}") for lane in Lane))
    finally:
        stop.set()
        with engine().begin() as connection:
            connection.execute(text(f"NOTIFY {CHANNEL}"))
        relaying.join(timeout=10)


def _listening() -> bool:
    with engine().begin() as connection:
        return bool(
            connection.scalar(text("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))
        )


def _until(true) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_process_that_needs_sessions_says_that_it_has_none(
    pooled: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    demand_sessions()
    monkeypatch.delenv("HEADSHOTS_DATABASE_DIRECT_URL")
    forget_process_state()
    with pytest.raises(ConfigurationError, match="HEADSHOTS_DATABASE_DIRECT_URL"):
        demand_sessions()
