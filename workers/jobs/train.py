"""`train`: learn a model of a person who agreed to that, then let the shoot's pictures be generated."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Session

from compliance import consent
from core import progress
from core.consent import ConsentRequired
from core.models import Kind, State
from core.portraits import adapters, engines
from core.queue import JobName, enqueue
from core.settings import diffusion_settings
from core.shoots import participations
from core.vault import vault
from workers.pipeline import assignment
from workers.pipeline.assignment import Assignment
from workers.process.runner import JobRun

_ASK_EVERY: Final = 2.0  # seconds between two looks at the consent: a withdrawal ends training this soon


def run(job: JobRun) -> None:
    """Train; a second delivery, or one after the person left, does nothing.

    A job that is delivered again after its worker died goes on from the last sealed checkpoint.

    Raises:
        ConsentRequired: the person did not agree, or took it back meanwhile; nothing is left.
    """
    if not diffusion_settings().diffusion_base:
        with job.finish() as session:
            participation = participations.get(session, job.subject_id, lock=True)
            engines.fall_back(session, participation, engines.Fallback.ENGINE_OFF)
        return
    with job.step() as session:
        participation = participations.get(session, job.subject_id)
        expected = engines.expects(participation)
        planned = assignment.begin(session, job.subject_id, assignment.MODEL) if expected else None
        held = adapters.checkpoint(session, participation) if planned else None
    if planned is None:
        with job.finish():
            return
    _train(job, assignment.read(planned), vault().open(held) if held is not None else None)


def _train(job: JobRun, work: Assignment, resume: bytes | None) -> None:
    # Here, so that workers without torch can name this job.
    from workers.diffusion.examples import TooFewPhotos
    from workers.diffusion.learn import learn
    from workers.diffusion.resident import resident
    from workers.diffusion.train import Step, Stopped

    def tell(step: Step) -> None:
        fraction = step.done / step.total
        progress.report(job.subject_id, "train", fraction, seconds_left=step.seconds_left)

    def keep(state: bytes) -> None:
        sealed = adapters.seal(job.org_id, work.member_id, state, Kind.CHECKPOINT)
        with job.step() as session:
            adapters.keep_checkpoint(session, participations.get(session, job.subject_id, lock=True), sealed)

    def left() -> bool:
        with job.step() as session:
            participation = participations.get(session, job.subject_id)
            if participation.state != State.RENDERING:
                return True
            consent.require(session, participation.member_id, work.needs)
        return False

    try:
        learned = learn(
            resident(),
            work.photos,
            work.subjects,
            work.style,
            work.consent,
            work.seed,
            on_step=tell,
            stop=Watch(left),
            keep=keep,
            resume=resume,
        )
    except TooFewPhotos as error:
        with job.finish() as session:
            participation = participations.get(session, job.subject_id, lock=True)
            engines.fall_back(session, participation, error.code)
        return
    except Stopped:
        with job.finish() as session:  # declined or erased meanwhile
            adapters.drop_checkpoint(session, participations.get(session, job.subject_id, lock=True))
        return
    facts, meter = learned.adapter.facts, learned.meter
    sealed = adapters.seal(job.org_id, work.member_id, learned.content, Kind.ADAPTER)
    with job.finish() as session:
        participation = participations.get(session, job.subject_id, lock=True)
        adapters.spend(session, participation, meter.seconds, meter.watt_hours)
        adapters.drop_checkpoint(session, participation)
        if participation.state != State.RENDERING:
            return
        consent.require(session, participation.member_id, work.needs)
        adapters.store(
            session,
            participation,
            sealed,
            base=facts.base,
            revision=facts.revision,
            rank=facts.rank,
            steps=facts.steps,
            seed=facts.seed,
            photos=facts.photos,
            curve=[point.model_dump() for point in facts.curve],
            seconds=round(meter.seconds, 2),
            watt_hours=meter.watt_hours,
        )
        enqueue(session, JobName.GENERATE, participation.shoot_id)
    progress.report(job.subject_id, "learned", 0.0)


class Watch:
    """Says whether to stop; asked before each step, it looks only now and then."""

    def __init__(self, look: Callable[[], bool]) -> None:
        self._look = look
        self._next = 0.0

    def __call__(self) -> bool:
        """Return whether to stop; raises what looking raises, such as that a consent was taken back."""
        if time.monotonic() < self._next:
            return False
        self._next = time.monotonic() + _ASK_EVERY
        return self._look()


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Nobody is left waiting: what the consents still allow, and otherwise the studio, takes over."""
    participation = participations.get(session, subject_id, lock=True)
    adapters.drop_checkpoint(session, participation)
    if code == ConsentRequired.code:
        engines.choose_again(session, participation)
    else:
        engines.fall_back(session, participation, code)
