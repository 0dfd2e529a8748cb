"""A mail server on loopback that keeps what it takes, and refuses as told."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from enum import StrEnum

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.local.mailbox import read_message
from deploy.local.processes import free_port

SLOW_SECONDS = 5.0


class Mood(StrEnum):
    """How it answers a mail until told otherwise."""

    TAKES = "takes"
    LATER = "later"  # 451
    REFUSES = "refuses"  # 550, for good
    LEAVES = "leaves"  # 421, and hangs up
    SLOW = "slow"


@dataclass(frozen=True)
class Mail:
    """One mail as it came.

    Attributes:
        links: Every address in it, each once.
    """

    message_id: str
    to: str
    subject: str
    links: tuple[str, ...]


class PostOffice:
    """The server; a context manager."""

    def __init__(self) -> None:
        self.mood = Mood.TAKES
        self.connections = 0
        self.port = free_port()
        self._mails: list[Mail] = []
        self._lock = threading.Lock()
        self._controller = Controller(
            self, hostname="127.0.0.1", port=self.port, server_hostname="localhost", enable_SMTPUTF8=True
        )

    def mails(self) -> list[Mail]:
        """Return what came so far, oldest first, doubles too."""
        with self._lock:
            return list(self._mails)

    def __enter__(self) -> PostOffice:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Count connections."""
        session.host_name = hostname
        self.connections += 1
        return responses

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a mail, or answer as the mood is."""
        match self.mood:
            case Mood.LATER:
                return "451 Come back later"
            case Mood.REFUSES:
                return "550 No such user"
            case Mood.LEAVES:
                if server.transport is not None:
                    asyncio.get_running_loop().call_later(0.05, server.transport.close)
                return "421 Shutting down"
            case Mood.SLOW:
                await asyncio.sleep(SLOW_SECONDS)
        content = envelope.content
        assert isinstance(content, bytes)
        read = read_message(content, list(envelope.rcpt_tos))
        message_id = str(message_from_bytes(content, policy=policy.default)["Message-ID"] or "").strip()
        with self._lock:
            self._mails.append(Mail(message_id, envelope.rcpt_tos[0], read.subject, read.links))
        return "250 Message kept"
