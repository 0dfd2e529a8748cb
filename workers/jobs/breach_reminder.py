"""Remind a company of breaches whose 72 hours run."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.breaches import reminders
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
        mails = reminders.mails(session)
    post_each(job, mails)
    with job.finish():
        pass  # only marks the work as done: which reminder it was stands in the register


def failed(session: Session, subject_id: UUID, code: str) -> None:  # noqa: ARG001 - the protocol's
    """Say that nobody was reached; the page Breaches shows the clock all the same."""
    logger().error("breach_reminder_undelivered", org=str(subject_id), code=code)
