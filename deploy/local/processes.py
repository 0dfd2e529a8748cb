"""Starting, watching and stopping child processes on one machine.

A child never outlives us: the kernel signals it when the thread that started it ends, even by
`kill -9` (`prctl(2)`, PR_SET_PDEATHSIG, set by util-linux's `setpriv`). Start children from the main
thread, since for the kernel the thread is the parent. The leash does not reach grandchildren: a child
that has its own ends them when it gets its signal.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import IO

from core.errors import Unavailable

FIRST_WAIT = 0.5  # seconds before the first restart; doubles with each
LONGEST_WAIT = 15.0  # seconds
STEADY = 30.0  # seconds a process runs until its earlier deaths are forgotten
TICK = 0.2  # seconds between two looks at the children

# What a child may inherit: where programs, homes, certificates and caches are, and how many threads
# to use. Every other variable, above all each HEADSHOTS_*, is given explicitly.
INHERITED = (
    "CUDA_VISIBLE_DEVICES",
    "HF_HOME",
    "HF_HUB_OFFLINE",
    "HOME",
    "LANG",
    "LC_ALL",
    "LD_LIBRARY_PATH",
    "NUMBA_CACHE_DIR",
    "NUMBA_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "OPENBLAS_NUM_THREADS",
    "PATH",
    "PYTHONDONTWRITEBYTECODE",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "XDG_CACHE_HOME",
)


def child_environment(values: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment for a child: the harmless part of ours, then `values`."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}  # noqa: TID251 - passed on, not read
    return {"PATH": os.defpath, "PYTHONUNBUFFERED": "1"} | inherited | dict(values or {})


def leashed(command: Sequence[str], stop_signal: signal.Signals = signal.SIGTERM) -> list[str]:
    """Return `command` such that it gets `stop_signal` when the thread that starts it ends."""
    return ["setpriv", "--pdeathsig", stop_signal.name.removeprefix("SIG"), "--", *command]


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs `module` with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_ready(url: str, *, timeout: float = 60.0) -> None:
    """Return as soon as `url` answers with a success.

    Args:
        url: An `http://` address on this machine.
        timeout: Seconds to wait at most.

    Raises:
        Unavailable: it never did; says what it last answered.
    """
    deadline = time.monotonic() + timeout
    # Straight to this machine: a proxy in the environment is for others.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    last = "nothing"
    while time.monotonic() < deadline:
        try:
            with opener.open(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            last = f"status {error.code}"
            error.close()
        except OSError as error:
            last = str(error)
        time.sleep(0.1)
    raise Unavailable(f"{url} did not become ready within {timeout:.0f} seconds; last answer: {last}")


def end_process(process: subprocess.Popen[bytes], how: signal.Signals, *, patience: float) -> None:
    """Signal `process` once and wait until it has ended; after `patience` seconds, kill it."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(how)
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@dataclass(frozen=True, slots=True)
class Child:
    """What the supervisor keeps running.

    Attributes:
        name: Names its log file too; unique.
        command: Program and arguments.
        environment: All of its variables; see `child_environment`.
        patience: Seconds it may take to stop before it is killed.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    patience: float = 10.0


@dataclass(slots=True)
class _Run:
    child: Child
    log: IO[bytes]
    process: subprocess.Popen[bytes]
    started: float
    deaths: int = 0
    restart_at: float | None = field(default=None)


class Supervisor:
    """Keeps children running until it is told to stop.

    A child that ends for whatever reason is started again, at first after `FIRST_WAIT` seconds and
    then ever later. Each writes to `LOGS/<name>.log`.

    Args:
        logs: Folder of the log files; made if missing.
        say: Gets one line about each death and restart.
        each_tick: Called between looks, e.g. to revive the services that the children need.
    """

    def __init__(
        self,
        logs: Path,
        *,
        say: Callable[[str], None] = lambda _: None,
        each_tick: Callable[[], None] = lambda: None,
    ) -> None:
        self._logs = logs
        self._say = say
        self._each_tick = each_tick
        self._runs: dict[str, _Run] = {}
        self._stopping = threading.Event()
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)

    def start(self, child: Child) -> None:
        """Start `child`; from now on `watch` and `run` keep it running."""
        assert child.name not in self._runs, f"two children are called {child.name}"
        log = (self._logs / f"{child.name}.log").open("ab", buffering=0)
        process = self._spawn(child, log)
        self._runs[child.name] = _Run(child, log, process, time.monotonic())

    def pid(self, name: str) -> int:
        """Return the process id that the child `name` has at the moment."""
        return self._runs[name].process.pid

    def watch(self) -> None:
        """Look once: start again what has ended and whose waiting time is over."""
        self._each_tick()
        for run in self._runs.values():
            moment = time.monotonic()
            if run.process.poll() is None:
                if moment - run.started > STEADY:
                    run.deaths = 0
            elif run.restart_at is None:
                _kill_group(run.process)
                wait = min(FIRST_WAIT * 2 ** min(run.deaths, 10), LONGEST_WAIT)
                run.deaths += 1
                run.restart_at = moment + wait
                self._say(
                    f"{run.child.name} ended ({_ending(run.process.returncode)}); starting it again in {wait:.1f} s."
                    f" Its log: {run.log.name}"
                )
            elif moment >= run.restart_at:
                run.process = self._spawn(run.child, run.log)
                run.started, run.restart_at = moment, None

    def run(self) -> None:
        """Watch until SIGINT, SIGTERM or `stop`, then stop every child. Needs the main thread."""

        def told(_number: int, _frame: FrameType | None) -> None:
            self._stopping.set()

        before = {number: signal.signal(number, told) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            while not self._stopping.wait(TICK):
                self.watch()
        finally:
            self.stop()
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        """Stop every child, the last started first; kill the ones that take too long."""
        self._stopping.set()
        runs = list(reversed(self._runs.values()))
        for run in runs:  # all before the first wait, so that the whole takes as long as the slowest
            with contextlib.suppress(ProcessLookupError):
                run.process.terminate()
        begun = time.monotonic()
        for run in runs:
            # Only waiting: a second SIGTERM tells an RQ worker to drop its job.
            with contextlib.suppress(subprocess.TimeoutExpired):
                run.process.wait(max(0.0, begun + run.child.patience - time.monotonic()))
            _kill_group(run.process)
            run.process.wait()
            run.log.close()
        self._runs.clear()

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @staticmethod
    def _spawn(child: Child, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            leashed(child.command),
            env=dict(child.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            # Ctrl-C reaches only us, and what a child leaves behind can be found by its group.
            start_new_session=True,
        )


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill `process` and whatever it started, in so far as that stayed in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _ending(status: int) -> str:
    """Say how a process ended, e.g. `exit 1` or `SIGKILL`."""
    return f"exit {status}" if status >= 0 else signal.Signals(-status).name
