"""`generate`: make the pictures of everybody in a shoot whose turn it is, several people in one batch."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core.services import engines
from workers.runner import JobRun


def run(job: JobRun) -> None:
    """Generate for whoever waits in the shoot; a second delivery finds nobody and does nothing.

    Without an engine on this worker the studio takes over.
    """
    with job.finish() as session:
        for participation in engines.waiting(session, job.subject_id):
            engines.fall_back(session, participation, engines.Fallback.ENGINE_OFF)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Nobody is left waiting: the studio takes over for everybody whose turn it was."""
    for participation in engines.waiting(session, subject_id):
        engines.fall_back(session, participation, code)
