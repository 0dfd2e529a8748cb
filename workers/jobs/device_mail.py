"""Tell a person that their link was opened where they never were."""

from __future__ import annotations

from core.models import Member, WebSession
from core.shoots import letters
from workers.process.postbox import post
from workers.process.runner import JobRun


def run(job: JobRun) -> None:
    """Send the mail, unless the person was erased, has no access any more, or has shut everybody out since.

    A crash after sending sends it again, with the same Message-ID.

    Raises:
        MailFailed: trying again can help.
        Permanent: the address is refused.
    """
    with job.read() as session:
        row = session.get_one(WebSession, job.subject_id)
        member = session.get_one(Member, row.member_id)
        gone = member.erased_at is not None or member.disabled_at is not None or member.email is None
        mail = None if gone or row.device_sha256 is None else letters.opened(session, row)
    if mail is not None:
        post(job, mail)
    with job.finish():
        pass  # only marks the work as done: the session says already that its person is told
