"""`certify`: read everything again, and sign the certificate that an erasure has reached.

The document is made between two transactions: whoever holds the log while it is typeset keeps everybody else of the company
waiting, and a second worker from being of use.
"""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.certificate import issuing, lines
from core.models import Erasure
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Issue the certificate; see `compliance.certificate.issuing`."""
    with job.step() as session:
        stored = lines.stored(session, session.get_one(Erasure, job.subject_id).member_id)
    files = lines.look_for(stored)
    while True:  # once, or twice where an earlier try announced what was reached before
        with job.step() as session:
            announced = issuing.announce(session, _locked(session, job.subject_id), files)
        if announced is None:
            break
        content = announced.typeset()
        with job.step() as session:
            issuing.keep(session, _locked(session, job.subject_id), announced, content)
    with job.finish() as session:
        session.get_one(Erasure, job.subject_id).failure = None


def _locked(session: Session, erasure_id: UUID) -> Erasure:
    return session.get_one(Erasure, erasure_id, with_for_update={"key_share": True})


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Keep the reason: only an operator ends this, and the page under the person's link then says so."""
    session.get_one(Erasure, subject_id).failure = code
