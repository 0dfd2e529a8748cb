"""Tell a person that their link was opened where they never were."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import audit
from core.mail.message import Mail
from core.models import Member, WebSession
from core.shoots import letters
from workers.process.postbox import post, written
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail, unless the person was erased, has no access any more, or has shut everybody out since.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    mail = written(job, lambda session: _mail_of(session, job.subject_id))
    if mail is not None:
        post(job, mail, awaited=True)
    with job.finish():
        pass  # only marks the work as done: the session says already that its person is told


def _mail_of(session: Session, session_id: UUID) -> Mail | None:
    row = session.get_one(WebSession, session_id)
    member = session.get_one(Member, row.member_id)
    gone = member.erased_at is not None or member.disabled_at is not None or member.email is None
    return None if gone or row.device_sha256 is None else letters.opened(session, row)


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Tell the log that the person does not know; the next device is told to them all the same."""
    row = session.get_one(WebSession, subject_id)
    member = session.get_one(Member, row.member_id)
    if member.erased_at is None:
        audit.record(
            session,
            audit.Tag.DEVICE_UNDELIVERED,
            actor=audit.SYSTEM,
            subject=member,
            row=str(row.id),
            code=code,
        )
