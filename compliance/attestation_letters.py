"""Reminding the operator once a month that somebody should attest again that no backup holds the epoch keys."""

from __future__ import annotations

from typing import Final

from compliance.log.alarm import plain
from core import attestations
from core.logs import logger
from core.mail import smtp
from core.settings import settings

SUBJECT: Final = "Attest that no backup holds the epoch keys"
TEXT: Final = """For {address}: {overdue}. Each deletion certificate says so.

See on every host that it still is as the following sentence says, then run

headshots keys attest --name "Your full name"

{sentence}"""


def remind() -> None:
    """Say in the log, and by mail to `HEADSHOTS_OPERATOR_EMAIL`, that an attestation is overdue: once a month.

    Raises:
        MailFailed: the server did not take the mail; the operator counts as not reminded.
    """
    overdue = attestations.reminder_due()
    if not overdue:
        return
    logger().warning("keyring_not_attested")
    if to := settings().operator_email:
        text = TEXT.format(
            address=settings().base_url, overdue=overdue, sentence=attestations.place().sentence
        )
        smtp.send(plain(to, SUBJECT, text))
    attestations.reminded()
