"""Lines to the mail server: opened, encrypted, signed in, and kept for the next mail.

A process keeps one line for each thread that sends. Opening one takes several round trips, a TLS handshake
and often a password check of the server's, which is slow on purpose; a mail over an open one takes four.
"""

from __future__ import annotations

import atexit
import os
import select
import smtplib
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import unquote, urlsplit

from core.errors import ConfigurationError
from core.mail.message import MailFailed, own_host
from core.settings import settings

# A server that answers at all does so within seconds; RFC 5321 §4.5.3.2 allows minutes, but a retry is cheaper
# than a worker that waits.
TIMEOUT_SECONDS: Final = 20.0
GOODBYE_SECONDS: Final = 2.0  # nobody waits for a server's goodbye
PORTS: Final = {"smtp": 587, "smtps": 465}  # RFC 6409 §3.1, RFC 8314 §3.3
# Servers count what idles against us (Postfix closes after 300 s, smtpd_timeout), and a mail wave has no gaps of seconds.
IDLE_SECONDS: Final = 10.0
# Servers end a line after a number of mails (Exim after 1,000, smtp_accept_max_per_connection; hosted ones earlier) and
# balance by connection; at a hundred, opening one costs a mail a hundredth of that.
MAILS_A_LINE: Final = 100
LIFE_SECONDS: Final = 300.0  # Postfix: smtp_connection_reuse_time_limit
# After this, a line that looks open is asked: a firewall may have forgotten it without a word.
ASKED_AFTER_SECONDS: Final = 1.0


@dataclass(frozen=True)
class _Server:
    host: str
    port: int
    user: str | None
    password: str
    implicit_tls: bool


@dataclass
class Line:
    """An open line.

    Attributes:
        smtp: signed in and, as far as the server can, encrypted.
        carried: how many mails it has carried.
    """

    smtp: smtplib.SMTP
    server: _Server
    carried: int = 0
    opened: float = field(default_factory=time.monotonic)
    rested: float = field(default_factory=time.monotonic)

    def close(self) -> None:
        """Say goodbye and close; whatever the server says to that."""
        with suppress(smtplib.SMTPException, OSError):
            if self.smtp.sock is not None:
                self.smtp.sock.settimeout(GOODBYE_SECONDS)
                self.smtp.quit()
        self.smtp.close()

    def drop(self) -> None:
        """Close without a word: after a fork the line is the parent's, who goes on with it."""
        if self.smtp.sock is not None:
            self.smtp.sock.close()

    def is_good(self) -> bool:
        """Whether it can carry another mail: not worn out, and neither ended nor told off by the server."""
        moment = time.monotonic()
        if self.carried >= MAILS_A_LINE or moment - self.opened > LIFE_SECONDS or self.smtp.sock is None:
            return False
        try:
            # A server that says something unasked says 421, and one that is gone leaves an end to read.
            if select.select([self.smtp.sock], [], [], 0)[0]:
                return False
            return moment - self.rested < ASKED_AFTER_SECONDS or self.smtp.rset()[0] == 250
        except (smtplib.SMTPException, OSError, ValueError):
            return False


class _Kept:
    """The process's open lines that carry nothing at the moment, the one used last at the end."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._idle: list[Line] = []
        self._closer: threading.Thread | None = None

    def pop(self) -> Line | None:
        with self._changed:
            return self._idle.pop() if self._idle else None

    def add(self, line: Line) -> None:
        line.rested = time.monotonic()
        with self._changed:
            self._idle.append(line)
            if self._closer is None:
                self._closer = threading.Thread(target=self._close_idle, name="mail-lines", daemon=True)
                self._closer.start()

    def close(self) -> None:
        with self._changed:
            over, self._idle = self._idle, []
        for line in over:
            line.close()

    def forget(self) -> None:
        """Drop what a fork copied; the lock too, which a thread of the parent may hold."""
        over, self._changed, self._idle, self._closer = self._idle, threading.Condition(), [], None
        for line in over:
            line.drop()

    def _close_idle(self) -> None:
        """Close what rested too long; end when nothing is left."""
        while True:
            with self._changed:
                self._changed.wait(IDLE_SECONDS / 4)
                long_ago = time.monotonic() - IDLE_SECONDS
                over = [line for line in self._idle if line.rested < long_ago]
                self._idle = [line for line in self._idle if line not in over]
                if not self._idle:
                    self._closer = None
            for line in over:
                line.close()
            if self._closer is not threading.current_thread():
                return


_kept = _Kept()
atexit.register(_kept.close)
os.register_at_fork(after_in_child=_kept.forget)


def take() -> Line:
    """Return a line that is open and looks good, or a new one.

    Raises:
        MailFailed, smtplib.SMTPException, OSError, ConfigurationError: see `connect`.
    """
    server = _configured()
    while (line := _kept.pop()) is not None:
        if line.server == server and line.is_good():
            return line
        line.close()
    return connect()


def connect() -> Line:
    """Return a new line.

    Raises:
        MailFailed: encryption or sign-in is needed and the server offers none.
        smtplib.SMTPException: the server refuses.
        OSError: it does not answer, or its certificate is not trusted.
        ConfigurationError: the server's address cannot be used.
    """
    server = _configured()
    return Line(_connect(server), server)


def put_back(line: Line) -> None:
    """Keep a line for the next mail."""
    _kept.add(line)


def close() -> None:
    """Close every line that carries nothing at the moment."""
    _kept.close()


def _greeting() -> str:
    """What we say in EHLO: a name, or an address in brackets (RFC 5321 §4.1.3)."""
    host = own_host()
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 4 else f"[IPv6:{address}]"


def _configured() -> _Server:
    url = settings().smtp_url.get_secret_value()
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
