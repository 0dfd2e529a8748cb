"""Watching the render: server-sent events where they work, polling where they do not, reload-proof both ways."""

from __future__ import annotations

import json
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import redis
from flask import Blueprint, Response, url_for
from flask_babel import gettext as _
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from compliance import consent as consents
from core import gpu, progress
from core.db import transaction
from core.errors import Unavailable
from core.models import Headshot, Participation, State
from core.portraits import adapters, engines, headshots, photos, submission, verdicts
from core.queue import JobName
from core.shoots import participations
from core.web.answers import back, go, json_answer, page
from core.web.guards import me, signed_in
from portal import outcomes, words
from portal.visit import step_url, visit
from portal.way_back import way_back

bp = Blueprint("progress", __name__)

# Each stream holds one of the process's web threads (sixteen by default), so most stay free for pages.
MOST_STREAMS = 6
POLL_SECONDS = 1.0
HEARTBEAT_SECONDS = 15.0  # proxies cut connections that are silent for 30 to 60 s
LONGEST_STREAM_SECONDS = 300.0  # the browser connects again by itself
MOVING = frozenset({State.SUBMITTED, State.RENDERING})
# Steps of those who get a model of their own: percent at which each begins, and its share. Most of it is training.
_OF_A_MODEL = {"train": (0, 0.7), "learned": (70, 0.3), "generate": (70, 0.3)}
QUEUED, NO_GPU = "queued_gpu", "no_gpu"  # steps: waiting for a GPU worker, and for one that does not run

_free_streams = threading.BoundedSemaphore(MOST_STREAMS)


@dataclass(frozen=True)
class Watch:
    """What is watched, with every word and address made beforehand: a stream outlives its request."""

    org_id: UUID
    participation_id: UUID
    labels: dict[str, str]
    left: tuple[str, ...]
    fallbacks: dict[str, str]
    addresses: dict[State, str]
    trains: bool

    @classmethod
    def of(cls, session: Session, participation: Participation) -> Watch:
        """Return the watch on `participation`, in the language of this request."""
        addresses = {state: step_url(state) for state in State}
        return cls(
            participation.org_id,
            participation.id,
            words.steps(),
            words.minutes_left(),
            words.fallbacks(),
            addresses,
            engines.job_for(session, participation)[0] is JobName.TRAIN,
        )

    def status(self) -> dict[str, str | int]:
        """Return the state, 0 to 100 percent, the step in words, and where to go when it is over.

        `left` says how long the step still takes, where that is known; `note` why the studio took over.
        Both are empty otherwise.
        """
        with transaction(self.org_id) as session:
            row = participations.get(session, self.participation_id)
            state, fallback = State(row.state), row.fallback_code
        if state not in MOVING:
            return {
                "state": state.value,
                "percent": 100,
                "step": state.value,
                "label": self.labels.get(state.value, self.labels["done"]),
                "next": self.addresses[state],
            }
        report = progress.read(self.participation_id) or progress.Progress(state.value, 0)
        step = report.step
        if step == QUEUED and no_gpu_worker():
            step = NO_GPU
        return {
            "state": state.value,
            "percent": report.percent if fallback is not None else self._percent(report),
            "step": step,
            "label": self.labels.get(step, self.labels[state.value]),
            "left": "" if report.seconds_left is None else self._left(report.seconds_left),
            "note": "" if fallback is None else self.fallbacks.get(fallback, self.fallbacks[""]),
        }

    def _percent(self, report: progress.Progress) -> int:
        """Return how far the whole is, which never goes back from one step to the next."""
        if not self.trains or report.step not in _OF_A_MODEL:
            return report.percent
        start, share = _OF_A_MODEL[report.step]
        return round(start + share * report.percent)

    def _left(self, seconds: int) -> str:
        """Say how many minutes that is, rounded up: who waits is glad when it takes less."""
        return self.left[min(math.ceil(seconds / 60), len(self.left) - 1)]


def no_gpu_worker() -> bool:
    """Whether no GPU worker runs; if Redis cannot tell, nobody is told so."""
    try:
        return not gpu.alive()
    except redis.RedisError:
        return False


