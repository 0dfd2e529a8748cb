"""`train_style`: learn a company's look from the pictures that it gave for a style."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import progress
from core.brand import look_training
from core.models import Kind
from core.portraits import adapters, engines
from core.settings import diffusion_settings
from core.vault import vault
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
        sealed = adapters.seal(job.org_id, None, state, Kind.CHECKPOINT)
        with job.step() as session:
            look_training.keep_checkpoint(session, job.subject_id, sealed)

    def ended() -> bool:
        with job.step() as session:
            return look_training.has_ended(session, job.subject_id)

    try:
        found = learn_look(
            resident(),
            [(key, vault().open(held)) for key, held in work.pictures],
            work.seed,
            on_step=tell,
            stop=Watch(ended),
            keep=keep,
            resume=vault().open(work.checkpoint) if work.checkpoint is not None else None,
        )
    except Stopped:
        with job.finish():
            return  # removed meanwhile, with its checkpoint
    facts = found.adapter.facts
    sealed = adapters.seal(job.org_id, None, found.content, Kind.ADAPTER)
    with job.finish() as session:
        look_training.store(
            session,
            job.subject_id,
            sealed,
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
