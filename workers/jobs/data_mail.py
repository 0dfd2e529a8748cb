"""Send a person the link to their data that somebody with their address asked for."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import audit
from core.mail.message import Mail
from core.people import data_links
from core.shoots import letters
from workers.process.postbox import post, written
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail; to nobody where the address was nobody's, or the person is out of reach by now.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    mail = written(job, lambda session: _mail_of(session, job.subject_id))
    if mail is not None:
        post(job, mail, awaited=True)
    with job.finish() as session:
        if mail is not None and (member := data_links.reachable(session, job.subject_id)) is not None:
            audit.record(session, audit.Tag.DATA_LINK_SENT, actor=audit.SYSTEM, subject=member)


def _mail_of(session: Session, member_id: UUID) -> Mail | None:
    member = data_links.reachable(session, member_id)
    return letters.data(session, member) if member else None


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Tell the log alone: a page that said that no mail arrived would tell a stranger who is known here."""
    member = data_links.reachable(session, subject_id)
    if member is not None:
        audit.record(session, audit.Tag.DATA_LINK_UNDELIVERED, actor=audit.SYSTEM, subject=member, code=code)
