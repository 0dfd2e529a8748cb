"""Work that takes its worker along: the others go on, and whoever waits for it gets an answer."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from uuid import UUID

import psutil
import pytest
from conftest import add_participation
from patience import owed_work, try_again
from poison import Harm, photo, site
from sealing import sealed
from work import do_all_work

from compliance import consent
from core import owed, relay
from core.db import transaction
from core.image import reading
from core.models import Kind, Member, Outbox, Participation, Photo, State
from core.owed import ALONE_AFTER
from core.portraits import photos, verdicts
from core.portraits.verdicts import Standing
from core.queue import Lane
from deploy.local.processes import child_environment, leashed, python_module
from deploy.local.services import LocalServices
from workers.jobs import intake
from workers.process import patience
from workers.process.alone import Death
from workers.process.runner import perform

# mediapipe's generated code uses what newer protobuf deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

PATIENCE = 180.0  # seconds; a worker starts in eight on a quiet machine


@pytest.fixture
def participation(org: UUID, member: Member) -> Participation:
    return add_participation(org, member, State.CONSENTED)


@pytest.fixture
def relaying(environment: dict[str, str]) -> Iterator[None]:
    """The scheduler's relay."""
    stop = threading.Event()
    thread = threading.Thread(target=relay.run, args=(stop,))
    thread.start()
    yield
    stop.set()
    thread.join()


