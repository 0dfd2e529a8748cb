"""What mails say, whom they are from and what DNS says of their sender: changed, looked at, tried out, asked."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import dns.flags
import dns.message
import dns.rdatatype
import dns.rrset
import pytest
from conftest import add_member, add_participation, forget_process_state
from servers.smtp import PostOffice, serving
from sqlalchemy import select
from work import do_all_work

from core import audit
from core.db import transaction
from core.mail import sender_dns
from core.mail.message import compose
from core.mail.sender_dns import Verdict
from core.models import AuditEvent, Member, Organization
from core.shoots import invites, letters, wording

INVITE = "/admin/mails/invite/en"


@pytest.fixture
def post(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[PostOffice]:
    office = PostOffice()
    with serving(office) as port:
        monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{port}")
        forget_process_state()
        yield office


def invite(org: UUID, **values: str) -> None:
    row = add_participation(org, add_member(org, **values))
    with transaction(org) as session:
        invites.create(session, row, actor=audit.SYSTEM)
    do_all_work()


def test_a_company_words_its_invitation_and_our_promises_stay(
    org: UUID, browser: Any, post: PostOffice
) -> None:
    mine = {
        "subject": "Say cheese, {company}!",
        "lead": "We want to see you.\r\n\r\nUntil {deadline}, {left}.",
        "privacy": "We keep everything for ever.",
    }
    assert browser.post(INVITE, mine).status_code == 200
    invite(org)
    invite(org, first="Grete", language="de")
    english, german = post.mails
    assert english.subject == "Say cheese, Acme!"
    assert "We want to see you.\n\nUntil " in english.text.replace("\r\n", "\n")
    assert "14 days left." in english.text
    assert "for ever" not in english.text
    assert "erased 30 days after you approve it" in english.text
    assert german.subject.startswith("Dein neues Porträt")
    assert "cheese" not in german.subject
    assert "your words" in browser.get("/admin/mails").text
    assert browser.post(INVITE, {"action": "reset"}).status_code == 200
    assert "your words" not in browser.get("/admin/mails").text


@pytest.mark.parametrize(
    ("kind", "text", "problem"),
    [
        ("invite", {"subject": "Hi {first_name}"}, "does not know {first_name}"),
        ("invite", {"subject": "Hi {company.__class__}"}, "does not know {company.__class__}"),
        ("invite", {"title": "Hi {company!r}"}, "does not know {company}"),
        ("invite", {"lead": "a { b"}, "A brace stands alone"),
        ("invite", {"subject": "x" * 151}, "at most 150 letters"),
        ("remind", {"subject": "Hi", "title": "Hi", "lead": "Hi"}, "how many days are left: {left}"),
        ("data", {"lead": "{shoot}"}, "does not know {shoot}"),
    ],
)
def test_a_text_that_no_mail_could_say_is_refused_and_stays_typed(
    org: UUID, browser: Any, kind: str, text: dict[str, str], problem: str
) -> None:
    answer = browser.post(f"/admin/mails/{kind}/en", text, json=False)
    assert answer.status_code == 422
    assert problem in re.sub("&#39;|&#34;", "'", answer.text)
    assert next(iter(text.values())) in answer.text
    framed = browser.post(f"/admin/mails/{kind}/en/preview", text, json=False)
    assert framed.status_code == 422
    assert "frame-ancestors 'self'" in framed.headers["Content-Security-Policy"]


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_every_mail_can_be_looked_at_as_it_is(org: UUID, browser: Any, language: str) -> None:
    for kind in wording.KINDS:
        shown = browser.get(f"/admin/mails/{kind}/{language}/preview")
        assert shown.status_code == 200, kind
        assert f'<html lang="{language}">' in shown.text
        assert "{" not in browser.get(f"/admin/mails/{kind}/{language}/preview?as=text").text
        assert browser.get(f"/admin/mails/{kind}/{language}").status_code == 200
    assert browser.get("/admin/mails/other/en").status_code == 404
    assert browser.get("/admin/mails/invite/fr").status_code == 404


def test_a_test_mail_goes_to_whoever_asks_and_nobody_else(org: UUID, browser: Any, post: PostOffice) -> None:
    add_member(org)
    assert "to your own address" in browser.post(f"{INVITE}/test", {"title": "Try me"}).json["message"]
    (mail,) = post.mails
    assert mail.to == ("hr_admin@acme.example",)
    assert mail.subject.startswith("Test: ")
    assert "Try me" in mail.text
    post.answer = "550 5.7.1 no"
    assert browser.post(f"{INVITE}/test").status_code == 503
    assert "Try me" not in browser.get(INVITE).text, "a test saves nothing"


def test_mails_are_from_whom_the_company_says(org: UUID, browser: Any, post: PostOffice) -> None:
    given = {
        "sender_name": "Acme People",
        "reply_to": "people@acme.example",
        "quiet_from": "20",
        "quiet_until": "7",
        "language": "de",
        "formal_german": "sie",
    }
    for wrong in (
        {"sender_name": "boss@acme.example"},
        {"reply_to": "people"},
        {"reply_to": "bürger@acme.example"},  # no header can have it, so no mail could be sent
        {"quiet_from": "24"},
        {"language": "fr"},
        {"formal_german": "ihr"},
    ):
        assert browser.post("/admin/mails", given | wrong).json["error"]["code"] == "sender_unusable"
    assert browser.post("/admin/mails", given).status_code == 200
    with transaction(org) as session:
        row = session.scalars(select(Organization)).one()
        assert (row.quiet_from, row.quiet_until, row.language, row.formal_german) == (20, 7, "de", True)
        event = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == audit.Tag.MAIL_SENDER_CHANGED)
        ).one()
        assert "people@" not in str(event.facts)
        assert "formal_german" in event.facts["changed"]
    with transaction(org) as session:
        row = add_participation(org, add_member(org))
        mail = letters.ready(session, row)
    assert (mail.sender_name, mail.reply_to) == ("Acme People", "people@acme.example")


@pytest.fixture
def zone(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, list[str]]]:
    """A DNS server on loopback that says what stands in the dictionary."""
    texts: dict[str, list[str]] = {}
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                wire, whence = server.recvfrom(4096)
            except OSError:
                return
            query = dns.message.from_wire(wire)
            answer = dns.message.make_response(query)
            name = query.question[0].name
            if found := texts.get(name.to_text(omit_final_dot=True)):
                quoted = [f'"{one}"' for one in found]
                answer.answer.append(dns.rrset.from_text(name, 60, "IN", "TXT", *quoted))
            server.sendto(answer.to_wire(), whence)

    threading.Thread(target=serve, daemon=True).start()
    monkeypatch.setenv("HEADSHOTS_DNS_SERVER", f"127.0.0.1:{server.getsockname()[1]}")
    monkeypatch.setenv("HEADSHOTS_MAIL_FROM", "Acme Photos <photos@mail.acme.example>")
    monkeypatch.setenv("HEADSHOTS_SMTP_URL", "smtp://x:y@email-smtp.eu-central-1.amazonaws.com:587")
    monkeypatch.setenv("HEADSHOTS_DKIM_SELECTOR", "s1")
    forget_process_state()
    yield texts
    server.close()


@pytest.mark.parametrize(
    ("spf", "dkim", "dmarc", "verdicts"),
    [
        (
            ["v=spf1 include:amazonses.com ~all"],
            ["v=DKIM1; k=rsa; p=MIG"],
            ["v=DMARC1; p=reject"],
            "good good good",
        ),
        ([], [], [], "missing missing missing"),
        (["v=spf1 a ~all"], ["v=DKIM1; p="], ["v=DMARC1; rua=mailto:a@b.example"], "not_named empty empty"),
        (
            ["v=spf1 -all", "v=spf1 a -all"],
            ["x"],
            ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
            "several missing several",
        ),
        (["v=spf1 +all"], ["k=rsa; p=MIG"], ["v=spf1 a"], "open good missing"),
    ],
)
def test_the_senders_domain_is_asked_and_the_record_to_set_is_said(
    zone: dict[str, list[str]], spf: list[str], dkim: list[str], dmarc: list[str], verdicts: str
) -> None:
    zone |= {"mail.acme.example": spf, "s1._domainkey.mail.acme.example": dkim, "_dmarc.acme.example": dmarc}
    records = sender_dns.check()
    assert " ".join(one.verdict for one in records) == verdicts
    if records[0].verdict is not Verdict.GOOD:
        assert records[0].wanted.startswith("v=spf1 include:amazonses.com ")


def test_hr_reads_what_to_set_and_no_setting_of_ours(
    org: UUID, zone: dict[str, list[str]], signed_in: Callable[..., Any]
) -> None:
    zone["mail.acme.example"] = ["v=spf1 include:_spf.acme.example ~all"]
    page = signed_in().get("/admin/mails/dns").text
    assert "v=spf1 include:amazonses.com include:_spf.acme.example ~all" in page
    assert "s1._domainkey.mail.acme.example" in page
    assert "HEADSHOTS_" not in page


def test_a_dns_that_does_not_answer_is_told_and_breaks_nothing(
    zone: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HEADSHOTS_DNS_SERVER", f"127.0.0.1:{silent.getsockname()[1]}")
        monkeypatch.setattr(sender_dns, "DNS_SECONDS", 0.2)
        forget_process_state()
        assert {one.verdict for one in sender_dns.check()} == {Verdict.NO_ANSWER}


def test_mails_are_in_the_language_of_whoever_reads_them(org: UUID, browser: Any, post: PostOffice) -> None:
    with transaction(org) as session:
        session.scalars(select(Organization)).one().language = "de"
    # First signed in by the company's provider, say: nobody has said a language.
    invite(org)
    assert post.mails[-1].subject.startswith("Dein neues Porträt")
    invite(org, first="Bob", language="en")
    assert post.mails[-1].subject.startswith("Your new headshot")
    browser.get("/admin/mails?lang=en")
    with transaction(org) as session:
        hr = session.scalars(select(Member).where(Member.email == "hr_admin@acme.example")).one()
        assert hr.language == "en"
    browser.get("/admin/mails?lang=xx")
    browser.get("/admin/mails?lang=de")
    with transaction(org) as session:
        assert session.get_one(Member, hr.id).language == "de", "chosen for pages, so for mails too"


@pytest.mark.parametrize("language", wording.LANGUAGES)
def test_a_mail_says_in_which_language_it_is(org: UUID, language: str) -> None:
    with transaction(org) as session:
        row = add_participation(org, add_member(org, language=language))
        assert compose(letters.ready(session, row))["Content-Language"] == language
