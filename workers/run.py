"""Starting a worker process: warm first, then one job after another."""

from __future__ import annotations

import logging

from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from core import logs
from core.queue import Lane, redis_client

# A resident process keeps the models warm; starting afresh now and then bounds what native code leaks.
JOBS_UNTIL_RESTART = 500


def work(lanes: list[Lane], *, burst: bool = False) -> None:
    """Warm up, then do the lanes' jobs in order of the lanes until told to stop.

    SIGTERM finishes the job at hand first. A job that dies with the process is delivered again.
    """
    logs.configure()
    logging.getLogger("rq").setLevel(logging.WARNING)
    from workers.vision import warm

    warm.warm()
    logs.logger().info("worker_ready", lane=",".join(lanes))
    connection = redis_client()
    queues = [Queue(lane, connection=connection, serializer=JSONSerializer) for lane in lanes]
    worker = SimpleWorker(
        queues,
        connection=connection,
        serializer=JSONSerializer,
        log_job_description=False,
        maintenance_interval=60,
    )
    worker.work(burst=burst, logging_level="WARNING", max_jobs=JOBS_UNTIL_RESTART)
