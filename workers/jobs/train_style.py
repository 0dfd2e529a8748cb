"""`train_style`: learn a company's look from the pictures that it gave for a style."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import progress
from core.brand import look_training
from core.portraits import engines
from core.settings import diffusion_settings
from workers.jobs.train import Watch
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Train; a second delivery, or one after the look was removed, does nothing.

    A job that is delivered again after its worker died goes on from the last sealed checkpoint.
    """
    if not diffusion_settings().diffusion_base:
        with job.finish() as session:
            look_training.fail(session, job.subject_id, engines.Fallback.ENGINE_OFF)
        return
    with job.step() as session:
        work = look_training.begin(session, job.subject_id)
    if work is None:
        with job.finish():
            return
    _train(job, work)


def _train(job: JobRun, work: look_training.Work) -> None:
    # Here, so that workers without torch can name this job.
    from workers.diffusion.looks import learn_look
    from workers.diffusion.resident import resident
    from workers.diffusion.train import Step, Stopped

    def tell(step: Step) -> None:
        progress.report(job.subject_id, "train", step.done / step.total, seconds_left=step.seconds_left)

    def keep(state: bytes) -> None:
        with job.step() as session:
            look_training.keep_checkpoint(session, job.subject_id, state)

    def ended() -> bool:
        with job.step() as session:
            return look_training.has_ended(session, job.subject_id)

    try:
        found = learn_look(
            resident(),
            work.pictures,
            work.seed,
            on_step=tell,
            stop=Watch(ended),
            keep=keep,
            resume=work.checkpoint,
        )
    except Stopped:
        with job.finish():
            return  # removed meanwhile, with its checkpoint
    facts = found.adapter.facts
    with job.finish() as session:
        look_training.store(
            session,
            job.subject_id,
            found.content,
            base=facts.base,
            revision=facts.revision,
            rank=facts.rank,
            steps=facts.steps,
            seed=facts.seed,
            seconds=round(found.meter.seconds, 2),
            watt_hours=found.meter.watt_hours,
        )


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Let the page say so; shoots go on without the look."""
    look_training.fail(session, subject_id, code)
