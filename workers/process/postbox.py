"""How jobs send mail."""

from __future__ import annotations

from dataclasses import replace

from core.mail import rate
from core.mail.message import Mail, MailFailed
from core.mail.smtp import send
from workers.process.runner import JobRun, NotYet, Permanent


def post(job: JobRun, mail: Mail, *, awaited: bool = False) -> None:
    """Send `mail` for `job`, always with the same Message-ID, so that a mail sent twice can be shown once.

    Args:
        job: whose mail it is.
        mail: to one person.
        awaited: somebody waits for it at their mailbox, so that no rate holds it back.

    Raises:
        NotYet: as many mails as may have left this second; it comes back.
        MailFailed: trying again can help.
        Permanent: this recipient is refused.
    """
    if wait := rate.wait_seconds(awaited=awaited):
        raise NotYet(wait)
    try:
        send(replace(mail, id=job.outbox_id))
    except MailFailed as error:
        if error.retryable:
            raise
        raise Permanent("mail_refused") from error
