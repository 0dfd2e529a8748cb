"""`certify`: read everything again, and sign the certificate that an erasure has reached."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.certificate import issuing, lines
from core.models import Erasure
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Issue the certificate; see `compliance.certificate.issuing.issue`."""
    with job.step() as session:
        stored = lines.stored(session, session.get_one(Erasure, job.subject_id).member_id)
    files = lines.look_for(stored)
    with job.finish() as session:
        record = session.get_one(Erasure, job.subject_id, with_for_update={"key_share": True})
        issuing.issue(session, record, files)
        record.failure = None


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Keep the reason: only an operator ends this, and the page under the person's link then says so."""
    session.get_one(Erasure, subject_id).failure = code
