"""Starting a worker process: warm first, then one job after another."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import redis

from core import crew, gpu, logs
from core.db import demand_sessions
from core.errors import ConfigurationError
from core.observe import tracing
from core.observe.server import served
from core.queue import JobName, Lane
from core.settings import diffusion_settings
from workers.process.lanes import Worker

Memory = Callable[[], tuple[int, int]]


def work(lanes: list[Lane], *, burst: bool = False) -> None:
    """Warm up, then do the lanes' jobs by their shares until told to stop.

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
            "Set HEADSHOTS_DIFFUSION_BASE to `klein`, `sdxl` or `z-image` before starting a GPU worker."
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
    host = _host()
    with _telling(
        lambda: gpu.report(host, *memory()), lambda: gpu.leave(host), every_seconds=gpu.EVERY_SECONDS
    ):
        yield


def _host() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


@contextmanager
def _telling(tell: Callable[[], None], leave: Callable[[], None], *, every_seconds: float) -> Iterator[None]:
    stop = threading.Event()

    def keep_telling() -> None:
        while True:
            try:
                tell()
            except Exception as error:  # noqa: BLE001 - who says nothing any more counts as gone
                logs.logger().warning("presence_not_told", exc_info=error)
            if stop.wait(every_seconds):
                return

    telling = threading.Thread(target=keep_telling, name="presence", daemon=True)
    telling.start()
    try:
        yield
    finally:
        stop.set()
        telling.join(timeout=5)
        with suppress(redis.RedisError):
            leave()


def _prepare() -> None:
    logs.configure()
    tracing.start("worker")
    demand_sessions()
    logging.getLogger("rq").setLevel(logging.WARNING)
    from workers.process.runner import module_of

    for name in JobName:
        module_of(name)  # a job that is taken holds its lock at once, so the relay does not take it for lost


def _serve(lanes: list[Lane], *, burst: bool) -> None:
    host, ready = _host(), False

    def tell() -> None:
        nonlocal ready
        crew.report(host, lanes)
        ready = crew.stays_ready(host)

    logs.logger().info("worker_ready", lane=",".join(lanes))
    with served(), _telling(tell, lambda: crew.leave(host), every_seconds=crew.EVERY_SECONDS):
        Worker(lanes, lambda: ready and not burst).work(burst=burst, logging_level="WARNING")
