"""Mail the code that shows whose address asks for something."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.requests import public
from core.logs import logger
from workers.process.postbox import post
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail. A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    with job.step() as session:
        mail = public.mail(session, job.subject_id)
    if mail is not None:
        post(job, mail, awaited=True)
    with job.finish():
        pass  # only marks the work as done


def failed(session: Session, subject_id: UUID, code: str) -> None:  # noqa: ARG001 - the protocol's
    """Say that it could not be sent; a page that said so would tell a stranger which addresses there are."""
    logger().error("request_code_undelivered", request=str(subject_id), code=code)