class Keeper:
    """Keeps one real worker running, as systemd does, and counts how often it had to start it."""

    def __init__(self, variables: dict[str, str], log: Path) -> None:
        self._variables = variables
        self._log = log
        self.started = 0
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        self.started += 1
        command = leashed(python_module("deploy.cli", "worker"))
        with self._log.open("ab") as file:
            return subprocess.Popen(command, env=self._variables, stdout=file, stderr=subprocess.STDOUT)

    def until(self, check: Callable[[], bool], what: str) -> None:
        """Wait, and start the worker again whenever it ended."""
        deadline = time.monotonic() + PATIENCE
        while not check():
            assert time.monotonic() < deadline, f"waited {PATIENCE:.0f} seconds for: {what}"
            if self.process.poll() is not None:
                self.process = self._start()
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill the worker at once."""
        self.process.kill()
        self.process.wait()


@pytest.fixture
def keeper(environment: dict[str, str], relaying: None, tmp_path: Path) -> Iterator[Keeper]:
    """A worker that photos can harm; its log is shown when a test fails."""
    log = tmp_path / "worker.log"
    kept = Keeper(child_environment({**environment, **site(tmp_path)}), log)
    yield kept
    kept.kill()
    print(log.read_text())


def upload(participation: Participation, harm: Harm, key: str = "one") -> Photo:
    with transaction(participation.org_id) as session:
        return photos.store(
            session,
            session.get_one(Participation, participation.id),
            sealed(participation.org_id, photo(harm), Kind.PHOTO, participation.member_id),
            upload_key=key,
            consent=consent.require(session, participation.member_id),
        ).photo


def standing(one: Photo) -> Standing:
    with transaction(one.org_id) as session:
        return verdicts.standing_of(session.get_one(Photo, one.id))


def check_of(org: UUID) -> Outbox:
    return owed_work(org)[0]


def is_begun(org: UUID, deaths: int) -> bool:
    row = check_of(org)
    return row.deaths == deaths and row.started_at is not None


@pytest.mark.slow
def test_a_photo_that_kills_its_worker_gets_an_answer_and_the_worker_lives_on(
    keeper: Keeper, participation: Participation
) -> None:
    bad = upload(participation, Harm.KILL)
    keeper.until(lambda: standing(bad) is Standing.REJECTED, "an answer")
    row = check_of(participation.org_id)
    assert (row.deaths, row.error_code) == (ALONE_AFTER + 1, Death.DIED)
    assert keeper.started == ALONE_AFTER + 1
    assert keeper.process.poll() is None, "the third death was not the worker's own"
    good = upload(participation, Harm.NONE, "two")
    keeper.until(lambda: standing(good) is Standing.ACCEPTED, "the next photo")
    assert keeper.started == ALONE_AFTER + 1


@pytest.mark.slow
def test_an_innocent_photo_survives_three_kills_of_its_worker(
    keeper: Keeper, participation: Participation
) -> None:
    slow = upload(participation, Harm.SLOW)
    for deaths in range(3):
        keeper.until(lambda deaths=deaths: is_begun(participation.org_id, deaths), "the check under way")  # type: ignore[misc]
        time.sleep(1)
        keeper.kill()
    keeper.until(lambda: standing(slow) is Standing.ACCEPTED, "a verdict")
    assert check_of(participation.org_id).deaths == 3
    left = [
        one for one in psutil.process_iter() if str(check_of(participation.org_id).id) in str(one.cmdline())
    ]
    assert left == [], "what ran alone goes with the worker that was killed"


def test_a_worker_that_is_told_to_stop_finishes_its_photo(
    keeper: Keeper, participation: Participation
) -> None:
    slow = upload(participation, Harm.SLOW)
    keeper.until(lambda: is_begun(participation.org_id, 0), "the check under way")
    keeper.process.send_signal(signal.SIGTERM)
    assert keeper.process.wait(timeout=PATIENCE) == 0
    assert standing(slow) is Standing.ACCEPTED
    row = check_of(participation.org_id)
    assert (row.deaths, row.attempts) == (0, 0)


@pytest.mark.slow
def test_a_worker_that_is_killed_after_it_was_told_to_stop_has_not_died_of_its_photo(
    keeper: Keeper, participation: Participation
) -> None:
    slow = upload(participation, Harm.SLOW)
    keeper.until(lambda: is_begun(participation.org_id, 0), "the check under way")
    keeper.process.send_signal(signal.SIGTERM)
    keeper.until(lambda: check_of(participation.org_id).started_at is None, "the note of it")
    keeper.kill()
    assert standing(slow) is Standing.CHECKING
    keeper.until(lambda: standing(slow) is Standing.ACCEPTED, "a verdict")
    assert check_of(participation.org_id).deaths == 0


@pytest.mark.slow
def test_a_check_that_hangs_where_no_signal_gets_through_ends_its_worker(
    keeper: Keeper, participation: Participation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(relay.JOB_TIMEOUT_SECONDS, Lane.INTERACTIVE, 4)
    upload(participation, Harm.STUCK)
    keeper.until(lambda: is_begun(participation.org_id, 0), "the check under way")
    assert keeper.process.wait(timeout=PATIENCE) == 1
    keeper.until(lambda: is_begun(participation.org_id, 1), "another try")


@pytest.mark.parametrize(
    ("module", "name"),
    [(intake, "judge"), pytest.param(reading, "_opened", id="where failing means that the file is damaged")],
)
def test_a_check_that_takes_too_long_twice_runs_alone(
    services: LocalServices,
    participation: Participation,
    monkeypatch: pytest.MonkeyPatch,
    module: ModuleType,
    name: str,
) -> None:
    monkeypatch.setitem(relay.JOB_TIMEOUT_SECONDS, Lane.INTERACTIVE, 1)
    monkeypatch.setattr(owed, "pause", lambda *_: timedelta(minutes=1))  # ends when the test says so
    monkeypatch.setattr(module, name, lambda *_given, **_named: time.sleep(60))
    upload(participation, Harm.NONE)
    do_all_work()
    row = check_of(participation.org_id)
    assert (row.deaths, row.attempts, row.error_code, row.started_at) == (1, 0, Death.TIMED_OUT, None)
    try_again(participation.org_id)
    assert check_of(participation.org_id).deaths == ALONE_AFTER
    services.flush_redis()  # with messages that still give a second
    monkeypatch.setitem(relay.JOB_TIMEOUT_SECONDS, Lane.INTERACTIVE, 900)
    try_again(participation.org_id)  # in a process of its own, where nothing is slow
    row = check_of(participation.org_id)
    assert (row.deaths, row.done_at is not None) == (ALONE_AFTER, True)


@pytest.mark.parametrize(
    ("harm", "death"),
    [(Harm.KILL, Death.DIED), (Harm.MEMORY, Death.OUT_OF_MEMORY), (Harm.STUCK, Death.TIMED_OUT)],
)
def test_a_photo_that_does_harm_alone_gets_an_answer(
    participation: Participation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Harm, death: Death
) -> None:
    for name, value in site(tmp_path).items():
        monkeypatch.setenv(name, value)
    if harm is Harm.STUCK:
        monkeypatch.setattr(patience, "_USUAL_SECONDS", 20.0)
    bad = upload(participation, harm)
    with transaction(participation.org_id) as session:
        session.get_one(Outbox, check_of(participation.org_id).id).deaths = ALONE_AFTER
    perform(str(check_of(participation.org_id).id))
    assert standing(bad) is Standing.REJECTED
    row = check_of(participation.org_id)
    assert (row.deaths, row.error_code, row.failed_at is not None) == (ALONE_AFTER + 1, death, True)


def test_an_innocent_photo_alone_is_checked_like_any_other(participation: Participation) -> None:
    good = upload(participation, Harm.NONE)
    with transaction(participation.org_id) as session:
        session.get_one(Outbox, check_of(participation.org_id).id).deaths = ALONE_AFTER
    perform(str(check_of(participation.org_id).id))
    assert standing(good) is Standing.ACCEPTED
    row = check_of(participation.org_id)
    assert (row.deaths, row.error_code, row.done_at is not None) == (ALONE_AFTER, None, True)
