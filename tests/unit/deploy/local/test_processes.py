"""The supervisor with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.errors import Unavailable
from deploy.local import processes
from deploy.local.processes import Child, Supervisor, child_environment, free_port, python_module, wait_ready

SLEEP = (sys.executable, "-c", "import time; print('here', flush=True); time.sleep(600)")
SUPERVISE = """
import sys
from pathlib import Path
from deploy.local.processes import Child, Supervisor, child_environment
code = "import subprocess, sys, time; time.sleep(600)"
supervisor = Supervisor(Path(sys.argv[1]))
supervisor.start(Child("sleeper", (sys.executable, "-c", code), child_environment()))
print(supervisor.pid("sleeper"), flush=True)
supervisor.run()
"""


def eventually(condition: Callable[[], bool], seconds: float = 15) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return False


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def sleeper(name: str = "sleeper") -> Child:
    return Child(name, SLEEP, child_environment())


def test_a_child_that_dies_is_started_again_and_its_death_is_told(tmp_path: Path) -> None:
    said: list[str] = []
    with Supervisor(tmp_path, say=said.append) as supervisor:
        supervisor.start(sleeper())
        first = supervisor.pid("sleeper")
        os.kill(first, signal.SIGKILL)

        def is_back() -> bool:
            supervisor.watch()
            return supervisor.pid("sleeper") != first

        assert eventually(is_back)
        assert not gone(supervisor.pid("sleeper"))
    assert len(said) == 1
    assert "sleeper ended (SIGKILL)" in said[0]


def test_a_child_that_always_dies_is_started_ever_more_rarely(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "FIRST_WAIT", 0.05)
    said: list[str] = []
    with Supervisor(tmp_path, say=said.append) as supervisor:
        supervisor.start(Child("broken", ("false",), child_environment()))

        def died_four_times() -> bool:
            supervisor.watch()
            return len(said) == 4

        begun = time.monotonic()
        assert eventually(died_four_times)
        assert time.monotonic() - begun >= 0.05 + 0.1 + 0.2
    assert "exit 1" in said[0]


def test_what_a_dead_child_had_started_is_ended_with_it(tmp_path: Path) -> None:
    code = "import subprocess, time; p = subprocess.Popen(['sleep', '600']); print(p.pid, flush=True); time.sleep(600)"
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(Child("parent", (sys.executable, "-c", code), child_environment()))
        log = tmp_path / "parent.log"
        assert eventually(lambda: log.read_text().strip() != "")
        grandchild = int(log.read_text())
        os.kill(supervisor.pid("parent"), signal.SIGKILL)

        def is_gone() -> bool:
            supervisor.watch()
            return gone(grandchild)

        assert eventually(is_gone)


def test_each_child_writes_to_its_own_log(tmp_path: Path) -> None:
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(sleeper("one"))
        assert eventually(lambda: "here" in (tmp_path / "one.log").read_text())


def test_a_child_that_ignores_the_signal_is_killed_when_its_patience_is_over(tmp_path: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('here', flush=True); time.sleep(600)"
    supervisor = Supervisor(tmp_path)
    supervisor.start(Child("deaf", (sys.executable, "-c", code), child_environment(), patience=0.3))
    assert eventually(lambda: "here" in (tmp_path / "deaf.log").read_text())
    pid = supervisor.pid("deaf")
    supervisor.stop()
    assert gone(pid)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_however_the_supervisor_ends_its_children_end_too(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", SUPERVISE, str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
        cwd=Path(__file__).parents[4],
    ) as supervisor:
        assert supervisor.stdout is not None
        child = int(supervisor.stdout.readline())
        assert not gone(child)
        time.sleep(0.2)  # let run() take over the signals
        supervisor.send_signal(number)
        supervisor.wait(15)
    assert eventually(lambda: gone(child))


def test_settings_of_the_caller_do_not_leak_into_a_child(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEADSHOTS_SECRET_KEY", "x" * 32)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "y")
    environment = child_environment({"HEADSHOTS_BASE_URL": "http://localhost"})
    assert environment["HEADSHOTS_BASE_URL"] == "http://localhost"
    assert not {"HEADSHOTS_SECRET_KEY", "AWS_SECRET_ACCESS_KEY"} & set(environment)


def test_waiting_ends_when_the_address_answers(tmp_path: Path) -> None:
    port = free_port()
    with Supervisor(tmp_path) as supervisor:
        command = python_module("http.server", "--bind", "127.0.0.1", "--directory", str(tmp_path), str(port))
        supervisor.start(Child("web", tuple(command), child_environment()))
        wait_ready(f"http://127.0.0.1:{port}/", timeout=15)


def test_waiting_in_vain_says_what_it_waited_for() -> None:
    url = f"http://127.0.0.1:{free_port()}/readyz"
    with pytest.raises(Unavailable, match=url):
        wait_ready(url, timeout=0.3)
