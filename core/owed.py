"""Owed work that did not work yet: which is tried until it is done, when next, and how it is taken up again."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from core.clock import now
from core.models import Outbox
from core.queue import CHANNEL, JobName, Lane, lane_of

# A promise to somebody who cannot press a button: never given up because of what time or an operator can mend.
DELETIONS: Final = frozenset({JobName.ERASE, JobName.CERTIFY, JobName.PURGE})
MAILS: Final = frozenset(
    {
        JobName.INVITE_MAIL,
        JobName.READY_MAIL,
        JobName.AGAIN_MAIL,
        JobName.DATA_MAIL,
        JobName.DEVICE_MAIL,
        JobName.LOG_MAIL,
        JobName.CHECKPOINT_MAIL,
        JobName.RECALL_MAIL,
        JobName.RECEIPT_MAIL,
        JobName.REQUEST_CODE,
        JobName.REQUEST_MAIL,
        JobName.REQUEST_REMINDER,
        JobName.BREACH_REMINDER,
        JobName.FAREWELL_MAIL,
        JobName.ENDING_MAIL,
    }
)
UNTIL_DONE: Final = DELETIONS | MAILS

PAUSES_SECONDS: Final = (1, 4, 15, 60, 300, 900)  # the last one for as long as it takes
AT_A_PAGE_SECONDS: Final = 60  # the longest pause of work that somebody looks at a page for
# Each pause is up to this share shorter, so that those who failed together do not come back together.
_JITTER: Final = 0.25
ALONE_AFTER: Final = 2  # deaths of workers, until work runs in a process of its own
_WOKEN_AT_ONCE: Final = 1000


def pause(job: JobName, failures: int) -> timedelta:
    """Return how long to wait before `job` is tried again.

    Args:
        job: what failed.
        failures: how often by now, for whatever reason; from 1.
    """
    seconds = PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS)) - 1]
    if lane_of(job) is Lane.INTERACTIVE:
        seconds = min(seconds, AT_A_PAGE_SECONDS)
    return timedelta(seconds=seconds * random.uniform(1 - _JITTER, 1))  # noqa: S311 - no secret depends on it


def newest(session: Session, job: JobName, subject_id: UUID) -> Outbox | None:
    """Return what was last owed of a kind about a subject, done or not."""
    return session.scalar(
        select(Outbox)
        .where(Outbox.subject_id == subject_id, Outbox.job == job)
        .order_by(Outbox.id.desc())
        .limit(1)
    )


def warn(session: Session, job: JobName, subject_id: UUID) -> None:
    """Have what is owed about a subject run alone, where the same has killed workers before."""
    rows = session.scalars(select(Outbox).where(Outbox.subject_id == subject_id, Outbox.job == job)).all()
    killed = max((row.deaths for row in rows if row.failed_at is not None), default=0)
    for row in rows:
        if row.done_at is None and row.failed_at is None:
            row.deaths = max(row.deaths, min(killed, ALONE_AFTER))


def take_up(session: Session, row: Outbox) -> None:
    """Owe again at once what was given up, or waits; every try is counted anew.

    Work that killed its workers goes on alone, so that it kills no further one.
    """
    assert row.done_at is None, "what is done is not owed"
    row.failed_at = row.published_at = row.first_failed_at = row.error_code = None
    row.attempts = row.outages = 0
    row.deaths = min(row.deaths, ALONE_AFTER)
    row.not_before = now()
    session.flush()
    session.execute(select(func.pg_notify(CHANNEL, "")))


def wake(session: Session, code: str) -> int:
    """Make due at once what waits for the part that was away and answers again; return how much that is.

    Args:
        session: bound to the organization whose work waits.
        code: of the part, see `core.outages.Part`.
    """
    waiting = (
        select(Outbox.id)
        .where(
            Outbox.done_at.is_(None),
            Outbox.failed_at.is_(None),
            Outbox.published_at.is_(None),
            Outbox.not_before > now(),
            Outbox.error_code == code,
        )
        .limit(_WOKEN_AT_ONCE)
        .with_for_update(key_share=True, skip_locked=True)
    )
    woken = session.scalars(
        update(Outbox)
        .where(Outbox.id.in_(waiting))
        .values(not_before=now())
        .returning(Outbox.id)
        .execution_options(synchronize_session=False)
    ).all()
    if woken:
        session.execute(select(func.pg_notify(CHANNEL, "")))
    return len(woken)
