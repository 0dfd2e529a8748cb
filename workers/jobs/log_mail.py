"""Tell the company and the operator that the evidence log is not what was signed."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from compliance.log import alarm
from core.logs import logger
from workers.process.postbox import post_each
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mails, unless everything agrees again. A crash between two sends the first again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: an address is refused; the others were told.
    """
    with job.step() as session:
        mails = alarm.mails(session)
    post_each(job, mails)
    with job.finish():
        pass  # only marks the work as done: the differences are noted already


def failed(session: Session, subject_id: UUID, code: str) -> None:  # noqa: ARG001 - the protocol's
    """Say that somebody does not know; the page, `/readyz` and `/metrics` tell all the same."""
    logger().error("log_mail_undelivered", org=str(subject_id), code=code)
