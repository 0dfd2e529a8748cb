"""`headshots bench mail`: how fast invitations reach the mail server, through outbox, Redis and two workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

from rq import Worker
from sqlalchemy import func, select

from core.db import transaction
from core.models import Outbox
from core.queue import JobName, Lane, redis_client
from deploy.bench import lists
from deploy.bench.processes import answers, cpu_seconds, running, wait_until

Report = Callable[[dict[str, Any], str], None]

MAILS = 1000
WORKERS = 2


def bench_mail(report: Report, org_id: UUID, smtp_port: int) -> None:
    """Invite a thousand people and report how many mails a second the mail server got, and what each cost.

    Args:
        report: takes the figures.
        org_id: a company with an empty shoot, of the product that this process's settings name.
        smtp_port: of those settings.
    """
    workers = [("deploy.cli", "worker", "--lane", Lane.MAIL)] * WORKERS
    with running([("deploy.bench.sink", str(smtp_port)), ("deploy.cli", "scheduler"), *workers]) as processes:
        wait_until(lambda: answers(smtp_port))
        wait_until(lambda: len(Worker.all(connection=redis_client())) == WORKERS)
        before = [cpu_seconds(process) for process in processes]
        invite(org_id, MAILS)
        started = time.perf_counter()
        wait_until(lambda: waiting(org_id) == 0)
        seconds = time.perf_counter() - started
        spent = [cpu_seconds(process) - then for process, then in zip(processes, before, strict=True)]
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


def invite(org_id: UUID, mails: int) -> None:
    """Invite so many people into the company's shoot."""
    rows = [f"person{n}@northwind.example,First{n},Last{n}" for n in range(mails)]
    content = ("email,first_name,last_name\n" + "\n".join(rows)).encode()
    import_id = lists.send(org_id, content)
    lists.confirm(org_id, import_id)
    lists.import_all(org_id, import_id)


def waiting(org_id: UUID) -> int:
    """Return how many invitations a company still owes."""
    with transaction(org_id) as session:
        open_mails = select(func.count()).where(
            Outbox.job == JobName.INVITE_MAIL, Outbox.done_at.is_(None), Outbox.failed_at.is_(None)
        )
        return session.scalar(open_mails) or 0
