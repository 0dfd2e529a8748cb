"""Tell a person about a step of their request."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.requests import letters, moves
from core import audit
from core.logs import logger
from core.models import AuditEvent
from workers.process.postbox import post
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail about the step whose event this is; to nobody who is out of reach by now.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    with job.step() as session:
        mail = letters.mail(session, job.subject_id)
    if mail is not None:
        post(job, mail, awaited=True)
    with job.finish():
        pass  # only marks the work as done: the step is in the log


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Say in the request's timeline that the person was not reached."""
    logger().error("request_mail_undelivered", code=code)
    row = moves.get(session, UUID(session.get_one(AuditEvent, subject_id).facts["request"]), lock=True)
    moves.note(session, row, "mail_undelivered", actor=audit.SYSTEM, code=code)
