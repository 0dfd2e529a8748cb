"""`certify`: sign the certificate that an erasure has reached."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.certificate import issuing
from core.models import Erasure
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Issue the certificate; see `compliance.certificate.issuing.issue`."""
    with job.finish() as session:
        issuing.issue(session, session.get_one(Erasure, job.subject_id, with_for_update={"key_share": True}))


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Keep the reason: the page under the person's link then says that nothing was certified."""
    session.get_one(Erasure, subject_id).failure = code