@bp.get("/me/progress")
@signed_in
def show() -> Response:
    """Show how far the studio is, or why it could not work with these photos."""
    with transaction(me().org_id) as session:
        place = visit(session)
        if place.state is State.FAILED:
            made = headshots.of_participation(session, place.participation.id)
            run = _failed_run(place.participation, made)
            held = [(one.withheld_code, one.gates) for one in run if one.withheld_code]
            reasons = words.failure(place.participation.failure_code, held)
            came = outcomes.of_run(
                photos.of_participation(session, place.participation.id), run, made[: len(made) - len(run)]
            )
            return page(
                "failed.html",
                place=place,
                reasons=reasons,
                outcomes=came,
                nearest=next((one for one in came if one.nearest), None),
                ours=words.is_ours(place.participation.failure_code, held),
                way_back=way_back(session, place),
                size_name=words.size,
            )
        if place.state not in MOVING:
            return go(step_url(place.state))
        sent = photos.of_participation(session, place.participation.id)
        put_in = sum(photo.put_in_by is not None for photo in sent)
        count = sum(verdicts.standing_of(photo) is verdicts.Standing.ACCEPTED for photo in sent)
        modelled = engines.expects(place.participation) and engines.is_modelled(session, place.participation)
        takes = words.takes(adapters.usual_seconds(session, place.shoot.engine)) if modelled else ""
        watch = Watch.of(session, place.participation)
        back = way_back(session, place)
    return page(
        "progress.html",
        place=place,
        status=watch.status(),
        count=count,
        put_in=put_in,
        takes=takes,
        way_back=back,
        size_name=words.size,
    )


def _failed_run(participation: Participation, made: Sequence[Headshot]) -> Sequence[Headshot]:
    """Return what the run withheld that failed; nothing where it came to no candidate and an earlier one is the last."""
    run = headshots.of_last_run(made)
    codes = [one.withheld_code for one in run]
    return run if participation.failure_code in codes and None not in codes else []


@bp.post("/me/progress/again")
@signed_in
def again() -> Response:
    """Have headshots made of the same photos, after a failure for a reason of ours."""
    try:
        with transaction(me().org_id) as session:
            place = visit(session)
            consents.require(session, place.member.id)
            submission.again(session, place.participation, actor=place.actor)
            return go(step_url(State(place.participation.state)))
    except (submission.NoGoodPhoto, submission.StillChecking, submission.StillAsks) as error:
        return back(error, url_for("upload.show"))


@bp.get("/me/progress.json")
@signed_in
def poll() -> Response:
    """Return where it stands now."""
    with transaction(me().org_id) as session:
        watch = Watch.of(session, visit(session).participation)
    return json_answer(watch.status())


@bp.get("/me/progress/events")
@signed_in
def events() -> Response:
    """Stream changes until the work is over; with all streams taken, the page polls instead."""
    with transaction(me().org_id) as session:
        watch = Watch.of(session, visit(session).participation)
    if not _free_streams.acquire(blocking=False):
        raise Unavailable(_("Many people are watching right now. The page asks again every few seconds."))
    response = Response(_stream(watch), mimetype="text/event-stream")
    # On close, not in the generator: one that was never started has no `finally` to run.
    response.call_on_close(_free_streams.release)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response


def _stream(watch: Watch) -> Iterator[str]:
    """Yield an event per change and a comment per silence; no connection is held in between."""
    began = spoke = time.monotonic()
    before = ""
    yield "retry: 2000\n\n"
    while time.monotonic() - began < LONGEST_STREAM_SECONDS:
        try:
            status = watch.status()
        except (OperationalError, InterfaceError):
            return  # Postgres restarts: the browser connects again
        event = json.dumps(status)
        if event != before:
            yield f"data: {event}\n\n"
            before, spoke = event, time.monotonic()
        elif time.monotonic() - spoke >= HEARTBEAT_SECONDS:
            yield ": still working\n\n"
            spoke = time.monotonic()
        if "next" in status:
            return
        time.sleep(POLL_SECONDS)
