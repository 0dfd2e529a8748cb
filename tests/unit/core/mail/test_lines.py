"""Lines to the mail server that stay open: no mail lost, none sent twice, whatever the server does to the line."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from servers.smtp import PostOffice, serving

from core import settings as settings_module
from core.mail import lines
from core.mail.message import Mail, MailFailed
from core.mail.smtp import send

Point = Callable[[int], None]


@pytest.fixture
def point(monkeypatch: pytest.MonkeyPatch) -> Iterator[Point]:
    """Make a server's port the one of the settings."""
    required = [name for name, field in settings_module.Settings.model_fields.items() if field.is_required()]
    values = dict.fromkeys(required, "not used by mail, but must be there") | {
        "environment": "test",
        "base_url": "https://photos.example.com",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"HEADSHOTS_{name.upper()}", value)

    def set_up(port: int) -> None:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        settings_module.settings.cache_clear()

    yield set_up
    settings_module.settings.cache_clear()


@pytest.fixture
def office(point: Point) -> Iterator[PostOffice]:
    """A willing server."""
    receiver = PostOffice()
    with serving(receiver) as port:
        point(port)
        yield receiver


def mail_to(name: str) -> Mail:
    return Mail(to=f"{name}@example.com", subject="Hello", text="Hello\n.\n..dots", html="<p>Hello</p>")


def send_many(count: int) -> list[str]:
    names = [f"person{number}" for number in range(count)]
    for name in names:
        send(mail_to(name))
    return names


def received(office: PostOffice) -> Counter[str]:
    return Counter(mail.to[0].partition("@")[0] for mail in office.mails)


def test_many_mails_share_a_line(office: PostOffice) -> None:
    names = send_many(20)
    assert received(office) == Counter(names)
    assert office.connections == 1
    assert office.mails[0].text.splitlines() == ["Hello", ".", "..dots"]


@pytest.mark.parametrize("after", [1, 3])
def test_a_server_that_closes_after_some_mails_gets_each_once(office: PostOffice, after: int) -> None:
    office.closes_after = after
    names = send_many(9)
    assert received(office) == Counter(names)
    assert office.connections > 1


def test_a_server_that_closes_just_as_the_next_mail_comes_gets_each_once(office: PostOffice) -> None:
    office.closes_after = 1
    for number in range(8):
        send(mail_to(f"person{number}"))
        time.sleep(0.0025 * number)  # around the moment in which it closes
    assert received(office) == Counter(f"person{number}" for number in range(8))


def test_a_line_that_the_server_ends_with_421_is_replaced_at_once(office: PostOffice) -> None:
    office.at_sender = lambda carried: (
        "421 4.7.0 too many messages on this connection" if carried == 2 else None
    )
    names = send_many(7)
    assert received(office) == Counter(names)
    assert office.connections == 4


def test_a_server_that_is_closing_is_asked_again_later(office: PostOffice) -> None:
    office.at_sender = lambda _: "421 4.3.2 shutting down"
    with pytest.raises(MailFailed) as caught:
        send(mail_to("ada"))
    assert caught.value.retryable
    assert caught.value.reply == 421


def test_a_mail_that_is_answered_with_421_is_no_refused_recipient(office: PostOffice) -> None:
    send(mail_to("first"))
    office.answer = "421 later"
    with pytest.raises(MailFailed) as caught:
        send(mail_to("ada"))
    assert caught.value.retryable
    office.answer = "250 OK"
    send(mail_to("ada"))
    assert received(office) == Counter(["first", "ada"])


def test_a_refused_recipient_leaves_the_line_to_the_next(office: PostOffice) -> None:
    send(mail_to("first"))
    office.answer = "550 no such user"
    with pytest.raises(MailFailed):
        send(mail_to("nobody"))
    office.answer = "250 OK"
    send(mail_to("last"))
    assert office.connections == 1
    assert received(office) == Counter(["first", "last"])


def test_a_server_that_was_started_anew_gets_the_next_mail(point: Point) -> None:
    office = PostOffice()
    with serving(office) as port:
        point(port)
        send(mail_to("before"))
        kept = lines.take()
        lines.put_back(kept)
        # What the restart does to a line, without the goodbye that the end of the block would say.
        lines._kept.pop()
    with serving(office, port=port):
        lines.put_back(kept)
        send(mail_to("after"))
    assert received(office) == Counter(["before", "after"])


def test_a_server_that_answers_too_late_may_have_the_mail_and_is_not_given_it_twice_in_a_row(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(mail_to("first"))
    monkeypatch.setattr(lines, "TIMEOUT_SECONDS", 0.3)
    lines.close()
    send(mail_to("second"))
    office.pause = 1.0
    with pytest.raises(MailFailed) as caught:
        send(mail_to("slow"))
    assert caught.value.retryable
    time.sleep(1.0)
    assert received(office)["slow"] <= 1


def test_a_slow_server_gets_each_mail_once(office: PostOffice) -> None:
    office.pause = 0.1
    names = send_many(5)
    assert received(office) == Counter(names)
    assert office.connections == 1


def test_a_line_is_closed_after_a_number_of_mails(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "MAILS_A_LINE", 3)
    names = send_many(7)
    assert received(office) == Counter(names)
    assert office.connections == 3


def test_a_line_that_rests_is_closed(office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "IDLE_SECONDS", 0.2)
    send(mail_to("ada"))
    kept = lines.take()
    lines.put_back(kept)
    until = time.monotonic() + 3
    while kept.smtp.sock is not None and time.monotonic() < until:
        time.sleep(0.05)
    assert kept.smtp.sock is None
    send(mail_to("emmy"))
    assert office.connections == 2


def test_a_line_that_rested_is_asked_before_it_carries_a_mail(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "ASKED_AFTER_SECONDS", 0.0)
    names = send_many(3)
    assert received(office) == Counter(names)
    assert office.connections == 1


def test_threads_never_share_a_line(office: PostOffice) -> None:
    office.pause = 0.02
    threads = [
        threading.Thread(target=lambda part=part: [send(mail_to(f"p{part}x{n}")) for n in range(5)])
        for part in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert received(office) == Counter(f"p{part}x{n}" for part in range(4) for n in range(5))
    assert office.connections == 4


def test_a_child_process_leaves_its_parents_line_alone(office: PostOffice) -> None:
    send(mail_to("before"))
    child = os.fork()
    if child == 0:
        # An exit without Python's own clean-up, which is the parent's.
        os._exit(0 if lines._kept.pop() is None else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    send(mail_to("after"))
    assert office.connections == 1
    assert received(office) == Counter(["before", "after"])
