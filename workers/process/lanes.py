"""The worker process's loop: it looks into its lanes by their shares and does what is next there."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import FrameType
from uuid import UUID

import redis
from rq import Queue, SimpleWorker
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker.base import StopRequested
from sqlalchemy.exc import DBAPIError

from core import crew, logs
from core.queue import Lane, redis_client, take
from workers.process import leaving, patience
from workers.process.runner import perform
from workers.process.shares import Shares

# A resident process keeps the models warm; starting afresh now and then bounds what native code leaks. Only what
# looks at pixels does.
PICTURES_UNTIL_RESTART = 500
# RQ looks anew after this less 15 s: a worker that stayed out of a lane asks again whether it still has to.
_TTL_SECONDS = 20
_WITHOUT_DATABASE_SECONDS = 1.0
# A mail takes hundredths of a second, as much as RQ's own notes on a message: a worker sends several for one. Somebody
# at a page waits that much longer at most.
_SEVERAL_SECONDS = {Lane.MAIL: 0.3}


def do_next(lane: str) -> None:
    """Do the next work of a lane, if there still is some; of short work several. RQ calls this; nothing escapes it."""
    ends = time.monotonic() + _SEVERAL_SECONDS.get(Lane(lane), 0.0)
    while (taken := _take(Lane(lane))) is not None:
        outbox_id, org_id = taken
        perform(str(outbox_id), org_id)
        if time.monotonic() >= ends or leaving.is_told():
            return


def _take(lane: Lane) -> tuple[UUID, UUID] | None:
    try:
        return take(lane)
    except DBAPIError as error:
        logs.logger().error("nothing_taken", lane=lane, exc_info=error)
        time.sleep(_WITHOUT_DATABASE_SECONDS)
        return None


class Worker(SimpleWorker):  # type: ignore[misc]  # RQ's types are not followed
    """Serves lanes by their shares.

    It goes on to the next job when Redis was flushed or restarted during one. RQ then fails at its own notes on
    a job that it no longer knows, and would end the process. What counts, the job's result and its outbox row,
    has been committed in Postgres.

    Args:
        lanes: that it serves.
        stays_ready: whether it is this worker that makes no pictures while people are at pages.
    """

    death_penalty_class = patience.Limit

    def __init__(self, lanes: Sequence[Lane], stays_ready: Callable[[], bool] = lambda: False) -> None:
        self._shares = Shares(lanes)
        self._stays_ready = stays_ready
        self._looking_into: list[Lane] = []
        self._pictures = 0
        connection = redis_client()
        self._lanes = {
            lane: Queue(lane, connection=connection, serializer=JSONSerializer) for lane in self._shares.lanes
        }
        super().__init__(
            list(self._lanes.values()),
            connection=connection,
            serializer=JSONSerializer,
            log_job_description=False,
            maintenance_interval=60,
            worker_ttl=_TTL_SECONDS,
        )

    @property
    def _ordered_queues(self) -> list[Queue]:
        """The lanes in the order to look into now; RQ asks each time before it looks."""
        lanes = self._shares.order()
        if self._stays_ready() and crew.is_somebody_there():
            lanes.remove(Lane.BATCH)
        self._looking_into = lanes
        return [self._lanes[lane] for lane in lanes]

    @_ordered_queues.setter
    def _ordered_queues(self, queues: list[Queue]) -> None:
        """RQ's own order, which is not by shares."""

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        """Finish what is at hand and end; who is killed before that has not died of it."""
        leaving.told()
        super().request_stop(signum, frame)

    def execute_job(self, job: Job, queue: Queue) -> None:
        """Do one job in this process."""
        lane = Lane(queue.name)
        self._shares.begin(lane, self._looking_into)
        started = time.monotonic()
        try:
            if lane is Lane.INTERACTIVE:
                crew.somebody_is_there()
            super().execute_job(job, queue)
        except (InvalidJobOperation, NoSuchJobError, redis.RedisError) as error:
            logs.logger().warning("redis_forgot_the_job", lane=lane.value, exc_info=error)
        self._shares.end(lane, time.monotonic() - started)
        self._pictures += lane in (Lane.INTERACTIVE, Lane.BATCH, Lane.GPU)
        if self._pictures >= PICTURES_UNTIL_RESTART:
            raise StopRequested
