"""Tell a person that their company asks for another picture, and why."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session

from core import audit
from core.mail.message import Mail
from core.models import Member
from core.portraits import reviews
from core.shoots import letters, participations
from workers.process.postbox import post, written
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail, unless the person has chosen again meanwhile, was erased, or has no access any more.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    mail = written(job, lambda session: _mail_of(session, job.subject_id))
    if mail is not None:
        post(job, mail)
    with job.finish():
        pass  # only marks the work as done: the picture was given back before


def _mail_of(session: Session, participation_id: UUID) -> Mail | None:
    participation = participations.get(session, participation_id)
    member = session.get_one(Member, participation.member_id)
    off = member.disabled_at is not None or member.restricted_at is not None
    if member.erased_at is not None or off or member.email is None:
        return None
    flaw = reviews.asked_for(session, participation)
    return letters.again(session, participation, flaw) if flaw is not None else None


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Tell the log that the person was not reached; their page says the same."""
    participation = participations.get(session, subject_id)
    member = session.get_one(Member, participation.member_id)
    if member.erased_at is None:
        audit.record(
            session,
            audit.Tag.AGAIN_UNDELIVERED,
            actor=audit.SYSTEM,
            subject=member,
            participation=str(participation.id),
            code=code,
        )
