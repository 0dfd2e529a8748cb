"""One mail, sent over SMTP. Nothing here ever logs an address."""

from __future__ import annotations

import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from email import policy
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from functools import cache
from ipaddress import ip_address
from typing import ClassVar
from urllib.parse import unquote, urlsplit
from uuid import UUID

import idna

from core.clock import now
from core.errors import AppError, ConfigurationError
from core.ids import new_id
from core.logs import logger
from core.observe import metrics
from core.observe.metrics import MailOutcome
from core.settings import settings

# A server that answers at all does so within seconds; RFC 5321 §4.5.3.2 allows minutes, but a retry is cheaper
# than a worker that waits.
TIMEOUT_SECONDS = 20.0
WHOLE_HEADERS = ("List-Unsubscribe",)
PORTS = {"smtp": 587, "smtps": 465}  # RFC 6409 §3.1, RFC 8314 §3.3


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
    """

    code: ClassVar[str] = "mail_failed"
    status: ClassVar[int] = 503

    def __init__(self, message: str, *, retryable: bool, reply: int = 0) -> None:
        super().__init__(message)
        self.retryable = retryable
        self.reply = reply


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
        id: part of the Message-ID. Sending the same mail again with the same id lets mailboxes show it once.
    """

    to: str
    subject: str
    text: str
    html: str
    inline: tuple[Inline, ...] = ()
    sender_name: str | None = None
    reply_to: str | None = None
    unsubscribe: str | None = None
    id: UUID = field(default_factory=new_id)


@dataclass(frozen=True)
class _Server:
    host: str
    port: int
    user: str | None
    password: str
    implicit_tls: bool


def send(mail: Mail) -> None:
    """Hand `mail` to the server in the settings.

    The connection is encrypted whenever the server can, and must be where a password travels or in
    production; the server's certificate is always checked.

    Raises:
        MailFailed: the server did not take it; `retryable` says whether trying again can help.
        ConfigurationError: the server's address or our sender's cannot be used.
    """
    message = compose(mail)
    failure = _deliver(_server(settings().smtp_url.get_secret_value()), message)
    # Raised here and not where it was caught: smtplib's errors carry the address, and would stay chained.
    if failure is not None:
        outcome = MailOutcome.FAILED if failure.retryable else MailOutcome.BOUNCED
        metrics.MAILS.labels(outcome).inc()
        logger().warning("mail_failed", code=failure.code, status=failure.reply)
        raise failure
    metrics.MAILS.labels(MailOutcome.SENT).inc()
    logger().info("mail_sent")


def greet() -> None:
    """Connect to the server in the settings, encrypt, sign in, and leave.

    Raises:
        MailFailed: encryption or a sign-in is needed and the server offers none.
        ConfigurationError: the server's address cannot be used.
        smtplib.SMTPException: the server refuses.
        OSError: it does not answer, or its certificate is not trusted.
    """
    connection = _connect(_server(settings().smtp_url.get_secret_value()))
    with suppress(smtplib.SMTPException, OSError):
        connection.quit()
    connection.close()


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
    message["Message-ID"] = f"<{mail.id}@{_own_host()}>"
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
    return message


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


def _own_host() -> str:
    """The host that people know us by; never the machine's own name."""
    return urlsplit(settings().base_url).hostname or "localhost"


def _greeting() -> str:
    """What we say in EHLO: a name, or an address in brackets (RFC 5321 §4.1.3)."""
    host = _own_host()
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _server(url: str) -> _Server:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = None, None
    if parts is None or parts.scheme not in PORTS or not parts.hostname:
        raise ConfigurationError(
            "HEADSHOTS_SMTP_URL must look like smtp://user:password@host:587 or smtps://host:465."
        )
    return _Server(
        host=parts.hostname,
        port=port or PORTS[parts.scheme],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or ""),
        implicit_tls=parts.scheme == "smtps",
    )


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _deliver(server: _Server, message: EmailMessage) -> MailFailed | None:
    """Return why the server did not take `message`, or `None` when it did."""
    try:
        connection = _connect(server)
        try:
            connection.send_message(message)
        finally:
            # The mail's fate is settled: how the server says goodbye must not have it sent twice.
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
            connection.close()
    except smtplib.SMTPRecipientsRefused as error:
        # One recipient a mail, so one answer.
        return _refusal(next(iter(error.recipients.values()))[0])
    except smtplib.SMTPDataError as error:
        return _refusal(error.smtp_code)
    except MailFailed as failure:
        return failure
    except smtplib.SMTPResponseException as error:
        # Greeting, sign-in or sender refused: not this mail's fault, and an operator can mend it.
        return MailFailed(
            "The mail server refuses our mails. The mail waits and is tried again.",
            retryable=True,
            reply=error.smtp_code,
        )
    except smtplib.SMTPNotSupportedError:
        return MailFailed("The mail server cannot deliver to an address with such letters.", retryable=False)
    except (smtplib.SMTPException, OSError):
        return MailFailed(
            "The mail server cannot be reached. The mail waits and is tried again.", retryable=True
        )
    return None


def _refusal(reply: int) -> MailFailed:
    if reply >= 500:
        return MailFailed(
            "The mail server refuses this recipient. Please check the address.", retryable=False, reply=reply
        )
    return MailFailed(
        "The mail server asks us to come back later. The mail waits and is tried again.",
        retryable=True,
        reply=reply,
    )


def _connect(server: _Server) -> smtplib.SMTP:
    """Open, encrypt and sign in.

    Raises:
        MailFailed: encryption is needed and the server offers none.
        smtplib.SMTPException: the server refuses.
        OSError: it does not answer, or its certificate is not trusted.
    """
    if server.implicit_tls:
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, _greeting(), timeout=TIMEOUT_SECONDS, context=_tls()
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, _greeting(), timeout=TIMEOUT_SECONDS)
    try:
        connection.ehlo_or_helo_if_needed()
        if not server.implicit_tls:
            if connection.has_extn("starttls"):
                connection.starttls(context=_tls())
                connection.ehlo()
            elif server.user or settings().is_production:
                raise MailFailed(
                    "The mail server offers no encryption, so nothing was sent. Use smtps://, or turn on STARTTLS there.",
                    retryable=True,
                )
        if server.user:
            if not connection.has_extn("auth"):
                raise MailFailed(
                    "The mail server offers no sign-in, so nothing was sent. Take user and password out of HEADSHOTS_SMTP_URL, or turn it on there.",
                    retryable=True,
                )
            connection.login(server.user, server.password)
    except BaseException:
        connection.close()
        raise
    return connection
