"""A mail server that delivers nothing: it keeps what it gets in memory and shows it on a page.

For development, `demo` and tests only; everybody who can reach this machine's loopback can read it.
`python -m deploy.local.mailbox --smtp-port 2525 --http-port 8025` runs until it is stopped. Names and
addresses stay in memory: nothing is written to disk or logged.
"""

from __future__ import annotations

import json
import re
import signal
import threading
from base64 import b64encode
from collections import deque
from dataclasses import asdict, dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from html.parser import HTMLParser
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import click
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from core.clock import now, rfc3339
from core.ids import new_id

MOST_MESSAGES = 1000  # the oldest goes first
LARGEST_MESSAGE = 10_000_000  # bytes
LINK = re.compile(r"https?://[^\s<>\"']*[^\s<>\"'.,;:)\]]")  # a full stop after it belongs to the sentence


@dataclass(frozen=True, slots=True)
class Message:
    """One mail as it arrived.

    Attributes:
        id: Ours, part of its address.
        received: When.
        sender: As in the `From` header.
        to: The envelope's recipients.
        subject: Decoded.
        text: The plain part, empty if there is none.
        html: The HTML part with its inline pictures as `data:` addresses, empty if there is none.
        links: Every http(s) address in it, each once, in order.
    """

    id: UUID
    received: datetime
    sender: str
    to: tuple[str, ...]
    subject: str
    text: str
    html: str
    links: tuple[str, ...]


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.found += [value for name, value in attrs if name == "href" and value]


