"""Tell a person that the receipt of their decision is there."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.consent import receipts
from core.logs import logger
from workers.process.postbox import post
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail about the receipt of this id; to nobody who is out of reach by now.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    with job.step() as session:
        mail = receipts.mail(session, job.subject_id)
    if mail is not None:
        post(job, mail, awaited=True)
    with job.finish():
        pass  # only marks the work as done: the receipt lies on the person's page either way


def failed(session: Session, subject_id: UUID, code: str) -> None:  # noqa: ARG001 - the receipt lies on their page
    """Say in the log that a person was not told; their page has the receipt all the same."""
    logger().error("receipt_mail_undelivered", code=code)
