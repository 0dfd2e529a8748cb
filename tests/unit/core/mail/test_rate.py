"""The rate at which mails leave, shared by all workers."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from conftest import forget_process_state

from core.mail import rate
from core.queue import redis_client
from deploy.local.processes import free_port

Limit = Callable[[float | None], None]


@pytest.fixture
def limit(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Limit:
    def set_up(per_second: float | None) -> None:
        if per_second is not None:
            monkeypatch.setenv("HEADSHOTS_MAIL_PER_SECOND", str(per_second))
        forget_process_state()

    return set_up


def test_without_a_limit_nobody_waits_and_redis_is_not_asked(limit: Limit) -> None:
    limit(None)
    assert [rate.wait_seconds() for _ in range(100)] == [0.0] * 100
    assert not redis_client().keys("mail:*")


def test_a_second_is_sent_at_once_and_the_rest_comes_back_at_the_rate(limit: Limit) -> None:
    limit(10)
    waits = [rate.wait_seconds() for _ in range(25)]
    assert waits[:10] == [0.0] * 10
    later = [wait for wait in waits if wait]
    assert len(later) > 1
    # A tenth of a second after each other, less what passes between the questions.
    assert all(after - before <= 0.1001 for before, after in pairwise(later)), later
    assert later[0] < 0.2
    assert later[-1] > later[0]


def test_who_comes_back_in_time_finds_a_token(limit: Limit) -> None:
    limit(20)
    while not (wait := rate.wait_seconds()):
        pass
    time.sleep(wait)
    assert rate.wait_seconds() == 0.0


def test_a_mail_that_somebody_waits_for_goes_at_once_and_counts(limit: Limit) -> None:
    limit(5)
    while not rate.wait_seconds():
        pass
    assert [rate.wait_seconds(awaited=True) for _ in range(3)] == [0.0] * 3
    assert rate.wait_seconds() > 0.5


def test_less_than_one_a_second_is_possible(limit: Limit) -> None:
    limit(0.5)
    assert rate.wait_seconds() == 0.0
    assert 1.5 < rate.wait_seconds() <= 2.0


def test_a_wait_is_never_so_long_that_a_raised_rate_is_not_felt(limit: Limit) -> None:
    limit(0.001)
    assert max(rate.wait_seconds() for _ in range(5)) <= rate.LONGEST_SECONDS


def test_workers_keep_the_rate_together(limit: Limit) -> None:
    limit(50)
    redis_client()
    sent: list[float] = []

    def work() -> None:
        until = time.monotonic() + 1.5
        while time.monotonic() < until:
            wait = rate.wait_seconds()
            if not wait:
                sent.append(time.monotonic())
            else:
                time.sleep(min(wait, 0.05))

    started = time.monotonic()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 50 <= len(sent) <= 50 + 50 * (time.monotonic() - started) + 1


def test_without_redis_mail_goes_on_at_a_tenth(limit: Limit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_REDIS_URL", f"redis://127.0.0.1:{free_port()}")
    monkeypatch.setattr(rate, "_next_alone", 0.0)
    limit(10)
    assert rate.wait_seconds() == 0.0
    assert 0.5 < rate.wait_seconds() <= 1.0
    assert rate.wait_seconds(awaited=True) == 0.0


@pytest.mark.parametrize("noted", ["4102444800", "1e300", "nonsense"])  # in the year 2100, far later, never
def test_a_clock_that_was_ahead_sends_nobody_away_for_longer_than_the_longest_wait(
    limit: Limit, noted: str
) -> None:
    limit(50)
    redis_client().hset("mail:rate", mapping={"next": noted, "back": noted})
    assert rate.wait_seconds() <= rate.LONGEST_SECONDS
    until = float(redis_client().hget("mail:rate", "next") or 0)  # type: ignore[arg-type]
    assert until <= time.time() + rate.LONGEST_SECONDS + 1


def test_a_rate_of_less_than_one_mail_in_the_longest_wait_is_kept(limit: Limit) -> None:
    limit(1 / 3600)
    assert rate.wait_seconds() == 0.0
    until = float(redis_client().hget("mail:rate", "next") or 0)  # type: ignore[arg-type]
    assert until > time.time() + 3500
    assert rate.wait_seconds() > 0
    assert float(redis_client().hget("mail:rate", "next") or 0) == until  # type: ignore[arg-type]
