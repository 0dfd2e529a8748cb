"""Starting a worker process: warm first, then one job after another."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import redis
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer

from core import gpu, logs
from core.db import demand_sessions
from core.errors import ConfigurationError
from core.observe.server import served
from core.queue import JobName, Lane, redis_client
from core.settings import diffusion_settings

Memory = Callable[[], tuple[int, int]]

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

    Args:
        lanes: never `Lane.GPU`: `work_on_gpu` serves it.
        burst: end when there is nothing left to do.
    """
    assert Lane.GPU not in lanes, "the GPU lane is for workers that hold an image model"
    from workers.process.warm import warm

    _prepare()
    warm()
    _serve(lanes, burst=burst)


def work_on_gpu(*, burst: bool = False) -> None:
    """Load the image model, then do the GPU lane's jobs until told to stop, and tell that this worker is there.

    Raises:
        ConfigurationError: no image model is named in the settings, or it cannot be used.
    """
    from workers.process.warm import warm

    if not diffusion_settings().diffusion_base:
        raise ConfigurationError(
            "Set HEADSHOTS_DIFFUSION_BASE to `klein` or `sdxl` before starting a GPU worker."
        )
    _prepare()
    warm()  # the finisher and the gates run here as well
    memory = warm_engine()
    with present(memory):
        _serve([Lane.GPU], burst=burst)


def warm_engine() -> Memory:
    """Load base and trainer once, so that the first person does not wait for it; return how to read its memory.

    Raises:
        ConfigurationError: weights are missing or refused, or the `gpu` extra is not installed.
    """
    try:
        from workers.diffusion.resident import resident
    except ImportError as error:
        raise ConfigurationError(
            "The engine `diffusion` needs torch, diffusers and peft. Run `make setup-gpu`."
        ) from error
    resident().warm()
    return resident().memory


@contextmanager
def present(memory: Memory = lambda: (0, 0)) -> Iterator[None]:
    """Say every few seconds, from a thread of its own, that this worker is there; at the end, that it has gone.

    A job holds the main thread for minutes. When the process dies, Redis forgets it.

    Args:
        memory: tells how many bytes of the GPU's memory are used, and how many there are; zeros without a GPU.
    """
    host = f"{socket.gethostname()}/{os.getpid()}"
    stop = threading.Event()

    def tell() -> None:
        while True:
            try:
                gpu.report(host, *memory())
            except redis.RedisError as error:
                logs.logger().warning("presence_not_told", exc_info=error)
            if stop.wait(gpu.EVERY_SECONDS):
                return

    telling = threading.Thread(target=tell, name="presence", daemon=True)
    telling.start()
    try:
        yield
    finally:
        stop.set()
        telling.join(timeout=5)
        with suppress(redis.RedisError):
            gpu.leave(host)


def _prepare() -> None:
    logs.configure()
    demand_sessions()
    logging.getLogger("rq").setLevel(logging.WARNING)
    from workers.process.runner import module_of

    for name in JobName:
        module_of(name)  # a job that is taken holds its lock at once, so the relay does not take it for lost


def _serve(lanes: list[Lane], *, burst: bool) -> None:
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
    with served():
        worker.work(burst=burst, logging_level="WARNING", max_jobs=JOBS_UNTIL_RESTART)
