"""Send an invitation."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from core import audit, locks, owed
from core.clock import now
from core.mail.message import Mail
from core.models import Invite, MailKind, Member, Participation, Shoot
from core.queue import JobName
from core.shoots import deliveries, invites, letters, reminders, reminding
from workers.process.postbox import post, written
from workers.process.runner import JobRun, NotYet


def run(job: JobRun) -> None:
    """Send the invite's mail and note when, to whoever has only to choose the mail that says so; nothing for one that was sent, withdrawn, overtaken by a newer one or has expired.

    A crash between the two sends the mail again, with the same Message-ID.

    Raises:
        NotYet: it is night where they are, and the mail can wait for the day.
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    mail = written(job, lambda session: mail_of(session, job.subject_id))
    if mail is not None and (seconds := _until_day(job)):
        raise NotYet(seconds)
    if mail is not None:
        post(job, mail)
    with job.finish() as session:
        whose = select(Invite.member_id).where(Invite.id == job.subject_id)
        locks.person(session, session.scalars(whose).one())
        invite, member = _with_member(session, job.subject_id)
        kind = letters.kind_of(invite, session.get_one(Participation, invite.participation_id))
        if mail is not None:
            invites.left(session, invite)
            deliveries.sent(session, job.outbox_id, invite.participation_id, kind)
            _record(session, invite, member, audit.Tag.INVITE_SENT)
            return
        if _is_spared(session, invite):
            invites.take_back(invite)
        if invite.sent_at is None and not invites.is_overtaken(session, invite):
            deliveries.unsent(session, job.outbox_id, invite.participation_id, kind)


def _until_day(job: JobRun) -> float:
    with job.step() as session:
        invite, member = _with_member(session, job.subject_id)
        return reminding.quiet_for(session, invite, member, now()).total_seconds()


def failed(session: Session, subject_id: UUID, code: str) -> None:
    """Tell the log that the person was not reached, so that HR can see and correct the address."""
    invite, member = _with_member(session, subject_id)
    locks.person(session, member.id)
    work = owed.newest(session, JobName.INVITE_MAIL, subject_id)
    if work is not None and not invites.is_overtaken(session, invite):
        kind = letters.kind_of(invite, session.get_one(Participation, invite.participation_id))
        deliveries.unsent(session, work.id, invite.participation_id, kind, code)
    if invite.revoked_at is None:
        _record(session, invite, member, audit.Tag.INVITE_UNDELIVERED, code=code)


def mail_of(session: Session, invite_id: UUID) -> Mail | None:
    """Return the mail that is owed for an invite; `None` for one that leads nowhere or was sent.

    A reminder that its person needs no more, since they finished, declined or asked for none, is never sent,
    however long it waited for the mail server.
    """
    # In one question, and the letter's too: a wave of mails asks nothing else.
    invite, member, participation, _ = session.execute(
        select(Invite, Member, Participation, Shoot)
        .join(Member, Member.id == Invite.member_id)
        .join(Participation, Participation.id == Invite.participation_id)
        .join(Shoot, Shoot.id == Participation.shoot_id)
        .where(Invite.id == invite_id)
    ).one()
    off = member.disabled_at is not None or member.restricted_at is not None
    gone = member.erased_at is not None or off or member.email is None
    if gone or invite.sent_at is not None or invite.revoked_at is not None or invite.expires_at <= now():
        return None
    if _is_spared(session, invite) or invites.is_overtaken(session, invite):
        return None
    if letters.kind_of(invite, participation) is MailKind.READY:
        return letters.ready(session, participation)
    return letters.reminder(session, invite) if invite.reminder else letters.invitation(session, invite)


def _is_spared(session: Session, invite: Invite) -> bool:
    """Whether an unsent reminder has become needless."""
    participation = session.get_one(Participation, invite.participation_id)
    return invite.reminder and invite.sent_at is None and not reminders.wanted(participation)


def _with_member(session: Session, invite_id: UUID) -> tuple[Invite, Member]:
    both = select(Invite, Member).join(Member, Member.id == Invite.member_id).where(Invite.id == invite_id)
    invite, member = session.execute(both).one()
    return invite, member


def _record(session: Session, invite: Invite, member: Member, tag: audit.Tag, **facts: audit.Fact) -> None:
    audit.record(session, tag, actor=audit.SYSTEM, subject=member, invite=str(invite.id), **facts)
