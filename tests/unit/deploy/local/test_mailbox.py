"""The mailbox as its own process, fed by smtplib and read over HTTP."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from deploy.local.mailbox import MOST_MESSAGES, Mailbox, read_message
from deploy.local.processes import Child, Supervisor, child_environment, free_port, python_module, wait_ready


@dataclass(frozen=True)
class Running:
    smtp_port: int
    web: httpx.Client


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    logs = tmp_path_factory.mktemp("mailbox")
    smtp_port, http_port = free_port(), free_port()
    command = python_module(
        "deploy.local.mailbox", "--smtp-port", str(smtp_port), "--http-port", str(http_port)
    )
    base = f"http://127.0.0.1:{http_port}"
    with Supervisor(logs) as supervisor, httpx.Client(base_url=base, trust_env=False) as web:
        supervisor.start(Child("mailbox", tuple(command), child_environment()))
        wait_ready(f"{base}/healthz", timeout=30)
        yield Running(smtp_port, web)
    log = (logs / "mailbox.log").read_text()
    assert "@example.com" not in log, "an address was logged"
    assert "Traceback" not in log, log


def mail(to: str, subject: str = "Your headshot, Zoë") -> EmailMessage:
    message = EmailMessage()
    message["From"] = "Acme <photos@example.com>"
    message["To"] = to
    message["Subject"] = subject
    message.set_content("Hello Zoë,\n\nopen https://photos.example.com/i/tok_en-1.\n")
    message.add_alternative(
        '<p onclick="alert(1)">Hello</p><img src="cid:logo"><script>document.title="owned"</script>'
        '<a href="https://photos.example.com/i/tok_en-1">Open</a><a href="https://photos.example.com/help?a=1&amp;b=2">?</a>',
        subtype="html",
    )
    rich = message.get_payload(1)
    assert isinstance(rich, EmailMessage)
    rich.add_related(b"\x89PNG", "image", "png", cid="<logo>")
    return message


def send(mailbox: Running, message: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", mailbox.smtp_port, timeout=10) as client:
        client.send_message(message)


def test_a_mail_sent_over_smtp_comes_back_whole_as_json(mailbox: Running) -> None:
    send(mailbox, mail("Zoe@example.com"))
    (found,) = mailbox.web.get("/messages.json", params={"to": "zoe@EXAMPLE.com"}).json()
    assert found["to"] == ["Zoe@example.com"]
    assert found["subject"] == "Your headshot, Zoë"
    assert "Hello Zoë" in found["text"]
    assert found["links"] == [
        "https://photos.example.com/i/tok_en-1",
        "https://photos.example.com/help?a=1&b=2",
    ]
    assert "data:image/png;base64,iVBORw==" in found["html"]


def test_the_list_shows_a_hostile_subject_as_text(mailbox: Running) -> None:
    send(mailbox, mail("eve@example.com", subject="<script>alert(1)</script>"))
    page = mailbox.web.get("/").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script" not in page


def test_a_mail_is_shown_where_its_scripts_cannot_run(mailbox: Running) -> None:
    send(mailbox, mail("sam@example.com"))
    (found,) = mailbox.web.get("/messages.json?to=sam@example.com").json()
    page = mailbox.web.get(f"/messages/{found['id']}")
    assert '<iframe sandbox="allow-popups' in page.text
    assert "allow-scripts" not in page.text
    body = mailbox.web.get(f"/messages/{found['id']}/html")
    assert "default-src 'none'" in body.headers["Content-Security-Policy"]
    assert "sandbox" in body.headers["Content-Security-Policy"]
    assert "<script" not in page.text


def test_links_of_the_text_part_can_be_clicked(mailbox: Running) -> None:
    send(mailbox, mail("kim@example.com"))
    (found,) = mailbox.web.get("/messages.json?to=kim@example.com").json()
    page = mailbox.web.get(f"/messages/{found['id']}").text
    assert (
        '<a href="https://photos.example.com/i/tok_en-1">https://photos.example.com/i/tok_en-1</a>.' in page
    )


def test_a_name_re_bound_to_this_machine_reads_nothing(mailbox: Running) -> None:
    answer = mailbox.web.get("/messages.json", headers={"Host": "evil.example.com"})
    assert answer.status_code == 403


@pytest.mark.parametrize("path", ["/nothing", "/messages/0", "/messages/0/html"])
def test_an_unknown_address_says_so(mailbox: Running, path: str) -> None:
    assert mailbox.web.get(path).status_code == 404


def test_the_oldest_mail_goes_when_the_box_is_full() -> None:
    mailbox = Mailbox()
    for number in range(MOST_MESSAGES + 5):
        mailbox.add(read_message(f"Subject: {number}\r\n\r\nhi".encode(), ["a@example.com"]))
    kept = [message.subject for message in mailbox.messages()]
    assert len(kept) == MOST_MESSAGES
    assert (kept[0], kept[-1]) == (str(MOST_MESSAGES + 4), "5")


def test_a_mail_without_any_header_is_kept() -> None:
    message = read_message(b"\r\njust words", ["a@example.com"])
    assert (message.subject, message.text.strip(), message.links) == ("", "just words", ())


def test_an_empty_box_says_what_to_do(tmp_path: Path) -> None:
    smtp_port, http_port = free_port(), free_port()
    command = python_module(
        "deploy.local.mailbox", "--smtp-port", str(smtp_port), "--http-port", str(http_port)
    )
    with Supervisor(tmp_path) as supervisor:
        supervisor.start(Child("mailbox", tuple(command), child_environment()))
        wait_ready(f"http://127.0.0.1:{http_port}/healthz", timeout=30)
        assert "No mail yet" in httpx.get(f"http://127.0.0.1:{http_port}/", trust_env=False).text
