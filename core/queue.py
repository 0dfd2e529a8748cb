"""Work for the workers: written to the outbox with the change that needs it, taken from there by who is free.

Redis says only that a lane has work; see `core.relay`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from uuid import UUID

import redis
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.clock import now
from core.connections import redis_options
from core.db import Lookup, organization_of
from core.ids import new_id
from core.models import Outbox
from core.observe import tracing
from core.settings import settings

# Postgres channel on which a commit wakes the relay.
CHANNEL = "headshots_outbox"


class JobName(StrEnum):
    """Every job; the worker module of the same name under `workers.jobs` runs it."""

    INTAKE = "intake"
    PICTURES = "pictures"
    IMPORT_ROSTER = "import_roster"
    BULK = "bulk"
    RENDER = "render"
    TRAIN = "train"
    TRAIN_STYLE = "train_style"
    GENERATE = "generate"
    INVITE_MAIL = "invite_mail"
    READY_MAIL = "ready_mail"
    AGAIN_MAIL = "again_mail"
    DATA_MAIL = "data_mail"
    DEVICE_MAIL = "device_mail"
    LOG_MAIL = "log_mail"
    CHECKPOINT_MAIL = "checkpoint_mail"
    RECALL_MAIL = "recall_mail"
    RECEIPT_MAIL = "receipt_mail"
    REQUEST_CODE = "request_code"
    REQUEST_MAIL = "request_mail"
    REQUEST_REMINDER = "request_reminder"
    BREACH_REMINDER = "breach_reminder"
    OPENDSR_CALLBACK = "opendsr_callback"
    FAREWELL_MAIL = "farewell_mail"
    ENDING_MAIL = "ending_mail"
    PURGE = "purge"
    ERASE = "erase"
    CERTIFY = "certify"


class Lane(StrEnum):
    """RQ queues, by who waits for what they carry; workers serve all of the first four.

    The GPU lane is served by workers that hold an image model, and by no others.
    """

    INTERACTIVE = "interactive"  # a person looks at a page
    PROOF = "proof"  # a deletion and its certificate
    BATCH = "batch"  # a company's pictures
    MAIL = "mail"
    GPU = "gpu"


CPU_LANES = (Lane.INTERACTIVE, Lane.PROOF, Lane.BATCH, Lane.MAIL)

# In a lane, a company's jobs go in this order: somebody waits at the mailbox for the first two mails, a
# certificate for the third.
JOBS = {
    Lane.INTERACTIVE: (JobName.INTAKE, JobName.PICTURES, JobName.IMPORT_ROSTER, JobName.BULK),
    Lane.PROOF: (JobName.ERASE, JobName.CERTIFY, JobName.PURGE),
    Lane.BATCH: (JobName.RENDER,),
    Lane.MAIL: (
        JobName.DEVICE_MAIL,
        JobName.DATA_MAIL,
        JobName.REQUEST_CODE,
        JobName.REQUEST_MAIL,
        JobName.RECEIPT_MAIL,
        JobName.FAREWELL_MAIL,
        JobName.LOG_MAIL,
        JobName.BREACH_REMINDER,
        JobName.READY_MAIL,
        JobName.AGAIN_MAIL,
        JobName.INVITE_MAIL,
        JobName.RECALL_MAIL,
        JobName.ENDING_MAIL,
        JobName.REQUEST_REMINDER,
        JobName.CHECKPOINT_MAIL,
        JobName.OPENDSR_CALLBACK,
    ),
    Lane.GPU: (JobName.TRAIN, JobName.TRAIN_STYLE, JobName.GENERATE),
}
_LANES = {job: lane for lane, jobs in JOBS.items() for job in jobs}


_TURN = "turn:"  # in Redis, the company whose work a lane's workers took last
_NOBODY = UUID(int=0)
_ID_BYTES = len(_NOBODY.bytes)


def lane_of(job: JobName) -> Lane:
    """Return the queue that carries `job`."""
    return _LANES[job]


def take(lane: Lane) -> tuple[UUID, UUID] | None:
    """Take due work of a lane out of the outbox for the caller to do; return (id, organization), or `None` if there is none.

    Companies take turns, whatever each has waiting: who comes with twenty is not behind another's ten thousand.
    """
    turn = f"{_TURN}{lane}"
    taken = Lookup.take_outbox(JOBS[lane], _whose(turn))
    if taken is None:
        return None
    redis_client().set(turn, taken[1].bytes)
    return taken


def _whose(turn: str) -> UUID:
    """Return whose turn it was last; whatever else stands there is nobody's, and must not stop a lane."""
    try:
        last = redis_client().get(turn)
    except redis.ResponseError:  # it is no string
        return _NOBODY
    return UUID(bytes=last) if isinstance(last, bytes) and len(last) == _ID_BYTES else _NOBODY


@cache
def redis_client() -> redis.Redis:
    """Return the process's Redis client. Redis holds ids and counters only, and may be flushed at any time."""
    url = settings().redis_url.get_secret_value()
    return redis.Redis.from_url(url, **redis_options(url))


def enqueue(
    session: Session, job: JobName, subject_id: UUID, *, not_before: datetime | None = None
) -> Outbox:
    """Owe `job` on `subject_id`: it runs once the caller's transaction has committed, and only then."""
    return enqueue_all(session, job, [subject_id], not_before=not_before)[0]


def enqueue_all(
    session: Session, job: JobName, subject_ids: Sequence[UUID], *, not_before: datetime | None = None
) -> list[Outbox]:
    """Owe `job` on each of many subjects, in one statement."""
    moment, trace = now(), tracing.traceparent()
    rows = [
        Outbox(
            id=new_id(),
            org_id=organization_of(session),
            created_at=moment,
            job=job,
            subject_id=subject_id,
            not_before=not_before or moment,
            traceparent=trace,
        )
        for subject_id in subject_ids
    ]
    session.add_all(rows)
    session.flush()
    session.execute(select(func.pg_notify(CHANNEL, "")))
    return rows
