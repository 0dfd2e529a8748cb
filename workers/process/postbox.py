"""How jobs write and send mail."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlalchemy.orm import Session

from core.mail import rate
from core.mail.message import Mail, MailFailed
from core.mail.smtp import send
from core.people import organizations
from core.shoots import letters
from core.shoots.deliveries import REFUSED
from workers.process.runner import JobRun, NotYet, Permanent


def written(job: JobRun, write: Callable[[Session], Mail | None]) -> Mail | None:
    """Write a mail in a transaction; before it, fetch the company's logo where this process does not have it."""
    with job.step() as session:
        organization = organizations.current(session)  # kept, since the letter asks for it again
        logo = letters.unfetched_logo(session, organization)
        if logo is None:
            return write(session)
    letters.fetch_logo(logo)
    with job.step() as session:
        return write(session)


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
        raise Permanent(
            f"{REFUSED}_{error.reason}" if mail.is_tracked and error.reason else REFUSED
        ) from error


def post_each(job: JobRun, mails: Iterable[Mail]) -> None:
    """Send one piece of work's mails to several, which no rate holds back: a refused one keeps nobody else from theirs.

    Raises:
        MailFailed: trying again can help.
        Permanent: a recipient is refused, after all others were sent to.
    """
    refused: Permanent | None = None
    for mail in mails:
        try:
            post(job, mail, awaited=True)
        except Permanent as error:
            refused = error
    if refused is not None:
        raise refused
