"""Mail servers for tests: real ones on loopback, with the manners that a test gives them."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from core.mail import lines
from deploy.local.mailbox import Message, read_message


class PostOffice:
    """Takes mails, and keeps them; or does what it is told instead.

    Attributes:
        answer: to a whole mail; anything but 250 takes none.
        mails: what was taken, doubles too.
        ids: the Message-ID of each of them.
        return_paths: where a report about each of them would go.
        sessions: the connection of each mail that was taken.
        connections: how many connections there were.
        at_sender: what it answers to MAIL, given the number of mails that the connection has brought; `None`
            for 250.
        closes_after: of how many mails it closes the connection without a word.
        pause: seconds until it answers to a whole mail.
    """

    def __init__(self) -> None:
        self.answer = "250 OK"
        self.mails: list[Message] = []
        self.ids: list[str] = []
        self.return_paths: list[str] = []
        self.sessions: list[Session] = []
        self.connections = 0
        self.at_sender: Callable[[int], str | None] = lambda _: None
        self.closes_after: int | None = None
        self.pause = 0.0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, session: Session, _envelope: Envelope, name: str, answers: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = name
        return answers

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = self.at_sender(self.sessions.count(session))
        if answer is not None:
            if answer.startswith("421"):
                asyncio.get_running_loop().call_later(0.05, server.transport.close)
            return answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        if self.pause:
            await asyncio.sleep(self.pause)
        if self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.ids.append(str(message_from_bytes(envelope.content)["Message-ID"] or "").strip())
            self.return_paths.append(envelope.mail_from or "")
            self.mails.append(read_message(envelope.content, list(envelope.rcpt_tos)))
            self.sessions.append(session)
            if self.closes_after is not None and self.sessions.count(session) >= self.closes_after:
                asyncio.get_running_loop().call_later(0.001, server.transport.close)
        return self.answer


@contextmanager
def serving(receiver: object, *, port: int | None = None, **options: Any) -> Iterator[int]:
    """Serve SMTP on loopback, and yield the port.

    Args:
        receiver: what aiosmtpd calls a handler.
        port: one that was served before, a free one if not given.
        options: of aiosmtpd's controller.
    """
    if port is None:
        # aiosmtpd's own check connects before it knows which port the system chose.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
    controller = Controller(receiver, hostname="127.0.0.1", port=port, server_hostname="mx.test", **options)
    controller.start()
    try:
        yield port
    finally:
        lines.close()  # first, as aiosmtpd leaves open what is open
        controller.stop()
