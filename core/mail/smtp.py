"""Handing mails to the server in the settings, over lines that stay open. Nothing here ever logs an address."""

from __future__ import annotations

import io
import re
import smtplib
from email.generator import BytesGenerator
from email.message import EmailMessage
from email.policy import EmailPolicy
from uuid import UUID

from core.logs import logger
from core.mail import lines, returns
from core.mail.lines import Line
from core.mail.message import Mail, MailFailed, compose
from core.observe import metrics
from core.observe.metrics import MailOutcome

_STARTED, _TAKEN, _FORWARDED = 354, 250, 251  # RFC 5321 §4.2.3
_CLOSING = 421
# RFC 5321 §4.5.2; a line that is a dot would end the mail.
_FIRST_DOT = re.compile(rb"(?m)^\.")
_STATUS = re.compile(rb"([245]\.\d{1,3}\.\d{1,3})\b")  # RFC 2034 §4: the first thing after the reply


class _LineBroke(Exception):
    """The line ended before the mail was the server's, so that another may carry it."""

    def __init__(self, reply: int = 0) -> None:
        super().__init__(reply)
        self.reply = reply


def send(mail: Mail) -> None:
    """Hand `mail` to the server in the settings.

    The line stays open for the next mail, see `core.mail.lines`. Where one that was kept turns out to have
    ended before the mail was handed over, the mail goes over a new one at once. It is encrypted whenever the
    server can, and must be where a password travels or in production; the server's certificate is always checked.

    Raises:
        MailFailed: the server did not take it; `retryable` says whether trying again can help.
        ConfigurationError: the server's address or our sender's cannot be used.
    """
    message = compose(mail)
    failure = _deliver(message, mail.id if mail.is_tracked else None)
    # Raised here and not where it was caught: smtplib's errors carry the address, and would stay chained.
    if failure is not None:
        outcome = MailOutcome.FAILED if failure.retryable else MailOutcome.BOUNCED
        metrics.MAILS.labels(outcome).inc()
        logger().warning("mail_failed", code=failure.code, status=failure.reply)
        raise failure
    metrics.MAILS.labels(MailOutcome.SENT).inc()
    logger().info("mail_sent")


def _deliver(message: EmailMessage, tracked: UUID | None) -> MailFailed | None:
    """Return why the server did not take `message`, or `None` when it did."""
    try:
        line = lines.take()
        try:
            return _over(line, message, tracked)
        except _LineBroke:
            if line.carried == 0:
                raise
        lines.close()  # the others have ended as well
        return _over(lines.connect(), message, tracked)
    except _LineBroke as error:
        if error.reply:
            return _refusal(error.reply)
    except MailFailed as failure:
        return failure
    except smtplib.SMTPResponseException as error:
        # Greeting or sign-in refused: not this mail's fault, and an operator can mend it.
        return _refuses_us(error.smtp_code)
    except (smtplib.SMTPException, OSError):
        pass
    return MailFailed("The mail server cannot be reached. The mail waits and is tried again.", retryable=True)


def _over(line: Line, message: EmailMessage, tracked: UUID | None) -> MailFailed | None:
    """Hand `message` over, and keep the line if it can carry more.

    Raises:
        _LineBroke: it ended, and the server does not have the mail.
        smtplib.SMTPException, OSError: it ended, and nobody knows whether the server has the mail.
    """
    kept = False
    try:
        failure = _hand_over(line.smtp, message, tracked)
        line.carried += 1
        kept = failure is None or _reset(line.smtp)
        return failure
    finally:
        # The mail's fate is settled: how the line ends must not have it sent twice.
        lines.put_back(line) if kept else line.close()


def _hand_over(smtp: smtplib.SMTP, message: EmailMessage, tracked: UUID | None) -> MailFailed | None:
    (sender,), (recipient,) = message["From"].addresses, message["To"].addresses
    policy = message.policy
    assert isinstance(policy, EmailPolicy)
    options, wishes = list[str](), list[str]()
    return_path = (tracked and returns.address_of(tracked)) or sender.addr_spec
    if not (sender.addr_spec.isascii() and recipient.addr_spec.isascii()):
        if not smtp.has_extn("smtputf8"):
            return MailFailed(
                "The mail server cannot deliver to an address with such letters.", retryable=False
            )
        options, policy = ["SMTPUTF8", "BODY=8BITMIME"], policy.clone(utf8=True)
    if tracked and smtp.has_extn("dsn"):
        # RFC 3461: only of a failure, with nothing of the mail but its headers.
        options += ["RET=HDRS", f"ENVID={returns.token_of(tracked)}"]
        wishes.append("NOTIFY=FAILURE")
    content = io.BytesIO()
    BytesGenerator(content, policy=policy).flatten(message, linesep="\r\n")
    try:
        code = smtp.mail(return_path, options)[0]
        if code != _TAKEN:
            return _refuses_us(_or_broke(code))
        code, said = smtp.rcpt(recipient.addr_spec, wishes)
        if code not in (_TAKEN, _FORWARDED):
            return _refusal(_or_broke(code), said)
        code, said = smtp.docmd("data")
        if code != _STARTED:
            return _refusal(_or_broke(code), said)
        smtp.send(_ended(content.getvalue()))
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        # The dot at its end comes last, so what was not sent whole is nobody's.
        raise _LineBroke from error
    code, said = smtp.getreply()
    return None if code == _TAKEN else _refusal(_or_broke(code), said)


def _ended(content: bytes) -> bytes:
    """Return `content` as DATA carries it: dots doubled where they begin a line, and one that ends it."""
    return _FIRST_DOT.sub(b"..", content) + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")


def _or_broke(code: int) -> int:
    """Return a reply about this mail.

    Raises:
        _LineBroke: the reply is about the line: the server closes it, and has not taken the mail.
    """
    if code == _CLOSING:
        raise _LineBroke(code)
    return code


def _reset(smtp: smtplib.SMTP) -> bool:
    """Whether the line can carry another mail after a refusal."""
    try:
        return smtp.rset()[0] == _TAKEN
    except (smtplib.SMTPException, OSError):
        return False


def _refuses_us(reply: int) -> MailFailed:
    return MailFailed(
        "The mail server refuses our mails. The mail waits and is tried again.", retryable=True, reply=reply
    )


def _refusal(reply: int, said: bytes = b"") -> MailFailed:
    found = _STATUS.match(said)
    if reply >= 500:
        return MailFailed(
            "The mail server refuses this recipient. Please check the address.",
            retryable=False,
            reply=reply,
            reason=found.group(1).decode() if found else str(reply),
        )
    return MailFailed(
        "The mail server asks us to come back later. The mail waits and is tried again.",
        retryable=True,
        reply=reply,
    )
