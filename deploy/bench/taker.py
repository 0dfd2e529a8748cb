"""Takes work as a worker does and does nothing with it: what handing over costs, without the work itself."""

from __future__ import annotations

import os
import signal
import threading

from rq import Queue
from rq.exceptions import DequeueTimeout
from rq.serializers import JSONSerializer

from core import crew
from core.queue import CPU_LANES, Lane, redis_client, take


def main() -> None:
    """Take whatever is due until stopped."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    connection = redis_client()
    queues = [Queue(lane, connection=connection, serializer=JSONSerializer) for lane in CPU_LANES]
    crew.report(str(os.getpid()), CPU_LANES)
    while not stop.is_set():
        try:
            found = Queue.dequeue_any(queues, 1, connection, serializer=JSONSerializer)
        except DequeueTimeout:
            continue
        if found is not None:
            connection.delete(found[0].key)
            take(Lane(found[1].name))


if __name__ == "__main__":
    main()
