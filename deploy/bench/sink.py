"""A mail server that takes everything and keeps nothing, in a process of its own: what it costs is not the product's."""

from __future__ import annotations

import signal
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class _Sink:
    async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        return "250 OK"


def main() -> None:
    """Take mail on a port of 127.0.0.1 until stopped."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    server = Controller(_Sink(), hostname="127.0.0.1", port=int(sys.argv[1]), server_hostname="localhost")
    server.start()
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    server.stop()


if __name__ == "__main__":
    main()
