"""How jobs send mail."""

from __future__ import annotations

from dataclasses import replace

from core.mail.message import Mail, MailFailed
from core.mail.smtp import send
from workers.process.runner import JobRun, Permanent


def post(job: JobRun, mail: Mail) -> None:
    """Send `mail` for `job`, always with the same Message-ID, so that a mail sent twice can be shown once.

    Raises:
        MailFailed: trying again can help.
        Permanent: this recipient is refused.
    """
    try:
        send(replace(mail, id=job.outbox_id))
    except MailFailed as error:
        if error.retryable:
            raise
        raise Permanent("mail_refused") from error
