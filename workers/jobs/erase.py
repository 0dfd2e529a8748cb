"""`erase`: destroy a person's key and objects, and check that both are gone."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance import erasure
from core.models import Erasure
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Execute the erasure; see `compliance.erasure.execute`."""
    with job.step() as session:
        member_id, marked = erasure.held(session, session.get_one(Erasure, job.subject_id))
    gone = erasure.remove(member_id, marked)
    with job.finish() as session:
        record = session.get_one(Erasure, job.subject_id, with_for_update={"key_share": True})
        if record.objects_destroyed_at is None:
            erasure.execute(session, record, gone)
        record.failure = None


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Keep the reason: only an operator ends this, and the page under the person's link then says so."""
    session.get_one(Erasure, subject_id).failure = code
