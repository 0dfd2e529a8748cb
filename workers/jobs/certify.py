"""`certify`: sign the certificate that an erasure has reached."""

from __future__ import annotations

from compliance.certificate import issuing
from core.models import Erasure
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Issue the certificate; see `compliance.certificate.issuing.issue`."""
    with job.finish() as session:
        issuing.issue(session, session.get_one(Erasure, job.subject_id, with_for_update=True))
