"""A link in the wrong hands: said on the page, told by mail, ended from there."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import add_participation
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from compliance import erasure
from core import audit
from core.clock import now
from core.db import transaction
from core.models import AuditEvent, Invite, Member, Outbox, Shoot, State, WebSession
from core.people import access
from core.queue import JobName
from core.shoots import devices, invites, letters

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15"
WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36"
PIXEL = "Mozilla/5.0 (Linux; Android 16; Pixel 10) AppleWebKit/537.36"


def _opens(person: Any, browser: FlaskClient, agent: str = IPHONE) -> None:
    page = browser.get(person.link()).text
    secret = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert secret
    answer = browser.post(
        f"{person.link()}/accept", data={"csrf_token": secret[1]}, headers={"User-Agent": agent}
    )
    assert answer.status_code == 303


def _told(person: Any) -> list[WebSession]:
    """The sessions about which a mail is owed, oldest first."""
    with transaction(person.org_id) as session:
        owed = select(Outbox.subject_id).where(Outbox.job == JobName.DEVICE_MAIL)
        found = select(WebSession).where(WebSession.id.in_(owed)).order_by(WebSession.id)
        return list(session.scalars(found))


def _mail(person: Any, row: WebSession) -> str:
    with transaction(person.org_id) as session:
        return letters.opened(session, session.get_one(WebSession, row.id)).text


def _answer(row: WebSession) -> str:
    return urlsplit(devices.link_of(row)).path


@pytest.fixture
def colleague(portal: Flask) -> FlaskClient:
    """Another browser, on another desk."""
    return portal.test_client()


def test_the_first_device_is_no_news_and_the_own_one_never_is_again(ada: Any) -> None:
    for _ in range(3):
        _opens(ada, ada.browser)
        ada.browser.delete_cookie("portal_session")
    assert _told(ada) == []


def test_a_link_opened_elsewhere_is_told_once_with_every_device(ada: Any, colleague: FlaskClient) -> None:
    _opens(ada, ada.browser, IPHONE)
    for _ in range(2):
        _opens(ada, colleague, WINDOWS)
    (row,) = _told(ada)
    text = _mail(ada, row)
    assert re.search(r"Opened now\n.*UTC, Windows\n", text)
    assert re.search(r"Opened before\n.*UTC, iPhone\n", text)
    assert _answer(row) in text
    assert ada.link() not in text, "the mail about a link in other hands carries none"


def test_a_stranger_who_was_first_is_named_when_the_person_comes(ada: Any, colleague: FlaskClient) -> None:
    _opens(ada, colleague, WINDOWS)
    _opens(ada, ada.browser, PIXEL)
    (row,) = _told(ada)
    assert re.search(r"Opened now\n.*UTC, Android\n\nOpened before\n.*UTC, Windows\n", _mail(ada, row))


def test_two_people_on_one_computer_are_not_told_of_each_other(ada: Any, invited: Any) -> None:
    grace = invited("Grace")
    for person in (ada, grace, ada, grace):
        _opens(person, ada.browser)
    assert _told(ada) == []
    with transaction(ada.org_id) as session:
        hashes = session.execute(select(WebSession.member_id, WebSession.device_sha256).distinct()).all()
    assert len({digest for _, digest in hashes}) == 2, "nobody can see that it is one computer"


def test_nobody_fills_a_mailbox_with_a_link(ada: Any, portal: Flask) -> None:
    for _ in range(devices.MOST_MAILS_AN_HOUR + 3):
        _opens(ada, portal.test_client())
    assert len(_told(ada)) == devices.MOST_MAILS_AN_HOUR


def test_every_page_says_whose_it_is_and_the_wrong_one_leaves(ada: Any, colleague: FlaskClient) -> None:
    _opens(ada, colleague)
    for page in ("/me/consent", "/me/privacy"):
        assert re.search(
            rf'{ada.member.full_name} · <a href="/me/not-you">Not you\?', colleague.get(page).text
        )
    page = colleague.get("/me/not-you").text
    assert colleague.get("/me/privacy").status_code == 200, "looking changes nothing"
    secret = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert secret
    assert "signed out" not in colleague.get("/not-you").text, "nothing has happened"
    left = colleague.post("/me/not-you", data={"csrf_token": secret[1]}, follow_redirects=True)
    assert "You are signed out" in left.text
    assert "gets a mail" in left.text
    assert "Delete that mail, and tell them." in left.text
    assert ada.member.full_name not in left.text
    assert colleague.get("/me/privacy").status_code == 401
    (row,) = _told(ada)
    assert "said that they are not you" in _mail(ada, row)
    with transaction(ada.org_id) as session:
        tags = session.scalars(select(AuditEvent.tag).order_by(AuditEvent.id)).all()
    assert tags[-1] == audit.Tag.SIGNED_OUT


def test_the_mails_address_ends_everything_and_brings_new_links(ada: Any, colleague: FlaskClient) -> None:
    other = add_participation(ada.org_id, ada.member)
    closed = add_participation(ada.org_id, ada.member)
    with transaction(ada.org_id) as session:
        for one in (other, closed):
            invites.create(session, one, actor=audit.SYSTEM)
        session.get_one(Shoot, closed.shoot_id).closed_at = now()
    old = ada.link()
    _opens(ada, ada.browser)
    _opens(ada, colleague)
    (row,) = _told(ada)
    address = _answer(row)
    page = ada.browser.get(address).text
    assert "It was not you who opened your link?" in page
    assert colleague.get("/me/privacy").status_code == 200, "looking changes nothing"
    for _ in range(2):
        assert ada.post(address, "/verify").location == address
    assert "Your old links have ended" in ada.browser.get(address).text
    assert colleague.get("/me/privacy").status_code == 401
    assert ada.browser.get("/me/privacy").status_code == 401, "the address signs nobody in"
    assert colleague.get(old).status_code == 410
    assert ada.link() != old
    with transaction(ada.org_id) as session:
        live = session.scalars(select(Invite.participation_id).where(Invite.revoked_at.is_(None))).all()
        assert sorted(live) == sorted([ada.participation_id, other.id]), "one new link of each open shoot"
    assert ada.accept().state() is State.OPENED
    assert len(_told(ada)) == 2, "after that every device is new"


@pytest.mark.parametrize(
    "change", [lambda text: text[:-4], lambda text: text[:-2] + "AA", lambda _: "x", lambda _: "ä"]
)
def test_a_changed_address_ends_nothing(ada: Any, colleague: FlaskClient, change: Any) -> None:
    _opens(ada, ada.browser)
    _opens(ada, colleague)
    head, _, token = _answer(_told(ada)[0]).rpartition("/")
    assert ada.post(f"{head}/{change(token)}", "/me/privacy").status_code == 404
    assert ada.browser.get("/me/privacy").status_code == 200


def test_the_address_of_a_link_that_ended_otherwise_says_so(ada: Any, colleague: FlaskClient) -> None:
    _opens(ada, ada.browser)
    _opens(ada, colleague)
    address = _answer(_told(ada)[0])
    with transaction(ada.org_id) as session:
        access.disable(session, session.get_one(Member, ada.member.id), actor=audit.SYSTEM)
    for answer in (ada.browser.get(address), ada.post(address, "/verify")):
        assert answer.status_code == 410
        assert "Every link of yours has ended already" in answer.text


def test_after_an_erasure_no_device_is_known(ada: Any) -> None:
    _opens(ada, ada.browser)
    ada.consent()
    assert ada.post("/me/erase", "/me/privacy", confirm="yes").status_code == 303
    with transaction(ada.org_id) as session:
        rows = session.execute(select(WebSession.device_sha256, WebSession.system)).all()
    assert rows == [(None, None)]


def test_an_erasure_that_came_first_leaves_nothing_to_tell(ada: Any) -> None:
    _opens(ada, ada.browser)
    with transaction(ada.org_id) as session:
        opened = session.scalars(select(WebSession.id).where(WebSession.member_id == ada.member.id)).one()
        member = session.get_one(Member, ada.member.id)
        erasure.request(
            session,
            member,
            reason=erasure.ErasureReason.SELF_SERVICE,
            actor=audit.actor_for(member),
            language="en",
        )
    with transaction(ada.org_id) as session:
        before = len(session.scalars(select(AuditEvent)).all())
        devices.disown(session, opened)
        found = session.get_one(WebSession, opened)
        assert (found.disowned_at, found.told_at) == (None, None)
        assert len(session.scalars(select(AuditEvent)).all()) == before
    assert _told(ada) == []
