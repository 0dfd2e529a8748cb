"""`train`: learn a model of a person who agreed to that, then let the shoot's pictures be generated."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core.consent import ConsentRequired
from core.services import engines, participations
from workers.runner import JobRun


def run(job: JobRun) -> None:
    """Train; a second delivery, or one after the person left, does nothing.

    Without an engine on this worker the studio takes over.
    """
    with job.finish() as session:
        participation = participations.get(session, job.subject_id, lock=True)
        engines.fall_back(session, participation, engines.Fallback.ENGINE_OFF)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Nobody is left waiting: what the consents still allow, and otherwise the studio, takes over."""
    participation = participations.get(session, subject_id, lock=True)
    if code == ConsentRequired.code:
        engines.choose_again(session, participation)
    else:
        engines.fall_back(session, participation, code)
