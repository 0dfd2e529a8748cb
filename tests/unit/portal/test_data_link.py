"""A link to one's data, asked for by mail: after every link has ended, and without telling who is known here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from conftest import forget_process_state
from flask import Blueprint, Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from work import do_all_work

from core import audit, clock
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import (
    AuditEvent,
    Invite,
    Member,
    Outbox,
    Participation,
    Shoot,
    SignInMethod,
    State,
    WebSession,
)
from core.people import data_links
from core.queue import JobName
from core.shoots import invites, shoots
from deploy.local.processes import Child, Supervisor, child_environment, free_port, python_module, wait_ready

ASK = "/trust/acme/data"
# What a link to one's data opens; everything else under `/me/` is shut to it.
TAKES_BACK = {
    "by_company.end",
    "declined.decline",
    "declined.initials",
    "own_requests.send",
    "privacy.erase",
    "privacy.withdraw",
    "strangers.leave",
}
SHOWS = {
    *("consent.ended", "consent.step", "declined.avatar", "declined.own_picture", "declined.poll"),
    *(
        "declined.show",
        "gallery.before",
        "gallery.close_up",
        "gallery.download",
        "gallery.show",
        "gallery.view",
    ),
    *(
        "privacy.ask",
        "privacy.show",
        "own_copy.everything",
        "own_copy.provided",
        "own_copy.report",
        "own_copy.schema",
        "progress.events",
        "progress.poll",
        "progress.show",
        "receipts.document",
        "receipts.record",
    ),
    "strangers.ask",
}


@pytest.fixture(scope="module")
def mailbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """The product's own mailbox as a process: its SMTP port and the address of its pages."""
    smtp, web = free_port(), free_port()
    command = python_module("deploy.local.mailbox", "--smtp-port", str(smtp), "--http-port", str(web))
    address = f"http://127.0.0.1:{web}"
    with Supervisor(tmp_path_factory.mktemp("mailbox")) as supervisor:
        supervisor.start(Child("mailbox", tuple(command), child_environment()))
        wait_ready(f"{address}/healthz", timeout=30)
        yield smtp, address


