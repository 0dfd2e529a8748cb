"""Tell somebody that others had them erased, then forget where that mail went."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance import farewells
from core.mail.message import Mail
from core.models import Farewell
from workers.process.postbox import post, written
from workers.process.runner import JobRun, Permanent


def run(job: JobRun) -> None:
    """Send the mail. A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help, for a day.
        Permanent: the address is refused, or the day is over.
    """
    with job.step() as session:
        row = session.get_one(Farewell, job.subject_id)
        open_still, over = row.ended_at is None, farewells.is_over(row)
    if open_still and over:
        raise Permanent(farewells.TOO_LATE)
    mail = written(job, lambda session: _mail(session, job.subject_id)) if open_still else None
    if mail is not None:
        post(job, mail, awaited=True)
    with job.finish() as session:
        farewells.end(session, _locked(session, job.subject_id))


def _mail(session: Session, farewell_id: UUID) -> Mail:
    return farewells.mail(session, session.get_one(Farewell, farewell_id))


def _locked(session: Session, farewell_id: UUID) -> Farewell:
    return session.get_one(Farewell, farewell_id, with_for_update={"key_share": True})


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Note that the person was not told; the erasure goes on."""
    farewells.end(session, _locked(session, subject_id), failure=code)
