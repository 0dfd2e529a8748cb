"""Doing owed work in the test's own process, through the real outbox, Redis and RQ."""

from __future__ import annotations

import time
from uuid import UUID

from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy import func, select

from core import relay
from core.db import transaction
from core.models import Outbox
from core.queue import JobName, Lane, redis_client
from workers.process.patience import Limit
from workers.process.runner import perform

ROUNDS = 100  # far more than any test's work follows from work


def do_all_work() -> None:
    """Relay and run jobs until nothing is due."""
    for _ in range(ROUNDS):
        if not relay.publish_due():
            return
        queues = [Queue(lane, connection=redis_client(), serializer=JSONSerializer) for lane in Lane]
        worker = SimpleWorker(queues, connection=redis_client(), serializer=JSONSerializer)
        worker.death_penalty_class = Limit
        worker.work(burst=True, logging_level="ERROR")
    raise AssertionError("some work is due again and again")


def do_jobs(org: UUID, job: JobName) -> None:
    """Do what is owed of one kind, and what comes of it of the same kind; no other work."""
    owed = select(Outbox.id).where(
        Outbox.job == job,
        Outbox.done_at.is_(None),
        Outbox.failed_at.is_(None),
        Outbox.not_before <= func.now(),
    )
    while True:
        with transaction(org) as session:
            found = session.scalars(owed).all()
        if not found:
            return
        for one in found:
            perform(str(one))


def judge_pictures(org: UUID, *, patience: float = 0.0) -> None:
    """Judge what was uploaded for a brand or in place of a headshot, and do no other work.

    Args:
        org: whose.
        patience: seconds to wait for the first of them.
    """
    owed = select(func.count()).where(Outbox.job == JobName.PICTURES, Outbox.done_at.is_(None))
    until = time.monotonic() + patience
    while time.monotonic() < until:
        with transaction(org) as session:
            if session.scalar(owed):
                break
        time.sleep(0.1)
    do_jobs(org, JobName.PICTURES)
