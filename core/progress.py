"""How far a render is: a step and a percentage in Redis, for people who watch.

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
    """A step's stable name (the page translates it) and 0 to 100 percent."""

    step: str
    percent: int


def report(participation_id: UUID, step: str, fraction: float) -> None:
    """Tell watchers; a Redis that does not answer never stops the work."""
    try:
        key = f"progress:{participation_id}"
        redis_client().set(key, f"{round(fraction * 100)} {step}", ex=KEEP_SECONDS)
    except redis.RedisError:
        return


def read(participation_id: UUID) -> Progress | None:
    """Return the last report, if Redis has one."""
    try:
        value = redis_client().get(f"progress:{participation_id}")
    except redis.RedisError:
        return None
    if not isinstance(value, bytes):
        return None
    percent, _, step = value.decode().partition(" ")
    return Progress(step=step, percent=int(percent))
