"""The scheduler by clocks that jump, with slow duties, idle companies and a second of its kind."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from conftest import add_member
from sqlalchemy import event, text, update
from sqlalchemy.orm import Session

from compliance import erasure, keyless, removals, retention, strays, withdrawals
from compliance.erasure import ErasureReason
from compliance.log import sequencer
from compliance.requests import keeping as requests
from compliance.statement import issuing
from core import audit, clock, locks
from core.db import engine, transaction
from core.models import Erasure, Member
from core.people import organizations
from core.portraits import engines
from core.shoots import reminding, renewal
from core.vault import vault
from core.vault.keys import Epoch
from deploy.local.processes import child_environment, leashed, python_module
from workers.process.leader import lead
from workers.process.scheduler import Duty, EpochAge, serve
from workers.process.steady import WAIT, SteadyClock

SOON = 10.0  # seconds; on a quiet machine everything here takes a tenth of it


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    """The wall clock, which a test may set."""
    made = Wall()

    class Set(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz or UTC) + made.off  # noqa: TID251 - the clock itself

    monkeypatch.setattr(clock, "datetime", Set)
    return made


class Wall:
    off = timedelta()


class Stopwatch:
    """A clock that nobody sets but the test."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def eventually(check) -> None:
    deadline = time.monotonic() + SOON
    while not check():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def keeping(environment: dict[str, str]) -> Iterator:
    """Keeps duties until the test is over."""
    over = threading.Event()
    threads = []

    def keep(*todo: Duty) -> None:
        threads.append(threading.Thread(target=serve, args=(over, todo, SteadyClock()), daemon=True))
        threads[-1].start()

    yield keep
    over.set()
    for thread in threads:
        thread.join(timeout=SOON)


def test_duties_go_on_when_the_clock_jumps(keeping, wall: Wall) -> None:
    done: list[float] = []
    keeping(Duty("tick", timedelta(milliseconds=20), lambda: done.append(time.monotonic())))
    for jump in (timedelta(), timedelta(days=3), timedelta(hours=-1)):
        wall.off = jump
        wanted = len(done) + 3
        eventually(lambda wanted=wanted: len(done) >= wanted)


def test_a_slow_duty_keeps_no_other_waiting_nor_the_process_from_ending(environment: dict[str, str]) -> None:
    over, begun, done = threading.Event(), threading.Event(), []
    hang = threading.Event()

    def slow() -> None:
        begun.set()
        hang.wait(60)

    todo = [
        Duty("slow", timedelta(hours=1), slow),
        Duty("fails", timedelta(milliseconds=10), lambda: 1 / 0),
        Duty("quick", timedelta(milliseconds=10), lambda: done.append(begun.is_set())),
    ]
    serving = threading.Thread(target=serve, args=(over, todo, SteadyClock()), daemon=True)
    serving.start()
    eventually(lambda: sum(done) > 5)
    over.set()
    serving.join(timeout=SOON)
    assert not serving.is_alive()
    hang.set()


def opened(moment: datetime) -> int:
    """Have the current epoch begin at `moment`."""
    number, _ = vault().keys.current_epoch()
    with Session(vault().keys._engine) as session, session.begin():
        session.execute(update(Epoch).where(Epoch.number == number).values(opened_at=moment))
    return number


def test_an_epoch_that_a_wrong_clock_opened_does_not_last_longer(environment: dict[str, str]) -> None:
    number = opened(clock.now() + timedelta(days=3))
    EpochAge().turn_if_due()
    assert vault().keys.current_epoch()[0] == number + 1
    EpochAge().turn_if_due()
    assert vault().keys.current_epoch()[0] == number + 1


def test_a_clock_that_is_put_back_does_not_lengthen_an_epoch(environment: dict[str, str]) -> None:
    elapsed = Stopwatch()
    age = EpochAge(elapsed)
    number, _ = vault().keys.current_epoch()
    age.turn_if_due()
    elapsed.seconds = 86_399
    age.turn_if_due()
    assert vault().keys.current_epoch()[0] == number
    elapsed.seconds = 86_401
    age.turn_if_due()
    assert vault().keys.current_epoch()[0] == number + 1


