"""Which workers there are and what they serve, and whether somebody is at a page; Redis forgets both in seconds."""

from __future__ import annotations

from collections.abc import Iterable

from core.queue import Lane, redis_client

EVERY_SECONDS = 5.0
# Two reports may be lost before a worker counts as gone.
KEEP_SECONDS = 16
# Somebody who sends selfies sends the next within this time.
PEOPLE_SECONDS = 20

_CREW = "crew"
_WORKER = "worker:"
_PEOPLE = "people"


def report(host: str, lanes: Iterable[Lane]) -> None:
    """Say that the worker `host` is there and serves `lanes`.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with redis_client().pipeline() as told:
        told.set(f"{_WORKER}{host}", ",".join(lanes), ex=KEEP_SECONDS)
        told.sadd(_CREW, host)
        told.execute()


def leave(host: str) -> None:
    """Say that the worker `host` has ended.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with redis_client().pipeline() as told:
        told.delete(f"{_WORKER}{host}")
        told.srem(_CREW, host)
        told.execute()


def alive() -> dict[str, set[Lane]]:
    """Return the workers that were there a moment ago and what each serves, of the lanes that this release knows.

    Raises:
        redis.RedisError: Redis does not answer, so nobody knows.
    """
    with redis_client().pipeline() as asked:
        asked.smembers(_CREW)
        known = sorted(name.decode() for name in asked.execute()[0])
        for host in known:
            asked.get(f"{_WORKER}{host}")
        found: dict[str, bytes | None] = dict(zip(known, asked.execute(), strict=True))
    gone = [host for host, lanes in found.items() if lanes is None]
    if gone:
        redis_client().srem(_CREW, *gone)
    return {
        host: {lane for lane in Lane if lane in lanes.decode(errors="replace").split(",")}
        for host, lanes in found.items()
        if lanes
    }


def stays_ready(host: str) -> bool:
    """Whether this worker is the one that stays ready for people while the others make pictures.

    It is the first by name of those that serve both; nobody is while there is only one, or while a worker serves
    people and makes no pictures anyway.

    Raises:
        redis.RedisError: Redis does not answer, so nobody knows.
    """
    serving = {who: lanes for who, lanes in alive().items() if Lane.INTERACTIVE in lanes}
    both = [who for who, lanes in serving.items() if Lane.BATCH in lanes]
    return len(both) > 1 and len(both) == len(serving) and both[0] == host


def somebody_is_there() -> None:
    """Note that something was done for a person at a page.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    redis_client().set(_PEOPLE, 1, ex=PEOPLE_SECONDS)


def is_somebody_there() -> bool:
    """Whether people are at pages, as far as their work tells.

    Raises:
        redis.RedisError: Redis does not answer, so nobody knows.
    """
    return bool(redis_client().exists(_PEOPLE))
