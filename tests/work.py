"""Doing owed work in the test's own process, through the real outbox, Redis and RQ."""

from __future__ import annotations

from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from core import relay
from core.queue import Lane, redis_client


def do_all_work() -> None:
    """Relay and run jobs until nothing is due."""
    while relay.publish_due():
        queues = [Queue(lane, connection=redis_client(), serializer=JSONSerializer) for lane in Lane]
        SimpleWorker(queues, connection=redis_client(), serializer=JSONSerializer).work(
            burst=True, logging_level="ERROR"
        )