def read_message(raw: bytes, recipients: list[str]) -> Message:
    """Parse a mail as SMTP handed it over.

    Args:
        raw: RFC 5322 bytes.
        recipients: The envelope's.
    """
    mail = message_from_bytes(raw, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    plain, rich = mail.get_body(("plain",)), mail.get_body(("html",))
    text = str(plain.get_content()) if plain is not None else ""
    html = _inline_pictures(str(rich.get_content()), mail) if rich is not None else ""
    links = _Links()
    links.feed(html)
    found = [link for link in links.found if LINK.fullmatch(link)]
    found += LINK.findall(text)
    return Message(
        id=new_id(),
        received=now(),
        sender=str(mail["From"] or ""),
        to=tuple(recipients),
        subject=str(mail["Subject"] or ""),
        text=text,
        html=html,
        links=tuple(dict.fromkeys(found)),
    )


def _inline_pictures(html: str, mail: EmailMessage) -> str:
    for part in mail.walk():
        name = str(part["Content-ID"] or "").strip().strip("<>")
        if name and part.get_content_maintype() == "image":
            data = b64encode(part.get_content()).decode()
            html = html.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{data}")
    return html


class Mailbox:
    """The mails received so far, newest first; safe to use from several threads."""

    def __init__(self) -> None:
        self._messages: deque[Message] = deque(maxlen=MOST_MESSAGES)
        self._lock = threading.Lock()

    def add(self, message: Message) -> None:
        """Keep `message`, forgetting the oldest one when the box is full."""
        with self._lock:
            self._messages.appendleft(message)

    def messages(self, *, to: str | None = None) -> list[Message]:
        """Return the mails, newest first; with `to`, only that recipient's, in any case of letters."""
        with self._lock:
            kept = list(self._messages)
        if to is None:
            return kept
        return [message for message in kept if to.casefold() in (who.casefold() for who in message.to)]

    def get(self, message_id: str) -> Message | None:
        """Return one mail, None if it is unknown or already forgotten."""
        return next((message for message in self.messages() if str(message.id) == message_id), None)


class _Receiver:
    """What aiosmtpd calls for each mail."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's name
        content = envelope.content
        assert isinstance(content, bytes)
        self._mailbox.add(read_message(content, list(envelope.rcpt_tos)))
        return "250 Message kept"


# --- The page ---------------------------------------------------------------------------------------------

STYLE = """
:root{color-scheme:light dark;--line:color-mix(in srgb,CanvasText 18%,Canvas)}
*{box-sizing:border-box}
html{background:Canvas;color:CanvasText}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:0 auto;padding:1.5rem 1rem}
h1{font-size:1.5rem;overflow-wrap:anywhere}
ul{list-style:none;padding:0}
li{border-top:1px solid var(--line);padding:.75rem 0}
li a{font-weight:600}
p.meta,li span{color:color-mix(in srgb,CanvasText 70%,Canvas);display:block;overflow-wrap:anywhere}
iframe{width:100%;height:70vh;border:1px solid var(--line);border-radius:.5rem;background:#fff}
pre{white-space:pre-wrap;overflow-wrap:anywhere;border:1px solid var(--line);border-radius:.5rem;padding:1rem}
:focus-visible{outline:3px solid Highlight;outline-offset:2px}
"""
PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'; form-action 'none'"
)
# A mail may show its own pictures and open links in a new tab, and may do nothing else.
MAIL_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline';"
    " sandbox allow-popups allow-popups-to-escape-sandbox; frame-ancestors 'self'"
)


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style><body><main>{body}</main></body></html>"
    )


def _list_page(messages: list[Message]) -> str:
    if not messages:
        return _page(
            "Mailbox", "<h1>Mailbox</h1><p>No mail yet. Invite someone, then load this page again.</p>"
        )
    rows = "".join(
        f'<li><a href="/messages/{message.id}">{escape(message.subject or "(no subject)")}</a>'
        f"<span>to {escape(', '.join(message.to))}, {rfc3339(message.received)}</span></li>"
        for message in messages
    )
    return _page(
        f"Mailbox ({len(messages)})",
        f"<h1>Mailbox</h1><p>{len(messages)} mails, newest first.</p><ul>{rows}</ul>",
    )


def _message_page(message: Message) -> str:
    frame = (
        f'<h2>As sent</h2><iframe sandbox="allow-popups allow-popups-to-escape-sandbox"'
        f' src="/messages/{message.id}/html" title="The mail"></iframe>'
        if message.html
        else ""
    )
    text = LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', escape(message.text, quote=False))
    return _page(
        message.subject,
        f'<p><a href="/">All mails</a></p><h1>{escape(message.subject or "(no subject)")}</h1>'
        f'<p class="meta">from {escape(message.sender)}<br>to {escape(", ".join(message.to))}<br>'
        f"{rfc3339(message.received)}</p>{frame}<h2>Text part</h2><pre>{text or 'none'}</pre>",
    )


class _Handler(BaseHTTPRequestHandler):
    server: _WebServer

    def do_GET(self) -> None:
        host = self.headers.get("Host", "").rsplit(":", 1)[0]
        if host not in {"127.0.0.1", "localhost"}:
            # A page elsewhere whose name was re-bound to this machine must not read the mails.
            self._answer(HTTPStatus.FORBIDDEN, "Use the address 127.0.0.1.", "text/plain")
            return
        address = urlsplit(self.path)
        match address.path.strip("/").split("/"):
            case [""]:
                self._answer(HTTPStatus.OK, _list_page(self.server.mailbox.messages()))
            case ["healthz"]:
                self._answer(HTTPStatus.OK, "ok", "text/plain")
            case ["messages.json"]:
                to = parse_qs(address.query).get("to", [None])[0]
                found = [_as_json(message) for message in self.server.mailbox.messages(to=to)]
                self._answer(HTTPStatus.OK, json.dumps(found), "application/json")
            case ["messages", message_id, *rest] if message := self.server.mailbox.get(message_id):
                if not rest:
                    self._answer(HTTPStatus.OK, _message_page(message))
                elif rest == ["html"]:
                    html = '<meta charset="utf-8"><base target="_blank">' + message.html
                    self._answer(HTTPStatus.OK, html, policy=MAIL_POLICY)
                else:
                    self._not_found()
            case _:
                self._not_found()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Say nothing: an address may carry a person's."""

    def _not_found(self) -> None:
        body = '<h1>Not here</h1><p>The mail is unknown or no longer kept. <a href="/">All mails</a></p>'
        self._answer(HTTPStatus.NOT_FOUND, _page("Not here", body))

    def _answer(
        self, status: HTTPStatus, body: str, kind: str = "text/html", policy: str = PAGE_POLICY
    ) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(data)


def _as_json(message: Message) -> dict[str, object]:
    return asdict(message) | {"id": str(message.id), "received": rfc3339(message.received)}


class _WebServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, mailbox: Mailbox) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.mailbox = mailbox


@click.command()
@click.option("--smtp-port", type=int, required=True, help="Port on 127.0.0.1 that takes mail.")
@click.option("--http-port", type=int, required=True, help="Port on 127.0.0.1 that shows it.")
def main(smtp_port: int, http_port: int) -> None:
    """Keep mail in memory and show it, until stopped."""
    mailbox = Mailbox()
    web = _WebServer(http_port, mailbox)
    smtp = Controller(
        _Receiver(mailbox),
        hostname="127.0.0.1",
        port=smtp_port,
        server_hostname="localhost",
        data_size_limit=LARGEST_MESSAGE,
        enable_SMTPUTF8=True,
    )
    smtp.start()
    threading.Thread(target=web.serve_forever, daemon=True).start()
    click.echo(f"Mailbox: http://127.0.0.1:{http_port}/", err=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})
    smtp.stop()
    web.shutdown()


if __name__ == "__main__":
    # Before any thread exists, so that the signals reach sigwait and no other thread.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    main()
