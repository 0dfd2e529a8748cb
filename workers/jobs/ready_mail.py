"""Tell a person that their headshots can be looked at."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import audit, owed
from core.mail.message import Mail
from core.models import MailKind, Member, State
from core.queue import JobName
from core.shoots import deliveries, letters, participations
from workers.process.postbox import post, written
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail, unless the person has already moved on, was erased, or has no access any more.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    mail = written(job, lambda session: _mail_of(session, job.subject_id))
    if mail is not None:
        post(job, mail)
    with job.finish() as session:
        participation = participations.get(session, job.subject_id, lock=True)
        note = deliveries.sent if mail is not None else deliveries.unsent
        note(session, job.outbox_id, participation.id, MailKind.READY)


def _mail_of(session: Session, participation_id: UUID) -> Mail | None:
    participation = participations.get(session, participation_id)
    member = session.get_one(Member, participation.member_id)
    off = member.disabled_at is not None or member.restricted_at is not None
    gone = member.erased_at is not None or off or member.email is None
    waits = participation.state == State.READY and not gone
    return letters.ready(session, participation) if waits else None


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Tell the log that the person was not reached; the headshots wait on their page all the same."""
    participation = participations.get(session, subject_id, lock=True)
    if (work := owed.newest(session, JobName.READY_MAIL, subject_id)) is not None:
        deliveries.unsent(session, work.id, participation.id, MailKind.READY, code)
    member = session.get_one(Member, participation.member_id)
    if member.erased_at is None:
        audit.record(
            session,
            audit.Tag.READY_UNDELIVERED,
            actor=audit.SYSTEM,
            subject=member,
            participation=str(participation.id),
            code=code,
        )
