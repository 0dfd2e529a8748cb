"""A mail and how it is written: text, HTML and pictures, in lines that every server takes."""

from __future__ import annotations

from dataclasses import dataclass, field
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import ClassVar
from urllib.parse import urlsplit
from uuid import UUID

import idna

from core.clock import now
from core.errors import AppError, ConfigurationError
from core.ids import new_id
from core.settings import settings

WHOLE_HEADERS = ("List-Unsubscribe",)


class _Policy(policy.EmailPolicy):
    """Keeps an address in a header whole: folded, it would be encoded, and no mail program could open it."""

    def fold(self, name: str, value: str) -> str:
        return f"{name}: {value}{self.linesep}" if name in WHOLE_HEADERS else super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        return (
            self.fold(name, value).encode("ascii")
            if name in WHOLE_HEADERS
            else super().fold_binary(name, value)
        )


class MailFailed(AppError):
    """The server did not take the mail.

    Attributes:
        retryable: False if this recipient or mail will be refused again (a 5xx answer to it); True for
            everything that time or an operator can mend.
        reply: the server's three-digit answer, 0 if there was none.
        reason: its enhanced status code (RFC 3463) such as `5.1.1`, empty if it gave none.
    """

    code: ClassVar[str] = "mail_failed"
    status: ClassVar[int] = 503

    def __init__(self, message: str, *, retryable: bool, reply: int = 0, reason: str = "") -> None:
        super().__init__(message)
        self.retryable = retryable
        self.reply = reply
        self.reason = reason


@dataclass(frozen=True)
class Inline:
    """A picture inside the mail, shown by `<img src="cid:…">`.

    Attributes:
        cid: letters and digits; unique in the mail.
        content: the file.
        media_type: e.g. `image/png`.
    """

    cid: str
    content: bytes
    media_type: str


@dataclass(frozen=True)
class Mail:
    """What one person gets.

    Attributes:
        to: one address.
        subject: one line; control characters and line breaks become spaces.
        text: the plain part, which says all that the HTML says.
        html: the HTML part.
        inline: its pictures.
        sender_name: whom the mail is from, beside the address in the settings; theirs by default.
        reply_to: address for answers.
        unsubscribe: https address that a POST of the mail program ends such mails with (RFC 8058).
        language: that it is in.
        id: part of the Message-ID. Sending the same mail again with the same id lets mailboxes show it once.
        is_tracked: whether a report that it reached nobody is asked for, and knows it again by `id`.
    """

    to: str
    subject: str
    text: str
    html: str
    inline: tuple[Inline, ...] = ()
    sender_name: str | None = None
    reply_to: str | None = None
    unsubscribe: str | None = None
    language: str | None = None
    id: UUID = field(default_factory=new_id)
    is_tracked: bool = False


def compose(mail: Mail) -> EmailMessage:
    """Return the message: text, HTML and pictures, all UTF-8, in lines that every server takes.

    Raises:
        MailFailed: the recipient's address cannot be one.
        ConfigurationError: the sender's address in the settings cannot be used.
    """
    message = EmailMessage(policy=_Policy(linesep="\r\n"))
    message["From"] = _sender(mail.sender_name)
    message["To"] = _address(mail.to)
    if mail.reply_to:
        message["Reply-To"] = _address(mail.reply_to)
    message["Subject"] = _one_line(mail.subject)
    message["Date"] = format_datetime(now())
    message["Message-ID"] = f"<{mail.id}@{own_host()}>"
    # RFC 3834 §5, and the header that keeps Exchange's out-of-office answers away.
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{_one_line(mail.unsubscribe)}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    rich = message.get_body(("html",))
    assert isinstance(rich, EmailMessage)
    for picture in mail.inline:
        kind, _, subtype = picture.media_type.partition("/")
        rich.add_related(
            picture.content,
            maintype=kind,
            subtype=subtype,
            cid=f"<{picture.cid}>",
            disposition="inline",
            filename=f"{picture.cid}.{subtype}",
        )
    if mail.language:
        message["Content-Language"] = mail.language  # last: whatever describes content moves with it
    return message


def can_be_addressed(address: str) -> bool:
    """Whether a mail can go to, or be answered at, an address: asked before it is kept, since each mail with it would fail."""
    try:
        _address(address)
    except MailFailed:
        return False
    return True


def _one_line(text: str) -> str:
    """No header can be started from within a value: whatever breaks or controls a line becomes a space."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def _address(address: str) -> Address:
    try:
        parsed = Address(addr_spec=address.strip())
        name = parsed.domain
        # Python's own codec, kinder to odd names in ASCII, takes `straße.example` for another domain.
        domain = name.encode("idna") if name.isascii() else idna.encode(name, uts46=True)
    except (MessageError, ValueError, IndexError):
        parsed, domain = None, b""
    if parsed is None or not parsed.username or not domain or _one_line(address) != address.strip():
        raise MailFailed("This mail address cannot be right. Please correct it.", retryable=False)
    return Address(username=parsed.username, domain=domain.decode("ascii"))


def _sender(name: str | None) -> Address:
    header = EmailMessage(policy=policy.SMTP)
    try:
        header["From"] = settings().mail_from
        (address,) = header["From"].addresses
    except (MessageError, ValueError, IndexError):
        address = None
    if not isinstance(address, Address) or not address.username or not address.domain:
        raise ConfigurationError(
            "HEADSHOTS_MAIL_FROM must be one sender, e.g. Acme Photos <photos@example.com>."
        )
    return Address(_one_line(name) if name else address.display_name, address.username, address.domain)


def own_host() -> str:
    """The host that people know us by; never the machine's own name."""
    return urlsplit(settings().base_url).hostname or "localhost"
