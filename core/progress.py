"""How far the work is: a step, a percentage and the time left, in Redis, for people who watch.

Only a convenience: the truth is the participation's state in Postgres, and a flushed Redis shows the
state alone until the next step.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import redis

from core.queue import redis_client

KEEP_SECONDS = 86_400


@dataclass(frozen=True)
class Progress:
    """How far the work is.

    Attributes:
        step: Its stable name; the page translates it.
        percent: 0 to 100.
        seconds_left: Until the step is over, where this machine knows from its own history.
    """

    step: str
    percent: int
    seconds_left: int | None = None


def report(subject_id: UUID, step: str, fraction: float, *, seconds_left: float | None = None) -> None:
    """Tell watchers; a Redis that does not answer never stops the work.

    Args:
        subject_id: whose work it is: a participation, or a look.
        step: stable name.
        fraction: of the step or of the whole, as the job counts it; 0 to 1.
        seconds_left: until the step is over; only where earlier jobs on this machine tell.
    """
    left = "" if seconds_left is None else f" {max(0, round(seconds_left))}"
    try:
        key = f"progress:{subject_id}"
        redis_client().set(key, f"{round(fraction * 100)} {step}{left}", ex=KEEP_SECONDS)
    except redis.RedisError:
        return


def read(subject_id: UUID) -> Progress | None:
    """Return the last report, if Redis has one."""
    try:
        value = redis_client().get(f"progress:{subject_id}")
    except redis.RedisError:
        return None
    if not isinstance(value, bytes):
        return None
    percent, step, *left = value.decode().split(" ")
    return Progress(step, int(percent), int(left[0]) if left else None)
