"""`purge`: remove the objects of artifacts that were marked for deletion."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from core.errors import Unavailable
from core.models import Artifact
from core.vault import Marked, vault
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Delete what is marked among the subject's artifacts: a member's, or one brand asset by its own id.

    Raises:
        Unavailable: an object was still there; the job is tried again.
    """
    with job.step() as session:
        marked = [
            Marked(*row)
            for row in session.execute(
                select(Artifact.id, Artifact.object_name).where(
                    or_(Artifact.member_id == job.subject_id, Artifact.id == job.subject_id),
                    Artifact.delete_requested_at.is_not(None),
                    Artifact.destroyed_at.is_(None),
                )
            )
        ]
    gone = vault().remove(marked)
    with job.finish() as session:
        vault().note_destroyed(session, gone)
        if len(gone) < len(marked):
            raise Unavailable("The storage kept an object that should be deleted; trying again.")


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Do nothing: only an operator ends this, and nobody can read what is marked."""
