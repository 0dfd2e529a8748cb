"""Whom a company's mails to people are from, where answers go, how people are spoken to and when reminders rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from email_validator import EmailNotValidError, validate_email
from sqlalchemy.orm import Session

from core import audit
from core.errors import InvalidInput
from core.mail.message import can_be_addressed
from core.people import organizations
from core.settings import settings
from core.shoots.wording import LANGUAGES
from core.words import N_

LONGEST_NAME: Final = 120  # as wide as the column
DU: Final = "du"
SIE: Final = "sie"
_FIELDS: Final = ("sender_name", "reply_to", "quiet_from", "quiet_until", "language", "formal_german")


class SenderUnusable(InvalidInput):
    """A field of the sender cannot be used; nothing was changed."""

    code: ClassVar[str] = "sender_unusable"


@dataclass(frozen=True)
class Sender:
    """What a form says; see `Organization` for what each is. Empty names and addresses mean the usual ones.

    `formal_german` is `DU` or `SIE`.
    """

    sender_name: str
    reply_to: str
    quiet_from: str
    quiet_until: str
    language: str
    formal_german: str


def change(session: Session, wanted: Sender, *, actor: audit.Actor) -> None:
    """Have every mail from now on be from, and go by, what a form says.

    Raises:
        SenderUnusable: a field cannot be used; nothing was changed.
    """
    values = {
        "sender_name": _name(wanted.sender_name),
        "reply_to": _address(wanted.reply_to),
        "quiet_from": _hour("quiet_from", wanted.quiet_from),
        "quiet_until": _hour("quiet_until", wanted.quiet_until),
        "language": wanted.language,
        "formal_german": wanted.formal_german == SIE,
    }
    if wanted.language not in LANGUAGES:
        raise SenderUnusable(N_("Please choose a language from the list."), field="language")
    if wanted.formal_german not in (DU, SIE):
        raise SenderUnusable(
            N_("Please choose how German pages and mails address people."), field="formal_german"
        )
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    changed = [name for name in _FIELDS if getattr(organization, name) != values[name]]
    for name in changed:
        setattr(organization, name, values[name])
    if changed:
        session.flush()
        audit.record(session, audit.Tag.MAIL_SENDER_CHANGED, actor=actor, changed=" ".join(changed))


def _name(text: str) -> str:
    name = " ".join(text.split())
    # A name that looks like an address would have readers believe that it is one.
    if len(name) > LONGEST_NAME or not name.isprintable() or any(sign in name for sign in "@<>"):
        raise SenderUnusable(
            N_("Please give a sender’s name of at most 120 letters, without an address in it."),
            field="sender_name",
        )
    return name


def _address(text: str) -> str:
    if not text.strip():
        return ""
    try:
        found = validate_email(
            text.strip(), check_deliverability=False, test_environment=not settings().is_production
        )
    except EmailNotValidError:
        found = None
    if found is None or not can_be_addressed(found.normalized):
        raise SenderUnusable(
            N_("Please give a complete address for answers, like people@example.com."), field="reply_to"
        )
    return found.normalized


def _hour(field: str, text: str) -> int:
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 2 and int(text) <= 23):
        raise SenderUnusable(N_("Please give an hour from 0 to 23."), field=field)
    return int(text)