def test_nothing_is_deleted_by_a_clock_that_has_jumped(
    environment: dict[str, str], wall: Wall, monkeypatch: pytest.MonkeyPatch
) -> None:
    elapsed = Stopwatch()
    elapsed.seconds = time.time()  # and stands still beside a wall clock that goes on for the test's second
    steady = SteadyClock(elapsed)
    swept: list[bool] = []
    duty = Duty("sweep", timedelta(hours=1), lambda: swept.append(True), irreversible=True)
    duty._once(steady)
    assert len(swept) == 1
    wall.off = timedelta(days=3)
    duty._once(steady)
    elapsed.seconds += WAIT.total_seconds() + 1
    duty._once(steady)
    assert len(swept) == 1, "the database still says another time"
    monkeypatch.setattr(SteadyClock, "_agrees", lambda _: True)  # its clock cannot be moved here
    duty._once(steady)
    assert len(swept) == 2, "a clock that stays where it jumped to is believed in the end"
    wall.off = timedelta()
    duty._once(steady)
    assert len(swept) == 2


def test_companies_without_anything_due_are_not_asked(org: UUID) -> None:
    for number in range(3):
        organizations.create(f"idle-{number}", "Idle")
    ada = add_member(org)
    sequencer.sequence_all()
    with transaction(org) as session:
        erasure.request(
            session,
            session.get_one(Member, ada.id),
            reason=ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
    with transaction(org) as session:
        session.execute(update(Erasure).values(epoch=vault().keys.current_epoch()[0]))
    sequencer.sequence_all()
    asked: list[UUID] = []

    def note(session: Session, *_: object) -> None:
        if "org_id" in session.info:
            asked.append(session.info["org_id"])

    event.listen(Session, "after_begin", note)
    try:
        sequencer.sequence_all()
        erasure.settle_all()
        engines.end_waiting_all()
        assert asked == []
        erasure.turn_epoch()
        assert set(asked) == {org}
    finally:
        event.remove(Session, "after_begin", note)


def test_one_of_two_leads_and_the_other_follows_when_its_connection_is_lost(
    environment: dict[str, str],
) -> None:
    stop = threading.Event()
    leads: list[str] = []

    def serving(name: str):
        def run(over: threading.Event) -> None:
            leads.append(name)
            over.wait()
            leads.append(f"{name} ended")

        return run

    threads = [
        threading.Thread(target=lead, args=(serving(name), stop), daemon=True) for name in ("one", "two")
    ]
    try:
        for thread in threads:
            thread.start()
        eventually(lambda: leads)
        time.sleep(1.2)
        assert len(leads) == 1, "one is enough"
        with engine().begin() as connection:
            ended = connection.scalar(
                text(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1"
                    " AND granted AND ((classid::bigint << 32) | objid::bigint) = :number"
                ),
                {"number": locks.number(locks.Space.SCHEDULER)},
            )
        assert ended
        eventually(lambda: len(leads) == 3)
        assert f"{leads[0]} ended" in leads
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=SOON)


def test_a_second_scheduler_takes_over_when_the_first_is_killed(
    environment: dict[str, str], tmp_path: Path
) -> None:
    values = child_environment({**environment, "HEADSHOTS_LOG_LEVEL": "INFO"})
    processes, logs = [], []
    try:
        for name in ("one", "two"):
            logs.append(tmp_path / f"{name}.log")
            with logs[-1].open("wb") as file:
                processes.append(
                    subprocess.Popen(
                        leashed(python_module("deploy.cli", "scheduler")),
                        env=values,
                        stderr=file,
                        stdout=file,
                    )
                )
            if name == "one":
                _says(logs[0], "scheduler_leads")
        time.sleep(1.5)
        assert "scheduler_leads" not in logs[1].read_text()
        processes[0].send_signal(signal.SIGKILL)
        _says(logs[1], "scheduler_leads")
        processes[1].send_signal(signal.SIGTERM)
        assert processes[1].wait(timeout=15) == 0
    finally:
        for process in processes:
            process.kill()
            process.wait()
        print(*(log.read_text() for log in logs))


def _says(log: Path, word: str) -> None:
    deadline = time.monotonic() + 60
    while word not in log.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_cannot_be_undone_waits_for_a_clock_to_believe() -> None:
    from workers.process.scheduler import duties

    careful = {duty.do for duty in duties() if duty.irreversible}
    forgetful = {withdrawals.replay, removals.replay}
    ending = {
        retention.sweep_all,
        requests.sweep_all,
        strays.sweep,
        keyless.sweep,
        engines.end_waiting_all,
    }
    mailing = {reminding.remind_due_all, renewal.begin_due_all}
    assert careful == {*ending, *forgetful, *mailing, issuing.issue_all}  # a month is stated once
