"""Work that killed its worker, alone in a process of its own with limits of memory and time."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Final
from uuid import UUID

from core.logs import logger

# A warm process takes 0.64 GB, and a file that passes the limits up to 1.02 GB more while it is decoded
# (`headshots bench files`): almost twice their sum. Where a worker itself took more, as with a larger matting
# network, that counts instead, twice.
LEAST_BYTES: Final = 3 << 30
# Libraries map far more than they touch: 5.96 GB at the peak of warming up, of which 0.64 GB are used.
MAPPED_BYTES: Final = 6 << 30
LOOK_SECONDS: Final = 0.05  # at 4 GB/s, what new memory is written at, 0.2 GB more than allowed
_PAGE: Final = resource.getpagesize()
_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_FULL: Final = 12  # exit status: ENOMEM
# Exit statuses: EX_TEMPFAIL of sysexits.h when the database was away, and Python's own when it could not begin, as in
# the middle of an upgrade. What kills a process ends it with a signal.
_LEFT: Final = (75, 1)


class Death(StrEnum):
    """How work ended that did not say how it went; stable codes."""

    DIED = "worker_died"
    TIMED_OUT = "timed_out"
    OUT_OF_MEMORY = "out_of_memory"


class LeftUndone(Exception):
    """The process could not begin, or could not note how it went: the database or the program was away."""


def most_bytes() -> int:
    """Return how much memory work may take alone."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return max(LEAST_BYTES, 2 * ours)


def run(outbox_id: UUID, seconds: float, *, memory: int | None = None) -> Death | None:
    """Do one piece of work in a process of its own, and wait for it; return how it died, `None` if it lives.

    It notes itself how the work went. A worker that is stopped waits for it; one that is killed takes it along.

    Args:
        outbox_id: of work that the caller holds the lock of.
        seconds: it may take.
        memory: bytes it may take; see `most_bytes`.

    Raises:
        LeftUndone: it could not begin, or could not note how it went.
    """
    most = memory or most_bytes()
    command = [sys.executable, "-m", "workers.process.alone", str(outbox_id), str(os.getpid()), str(most)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    ends = time.monotonic() + seconds
    death: Death | None = None
    try:
        while process.poll() is None:
            if _resident(process.pid) > most:
                death = Death.OUT_OF_MEMORY
            elif time.monotonic() > ends:
                death = Death.TIMED_OUT
            if death is not None:
                break
            time.sleep(LOOK_SECONDS)
    finally:
        process.kill()
        status = process.wait()
    if death is None and status in _LEFT:
        raise LeftUndone
    if death is None and status != 0:
        death = Death.OUT_OF_MEMORY if status == _FULL else Death.DIED
    if death is not None:
        logger().error("died_alone", outbox=str(outbox_id), code=death.value, status=status)
    return death


def _resident(pid: int) -> int:
    """Return how many bytes of memory a process takes; 0 where the system does not tell."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0


def _bind(parent: int, most: int) -> None:
    """Die with the worker, go first when the machine's memory is full, and take no more than `most` bytes."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # the worker is told as well, and waits for this work
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be bound to
        os._exit(1)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")
    resource.setrlimit(resource.RLIMIT_AS, (most + MAPPED_BYTES, most + MAPPED_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a face


def main() -> int:
    """Do the work that the arguments name; return the exit status."""
    outbox_id, parent, most = sys.argv[1:]
    _bind(int(parent), int(most))
    from sqlalchemy.exc import DBAPIError

    from core import logs
    from workers.process import runner

    logs.configure()
    try:
        runner.perform_alone(UUID(outbox_id))
    except MemoryError:
        return _FULL
    except DBAPIError as error:
        logger().error("work_left_to_the_relay", outbox=outbox_id, exc_info=error)
        return _LEFT[0]
    return 0


if __name__ == "__main__":
    sys.exit(main())
