"""Starting a worker process: warm first, then one job after another."""

from __future__ import annotations

import logging

import redis
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from core import logs
from core.queue import JobName, Lane, redis_client

# A resident process keeps the models warm; starting afresh now and then bounds what native code leaks.
JOBS_UNTIL_RESTART = 500


class Worker(SimpleWorker):  # type: ignore[misc]  # RQ's types are not followed
    """Goes on to the next job when Redis was flushed or restarted during one.

    RQ then fails at its own notes on a job that it no longer knows, and would end the process. What
    counts, the job's result and its outbox row, has been committed in Postgres.
    """

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do one job in this process."""
        try:
            super().execute_job(job, queue)
        except (InvalidJobOperation, NoSuchJobError, redis.RedisError) as error:
            logs.logger().warning("redis_forgot_the_job", outbox=job.id, exc_info=error)


def work(lanes: list[Lane], *, burst: bool = False) -> None:
    """Warm up, then do the lanes' jobs in order of the lanes until told to stop.

    SIGTERM finishes the job at hand first. A job that dies with the process is delivered again.
    """
    logs.configure()
    logging.getLogger("rq").setLevel(logging.WARNING)
    from workers.runner import module_of
    from workers.warm import warm

    for name in JobName:
        module_of(name)  # a job that is taken holds its lock at once, so the relay does not take it for lost
    warm()
    logs.logger().info("worker_ready", lane=",".join(lanes))
    connection = redis_client()
    queues = [Queue(lane, connection=connection, serializer=JSONSerializer) for lane in lanes]
    worker = Worker(
        queues,
        connection=connection,
        serializer=JSONSerializer,
        log_job_description=False,
        maintenance_interval=60,
    )
    worker.work(burst=burst, logging_level="WARNING", max_jobs=JOBS_UNTIL_RESTART)