@pytest.fixture
def mails(mailbox: tuple[int, str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Ask for what arrived for an address, newest first."""
    smtp, address = mailbox
    monkeypatch.setenv("HEADSHOTS_SMTP_URL", f"smtp://127.0.0.1:{smtp}")
    forget_process_state()
    seen = {mail["id"] for mail in httpx.get(f"{address}/messages.json", trust_env=False).json()}

    def arrived(to: str | None = None) -> list[dict[str, Any]]:
        found = httpx.get(f"{address}/messages.json", params={"to": to} if to else {}, trust_env=False).json()
        return [mail for mail in found if mail["id"] not in seen]

    return arrived


@pytest.fixture
def stranger(portal: Flask) -> FlaskClient:
    """A browser that was never here."""
    return portal.test_client()


def _ask(browser: FlaskClient, email: str, address: str = ASK) -> Any:
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(address).text)
    assert found
    return browser.post(address, data={"csrf_token": found[1], "email": email})


def _open(browser: FlaskClient, link: str) -> Any:
    path = urlsplit(link).path
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(path).text)
    assert found
    return browser.post(path, data={"csrf_token": found[1]})


def _link(person: Any) -> str:
    with transaction(person.org_id) as session:
        return data_links.link_of(session.get_one(Member, person.member.id))


def _close(person: Any) -> None:
    with transaction(person.org_id) as session:
        shoot = session.get_one(Shoot, session.get_one(Participation, person.participation_id).shoot_id)
        shoots.close(session, shoot, actor=audit.SYSTEM)


def _only_mails(person: Any) -> None:
    """Leave everything undone that is owed until now, the check of photos above all."""
    with transaction(person.org_id) as session:
        session.execute(update(Outbox).values(done_at=now()))


def test_after_the_shoot_has_ended_a_mail_leads_to_ones_data_and_to_its_erasure(
    ada: Any, stranger: FlaskClient, mails: Any
) -> None:
    ada.accept().consent()
    ada.upload()
    link = ada.link()
    _close(ada)
    _only_mails(ada)
    ended = stranger.get(link)
    assert ended.status_code == 410
    assert f'href="{ASK}"' in ended.text
    assert "Mail me the link" in stranger.get(ASK).text
    assert _ask(stranger, " ADA@acme.example ").location == f"{ASK}/sent"
    do_all_work()
    (mail,) = mails(to="ada@acme.example")
    assert "Your data at Acme" in mail["subject"]
    (found,) = [one for one in mail["links"] if "/your-data/" in one]
    assert stranger.get("/me/privacy").status_code == 401, "looking signs nobody in"
    assert _open(stranger, found).location == "/me/privacy"
    page = stranger.get("/me/privacy").text
    assert "Photos you uploaded" in page
    ada.browser = stranger
    done = ada.browser.post(
        "/me/erase",
        data={"csrf_token": re.search(r'name="csrf_token" value="([^"]+)"', page)[1], "confirm": "yes"},
    )
    assert done.location.startswith("/erased/")
    with transaction(ada.org_id) as session:
        assert session.get_one(Member, ada.member.id).erased_at is not None
        tags = session.scalars(select(AuditEvent.tag)).all()
    assert audit.Tag.DATA_LINK_SENT in tags
    assert stranger.get(urlsplit(found).path).status_code == 404, "after the erasure it leads nowhere"


def test_an_expired_link_of_an_ended_shoot_promises_no_new_one(waiting: Any, stranger: FlaskClient) -> None:
    waiting.set_state(State.READY)
    _close(waiting)
    link = waiting.link()
    with transaction(waiting.org_id) as session:
        session.execute(update(Invite).values(expires_at=now()))
    ended = stranger.get(link)
    assert ended.status_code == 410
    assert "Send me a new link" not in ended.text
    assert f'href="{ASK}"' in ended.text


def test_the_first_consent_can_be_taken_back_behind_it(ada: Any, stranger: FlaskClient) -> None:
    ada.accept().consent()
    ada.upload()
    _close(ada)
    _open(stranger, _link(ada))
    page = stranger.get("/me/consent/withdraw").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    stranger.post("/me/consent/withdraw", data={"csrf_token": token, "purpose": "photo", "confirm": "yes"})
    assert ada.state() is State.DECLINED


@pytest.mark.parametrize("email", ["", "ada"])
def test_what_is_no_address_is_asked_for_again(ada: Any, stranger: FlaskClient, email: str) -> None:
    assert _ask(stranger, email).location == ASK
    assert "Enter your mail address, please." in stranger.get(ASK).text


@pytest.mark.parametrize(
    "email", ["ada@acme.example", "nobody@acme.example", "ä@x.example", "x" * 300 + "@y"]
)
def test_the_answer_is_the_same_for_every_address_and_so_is_the_work(
    ada: Any, stranger: FlaskClient, email: str
) -> None:
    _only_mails(ada)
    answer = _ask(stranger, email)
    assert (answer.status_code, answer.location) == (303, f"{ASK}/sent")
    page = stranger.get(answer.location).text
    assert "If something is held about somebody with this address" in page
    assert email not in page
    with transaction(ada.org_id) as session:
        (owed,) = session.scalars(select(Outbox).where(Outbox.done_at.is_(None)))
        assert owed.job == JobName.DATA_MAIL


def test_who_is_not_known_was_erased_or_switched_off_gets_no_mail(
    ada: Any, invited: Any, stranger: FlaskClient, mails: Any, org: Any
) -> None:
    off = invited("Grace")
    with transaction(org) as session:
        session.get_one(Member, off.member.id).disabled_at = now()
        session.get_one(Member, ada.member.id).erased_at = now()
    _only_mails(ada)
    for email in ("grace@acme.example", "ada@acme.example", "nobody@acme.example"):
        _ask(stranger, email)
    do_all_work()
    assert mails() == []
    with transaction(org) as session:
        assert audit.Tag.DATA_LINK_SENT not in session.scalars(select(AuditEvent.tag)).all()


def test_one_address_is_asked_for_only_so_often_known_or_not(ada: Any, portal: Flask) -> None:
    for email in ("ada@acme.example", "nobody@acme.example"):
        answers = [_ask(portal.test_client(), f"{email}{' ' * number}").status_code for number in range(4)]
        assert answers == [303, 303, 303, 429], "from whatever browser"


def test_another_spelling_of_the_address_counts_as_the_same(portal: Flask, ada: Any) -> None:
    email = "ada@acme.example"
    spellings = [email, email.upper(), email.replace("@ac", "@ac\u00ad"), email.replace("m", "\uff4d")]
    answers = [_ask(portal.test_client(), one).status_code for one in spellings]
    assert answers == [303, 303, 303, 429]


def test_it_opens_what_is_held_and_begins_nothing(ada: Any, stranger: FlaskClient, shoot: Shoot) -> None:
    with transaction(ada.org_id) as session:
        invites.revoke(session, ada.participation_id, actor=audit.SYSTEM)  # and must stay so
    _open(stranger, _link(ada))
    page = stranger.get("/me/privacy").text
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    assert stranger.get("/me/", follow_redirects=True).request.path == "/me/privacy"
    assert stranger.get("/me/consent").location == "/me/privacy"
    assert stranger.get("/me/photos").location == "/me/privacy"
    for address in ("/me/consent", "/me/photos", "/me/submit", "/me/more", "/me/reconsider"):
        refused = stranger.post(address, data={"csrf_token": token, "photo": "yes"})
        assert (address, refused.status_code) == (address, 403)
    assert ada.state() is State.INVITED
    with transaction(ada.org_id) as session:
        assert session.scalars(select(WebSession.method)).all() == [SignInMethod.DATA]


def test_every_other_address_of_the_portal_is_shut_to_it(ada: Any, portal: Flask) -> None:
    later = Blueprint("later", __name__)
    later.add_url_rule("/me/later", "add", lambda: "added", methods=["GET", "POST", "PUT"])
    portal.register_blueprint(later)
    ada.accept().consent()
    browser = portal.test_client()
    _open(browser, _link(ada))
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/me/privacy").text)[1]
    shut, forms = set(), set()
    for rule in portal.url_map.iter_rules():
        if not rule.rule.startswith("/me/"):
            continue
        address = re.sub(r"<uuid:\w+>", str(new_id()), rule.rule)
        address = re.sub(r"<\w+:size>", "512", address).replace("<file>", "square.jpg")
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"}):
            if method != "GET":
                forms.add(rule.endpoint)
            if rule.endpoint in TAKES_BACK or (method == "GET" and rule.endpoint in SHOWS):
                continue
            answer = browser.open(address, method=method, headers={"X-CSRFToken": token})
            if method == "GET":
                assert (rule.endpoint, answer.status_code, answer.location) == (
                    rule.endpoint,
                    303,
                    "/me/privacy",
                )
            else:
                assert (rule.endpoint, answer.status_code) == (rule.endpoint, 403)
            shut.add(rule.endpoint)
    assert forms - shut == TAKES_BACK
    assert {"later.add", "pieces.add", "pieces.remove", "declined.keep", "gallery.approve"} <= shut
    for name in TAKES_BACK | SHOWS:
        assert name in portal.view_functions
    assert ada.state() is State.CONSENTED


def test_approved_headshots_can_still_be_fetched_behind_it(
    waiting: Any, stranger: FlaskClient, shoot: Shoot
) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    waiting.fetch("/me/approve", headshot_id=str(headshot))
    _close(waiting)
    _open(stranger, _link(waiting))
    assert stranger.get("/me/", follow_redirects=True).request.path == "/me/result"
    assert stranger.get(f"/me/headshots/{headshot}/square.jpg").status_code == 200
    assert stranger.get("/me/export.zip").status_code == 200


def test_who_is_signed_in_already_keeps_what_that_opens(ada: Any) -> None:
    ada.accept()
    assert _open(ada.browser, _link(ada)).location == "/me/privacy"
    assert ada.browser.get("/me/consent").status_code == 200


def test_whoever_used_the_browser_before_is_signed_out(ada: Any, invited: Any) -> None:
    grace = invited("Grace")
    ada.accept().consent()
    ada.upload()
    _open(ada.browser, _link(grace))
    assert "Photos you uploaded" not in ada.browser.get("/me/privacy").text


def test_it_ends_after_a_day_and_with_the_address_that_it_was_sent_to(
    ada: Any, stranger: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = urlsplit(_link(ada)).path
    assert stranger.get(path).status_code == 200
    with transaction(ada.org_id) as session:
        session.get_one(Member, ada.member.id).email = "ada@elsewhere.example"
    assert stranger.get(path).status_code == 404
    with monkeypatch.context() as earlier:
        earlier.setattr(data_links, "now", lambda: clock.now() - data_links.VALID - timedelta(minutes=1))
        path = urlsplit(_link(ada)).path
    over = stranger.get(path)
    assert over.status_code == 410
    assert f'href="{ASK}"' in over.text
    assert ada.post(path, ada.link()).status_code == 410


def test_no_link_of_another_kind_or_with_a_changed_byte_opens_anything(
    ada: Any, stranger: FlaskClient
) -> None:
    path = urlsplit(_link(ada)).path
    token = path.rpartition("/")[2]
    for place in range(0, len(token), 7):
        other = "A" if token[place] != "A" else "B"
        assert stranger.get(f"/your-data/{token[:place]}{other}{token[place + 1 :]}").status_code == 404
    for wrong in ("x", token[:-2], token + "AAAA", "ä", "%00"):
        assert stranger.get(f"/your-data/{wrong}").status_code in (400, 404)
    assert stranger.get("/me/privacy").status_code == 401


def test_who_got_a_forwarded_one_can_be_shut_out(ada: Any, stranger: FlaskClient, mails: Any) -> None:
    ada.accept()
    link = _link(ada)
    _close(ada)
    _only_mails(ada)
    _open(stranger, link)
    token = re.search(r'name="csrf_token" value="([^"]+)"', stranger.get("/me/not-you").text)[1]
    assert stranger.post("/me/not-you", data={"csrf_token": token}).status_code == 303
    assert stranger.get("/me/privacy").status_code == 401
    do_all_work()
    (mail,) = mails(to="ada@acme.example")
    (shut_out,) = [one for one in mail["links"] if "/not-me/" in one]
    assert stranger.get(urlsplit(link).path).status_code == 200, "they still have the link"
    _open(ada.browser, shut_out)
    assert stranger.get(urlsplit(link).path).status_code == 404
    assert stranger.get(urlsplit(_link(ada)).path).status_code == 200, "one asked for from now on"


def test_every_page_without_a_way_in_offers_it(ada: Any, stranger: FlaskClient) -> None:
    assert f'href="{ASK}"' in stranger.get("/trust/acme").text
    ada.accept()
    ada.browser.delete_cookie("portal_session")
    signed_out = ada.browser.get("/me/privacy")
    assert signed_out.status_code == 401
    assert f'href="{ASK}"' in signed_out.text
