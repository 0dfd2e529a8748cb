"""`headshots bench mail`: how fast invitations reach the mail server, through outbox, Redis and two workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import psutil
from rq import Worker
from sqlalchemy import func, select

from core import audit
from core.db import transaction
from core.models import Outbox, Shoot
from core.people import roster
from core.queue import JobName, Lane, redis_client
from core.settings import Settings
from core.shoots import commits, imports
from deploy.local.processes import child_environment, end_process, leashed, python_module

Report = Callable[[dict[str, Any], str], None]

MAILS = 1000
WORKERS = 2
PATIENCE = 600.0  # seconds
_ASK_EVERY = 0.2  # seconds


def bench_mail(report: Report, org_id: UUID, smtp_port: int) -> None:
    """Invite a thousand people and report how many mails a second the mail server got, and what each cost.

    Args:
        report: takes the figures.
        org_id: a company with an empty shoot, of the product that this process's settings name.
        smtp_port: of those settings.
    """
    workers = [("deploy.cli", "worker", "--lane", Lane.MAIL)] * WORKERS
    with _running(
        [("deploy.bench.sink", str(smtp_port)), ("deploy.cli", "scheduler"), *workers]
    ) as processes:
        _wait_until(lambda: _answers(smtp_port))
        _wait_until(lambda: len(Worker.all(connection=redis_client())) == WORKERS)
        before = [_cpu_seconds(process) for process in processes]
        _invite(org_id)
        started = time.perf_counter()
        _wait_until(lambda: _waiting(org_id) == 0)
        seconds = time.perf_counter() - started
        spent = [_cpu_seconds(process) - then for process, then in zip(processes, before, strict=True)]
    cost = sum(spent[2:]) / MAILS * 1000
    report(
        {
            "figure": "mails",
            "mails": MAILS,
            "workers": WORKERS,
            "seconds": round(seconds, 2),
            "mails_a_second": round(MAILS / seconds, 1),
            "worker_cpu_milliseconds_a_mail": round(cost, 2),
            "relay_cpu_milliseconds_a_mail": round(spent[1] / MAILS * 1000, 2),
        },
        f"{MAILS} invitations: {MAILS / seconds:.0f} mails a second with {WORKERS} workers, "
        f"{cost:.1f} ms of a worker's core each",
    )


def import_all(org_id: UUID, import_id: UUID) -> None:
    """Do what a worker does with a confirmed list, in this process."""
    with transaction(org_id) as session:
        parsed = commits.read(session, import_id)
    assert parsed is not None
    more = True
    while more:
        with transaction(org_id) as session:
            more = commits.go_on(session, import_id, parsed)


def _invite(org_id: UUID) -> None:
    rows = [f"person{n}@northwind.example,First{n},Last{n}" for n in range(MAILS)]
    content = ("email,first_name,last_name\n" + "\n".join(rows)).encode()
    with transaction(org_id) as session:
        shoot = session.scalars(select(Shoot)).one()
        run = imports.upload(session, shoot, content)
        commits.start(session, shoot.id, run.import_id, roster.Choice(), actor=audit.SYSTEM)
    import_all(org_id, run.import_id)


def _answers(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _waiting(org_id: UUID) -> int:
    with transaction(org_id) as session:
        open_mails = select(func.count()).where(
            Outbox.job == JobName.INVITE_MAIL, Outbox.done_at.is_(None), Outbox.failed_at.is_(None)
        )
        return session.scalar(open_mails) or 0


def _wait_until(is_so: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError
        time.sleep(_ASK_EVERY)


def _cpu_seconds(process: subprocess.Popen[bytes]) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


@contextmanager
def _running(commands: Sequence[Sequence[str]]) -> Iterator[list[subprocess.Popen[bytes]]]:
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
