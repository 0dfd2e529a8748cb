"""Mail a company that headshots end which nobody has downloaded."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance import ending
from core.logs import logger
from workers.process.postbox import post_each
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mails. A crash between two sends the first again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: an address is refused; the others have theirs.
    """
    with job.step() as session:
        mails = ending.mails(session)
    post_each(job, mails)
    with job.finish():
        pass  # only marks the work as done: the next is owed by when this one was


def failed(session: Session, subject_id: UUID, code: str) -> None:  # noqa: ARG001 - the protocol's
    """Say that a company was not reached; its dashboard says it all the same."""
    logger().error("ending_mail_undelivered", org=str(subject_id), code=code)
