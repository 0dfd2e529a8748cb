"""The product's processes under a benchmark's eyes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil

from core.settings import Settings
from deploy.local.processes import child_environment, end_process, leashed, python_module

PATIENCE = 600.0  # seconds


def answers(port: int) -> bool:
    """Whether somebody listens on a port of this machine."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def wait_until(is_so: Callable[[], bool], *, every: float = 0.2) -> None:
    """Return as soon as something is so; asks `every` so many seconds.

    Raises:
        TimeoutError: it never was.
    """
    until = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(every)


def cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    """Return what a process and those that it has started have taken of a core."""
    own = psutil.Process(process.pid)
    times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
    return sum(one.user + one.system for one in times)


@contextmanager
def running(commands: Sequence[Sequence[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run Python modules with this process's settings, and end them with the block."""
    prefix = Settings.model_config["env_prefix"]
    given = os.environ.items()  # noqa: TID251 - passed on, not read
    own = {name: value for name, value in given if name.startswith(prefix)}
    values = child_environment(own)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for module, *arguments in commands:
            command = leashed(python_module(module, *arguments))
            started.append(
                subprocess.Popen(command, env=values, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            )
        yield started
    finally:
        for process in started:
            end_process(process, signal.SIGTERM, patience=20)
