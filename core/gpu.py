"""Which GPU workers run: each says so every few seconds, and is forgotten when it stops saying so."""

from __future__ import annotations

import json
from dataclasses import dataclass

from core.queue import redis_client

PREFIX = "gpu_worker:"
EVERY_SECONDS = 10.0
# Two reports may be lost before a worker counts as gone.
KEEP_SECONDS = 35


@dataclass(frozen=True)
class GpuWorker:
    """A worker that was there a moment ago.

    Attributes:
        host: Its name, unique among the workers.
        memory_used: Bytes of its GPU; 0 where it works on a CPU.
        memory_total: Bytes of its GPU; 0 where it works on a CPU.
    """

    host: str
    memory_used: int
    memory_total: int


def report(host: str, memory_used: int, memory_total: int) -> None:
    """Say that the worker `host` is there; see `GpuWorker`.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    redis_client().set(f"{PREFIX}{host}", json.dumps([memory_used, memory_total]), ex=KEEP_SECONDS)


def leave(host: str) -> None:
    """Say that the worker `host` has ended.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    redis_client().delete(f"{PREFIX}{host}")


def alive() -> list[GpuWorker]:
    """Return the workers that were there a moment ago, by name.

    Raises:
        redis.RedisError: Redis does not answer, so nobody knows.
    """
    found = []
    for name in sorted(redis_client().scan_iter(f"{PREFIX}*", count=1000)):
        value = redis_client().get(name)
        if isinstance(value, bytes):  # it may have ended meanwhile
            found.append(GpuWorker(name.decode().removeprefix(PREFIX), *json.loads(value)))
    return found
