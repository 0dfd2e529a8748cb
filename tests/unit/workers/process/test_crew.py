"""Workers know of each other: one stays ready for people while the others make pictures."""

from __future__ import annotations

import threading

import pytest
from rq import Queue
from rq.serializers import JSONSerializer

from core import crew, relay
from core.queue import CPU_LANES, Lane, redis_client
from workers.process import lanes
from workers.process.lanes import Worker
from workers.process.run import _telling

pytestmark = pytest.mark.usefixtures("environment")


def looks_into(worker: Worker) -> list[str]:
    return [queue.name for queue in worker._ordered_queues]


def tell(lane: Lane, messages: int) -> Queue:
    """Tell a lane of work that is not there any more."""
    queue = Queue(lane, connection=redis_client(), serializer=JSONSerializer)
    message = Queue.prepare_data(relay.PERFORM, args=[lane.value], result_ttl=0, failure_ttl=0)
    queue.enqueue_many([message] * messages)
    return queue


def test_first_of_several_workers_stays_ready() -> None:
    crew.report("first", CPU_LANES)
    assert not crew.stays_ready("first")  # nobody else would make pictures
    crew.report("second", CPU_LANES)
    assert crew.stays_ready("first")
    assert not crew.stays_ready("second")
    crew.leave("first")
    assert not crew.stays_ready("second")


def test_nobody_stays_ready_where_a_worker_is_there_for_people_alone() -> None:
    for name in ("first", "second"):
        crew.report(name, CPU_LANES)
    crew.report("people", [Lane.INTERACTIVE])
    crew.report("pictures", [Lane.BATCH])
    assert not any(crew.stays_ready(name) for name in ("first", "second", "people", "pictures"))
    crew.leave("people")
    assert crew.stays_ready("first")


def test_worker_that_died_is_forgotten() -> None:
    crew.report("first", CPU_LANES)
    crew.report("second", CPU_LANES)
    assert 0 < redis_client().pttl("worker:first") <= crew.KEEP_SECONDS * 1000
    redis_client().delete("worker:first")  # as Redis does then
    assert set(crew.alive()) == {"second"}


def test_the_ready_one_makes_pictures_unless_somebody_is_at_a_page() -> None:
    ready, other = Worker(CPU_LANES, lambda: True), Worker(CPU_LANES)
    assert looks_into(ready) == looks_into(other) == list(CPU_LANES)
    crew.somebody_is_there()
    assert looks_into(ready) == [Lane.INTERACTIVE, Lane.PROOF, Lane.MAIL]
    assert looks_into(other) == list(CPU_LANES)
    redis_client().delete("people")  # as Redis does when nobody has been there for a while
    assert looks_into(ready) == list(CPU_LANES)


def test_photo_check_tells_that_somebody_is_there() -> None:
    tell(Lane.MAIL, 1)
    Worker(CPU_LANES).work(burst=True, logging_level="WARNING")
    assert not crew.is_somebody_there()
    tell(Lane.INTERACTIVE, 1)
    Worker(CPU_LANES).work(burst=True, logging_level="WARNING")
    assert crew.is_somebody_there()


def test_worker_starts_afresh_after_many_pictures_and_not_after_many_mails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lanes, "PICTURES_UNTIL_RESTART", 2)
    mails, pictures = tell(Lane.MAIL, 5), tell(Lane.BATCH, 3)
    Worker([Lane.MAIL]).work(burst=True, logging_level="WARNING")
    assert mails.count == 0
    Worker([Lane.BATCH]).work(burst=True, logging_level="WARNING")
    assert pictures.count == 1


def test_a_worker_of_another_release_is_known_by_the_lanes_that_both_have() -> None:
    crew.report("new", CPU_LANES)
    for host, serves in (("old", "cpu,express"), ("mixed", "cpu,mail")):
        redis_client().sadd("crew", host)
        redis_client().set(f"worker:{host}", serves, ex=crew.KEEP_SECONDS)
    assert crew.alive() == {"new": set(CPU_LANES), "old": set(), "mixed": {Lane.MAIL}}
    assert not crew.stays_ready("new")


@pytest.mark.parametrize("error", [ValueError, OSError])
def test_a_worker_goes_on_saying_that_it_is_there_whatever_went_wrong_once(error: type[Exception]) -> None:
    told = threading.Event()
    tries: list[int] = []

    def tell() -> None:
        tries.append(1)
        if len(tries) < 3:
            raise error
        told.set()

    with _telling(tell, lambda: None, every_seconds=0.01):
        assert told.wait(10)
