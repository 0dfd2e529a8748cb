"""`render`: make a person's headshots in the shoot's style, measure them, let the person see what passed."""

from __future__ import annotations

import time
from uuid import UUID

from sqlalchemy.orm import Session

from core import progress
from core.models import State
from core.shoots import participations
from workers.engines import StudioEngine
from workers.pipeline import assignment
from workers.pipeline.render import render
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Render; a second delivery, or one after the person left, does nothing.

    The photos are read and the result is written in two short transactions: a render takes seconds,
    and no row stays locked for that long.
    """
    with job.step() as session:
        planned = assignment.begin(session, job.subject_id)
    if planned is None:
        with job.finish():
            return
    work = assignment.read(planned)
    started = time.monotonic()

    def tell(fraction: float, step: str) -> None:
        progress.report(job.subject_id, step, fraction)

    result = render(
        work.photos,
        work.style,
        work.consent,
        tell,
        work.backdrop,
        subjects=work.subjects,
        passed_over=work.passed_over,
        edit=work.edit,
    )
    seconds = time.monotonic() - started
    sealed = assignment.seal(job.org_id, work, result)
    with job.finish() as session:
        if assignment.keep(session, work, result, sealed, engine=StudioEngine.name, seconds=seconds):
            assignment.finished(session, job.subject_id, result, edited=work.edit is not None)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Tell the person that it did not work; their photos are safe and they can send them again."""
    participation = participations.get(session, subject_id, lock=True)
    if participation.state in (State.SUBMITTED, State.RENDERING):
        participations.fail(session, participation, code)
