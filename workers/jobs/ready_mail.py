"""Tell a person that their headshots can be looked at."""

from __future__ import annotations

from core.models import Member, State
from core.shoots import letters, participations
from workers.process.postbox import post
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail, unless the person has already moved on, was erased, or has no access any more.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    with job.read() as session:
        participation = participations.get(session, job.subject_id)
        member = session.get_one(Member, participation.member_id)
        gone = member.erased_at is not None or member.disabled_at is not None or member.email is None
        waits = participation.state == State.READY and not gone
        mail = letters.ready(session, participation) if waits else None
    if mail is not None:
        post(job, mail)
    with job.finish():
        pass  # only marks the work as done: the state was set with the headshots
