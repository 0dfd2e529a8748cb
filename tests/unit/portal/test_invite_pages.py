"""The invitation link."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import func, select

from core import audit
from core.clock import end_of_day, now
from core.db import transaction
from core.models import AuditEvent, Invite, Member, Outbox, Participation, Shoot, State, WebSession
from core.shoots import invites, letters, shoots


def _facts(person: Any) -> tuple[int, int, str]:
    with transaction(person.org_id) as session:
        events = session.scalar(select(func.count()).select_from(AuditEvent)) or 0
        sessions = session.scalar(select(func.count()).select_from(WebSession)) or 0
    return events, sessions, person.state()


def _age(person: Any) -> None:
    with transaction(person.org_id) as session:
        for invite in session.scalars(select(Invite)):
            invite.expires_at = now() - timedelta(minutes=1)
            invite.created_at = now() - timedelta(days=14)


def test_opening_the_link_changes_nothing(ada: Any) -> None:
    before = _facts(ada)
    for _ in range(3):
        page = ada.browser.get(ada.link())
        assert page.status_code == 200
    assert "Acme" in page.text
    assert "Spring" in page.text
    assert _facts(ada) == before
    assert ada.browser.get("/me/").status_code == 401


def test_accepting_signs_in_and_leads_to_the_question(ada: Any) -> None:
    answer = ada.post(f"{ada.link()}/accept")
    assert (answer.status_code, answer.location) == (303, "/me/consent")
    assert ada.state() is State.OPENED
    cookie = answer.headers.get("Set-Cookie", "")
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert ada.browser.get("/me/").location == "/me/consent"


def test_the_page_speaks_the_language_of_the_mail_until_another_is_chosen(ada: Any) -> None:
    with transaction(ada.org_id) as session:
        session.get_one(Member, ada.member.id).language = "de"
    english = {"Accept-Language": "en-GB,en"}
    assert '<html lang="de">' in ada.browser.get(ada.link(), headers=english).text
    assert '<html lang="en">' in ada.browser.get(f"{ada.link()}?lang=en", headers=english).text
    assert '<html lang="en">' in ada.browser.get(ada.link(), headers=english).text
    ada.browser.delete_cookie("lang")
    _age(ada)
    assert "abgelaufen" in ada.browser.get(ada.link(), headers=english).text
    with transaction(ada.org_id) as session:
        invites.revoke(session, ada.participation_id, actor=audit.SYSTEM)
    assert "zurückgezogen" in ada.browser.get(ada.link(), headers=english).text


def test_accepting_needs_the_pages_own_form(ada: Any) -> None:
    assert ada.browser.post(f"{ada.link()}/accept").status_code == 400
    assert ada.state() is State.INVITED


def test_accepting_on_a_shared_device_ends_the_earlier_persons_session(ada: Any, invited: Any) -> None:
    ada.accept()
    grace = invited("Grace")
    grace.browser = ada.browser
    grace.accept()
    with transaction(ada.org_id) as session:
        rows = session.scalars(select(WebSession)).all()
    assert {row.member_id: row.ended_at is not None for row in rows} == {
        ada.member.id: True,
        grace.member.id: False,
    }


def test_an_expired_link_is_renewed_by_mail_and_never_signs_in(ada: Any) -> None:
    old = ada.link()
    _age(ada)
    assert ada.browser.get(old).status_code == 410
    assert ada.post(f"{old}/accept", old).status_code == 410
    answer = ada.post(f"{old}/renew", old)
    assert answer.status_code == 303
    assert ada.browser.get(answer.location).status_code == 200
    assert ada.browser.get("/me/").status_code == 401
    assert ada.link() != old
    with transaction(ada.org_id) as session:
        owed = session.scalars(select(Outbox).where(Outbox.job == "invite_mail")).all()
    assert len(owed) == 2


def test_an_expired_link_is_renewed_although_a_newer_one_was_never_sent(ada: Any) -> None:
    """A reminder whose mail became needless takes its link back with it."""
    old = ada.link()
    _age(ada)
    with transaction(ada.org_id) as session:
        participation = session.get_one(Participation, ada.participation_id)
        invites.take_back(invites.create(session, participation, actor=audit.SYSTEM))
    ada.post(f"{old}/renew", old)
    with transaction(ada.org_id) as session:
        owed = session.scalars(select(Outbox).where(Outbox.job == "invite_mail")).all()
        links = session.scalars(select(Invite).order_by(Invite.id)).all()
        states = [(one.revoked_at is None, one.expires_at > now()) for one in links]
    assert len(owed) == 3
    assert states == [(True, False), (False, True), (True, True)]


@pytest.mark.parametrize(("ended", "last"), [(0, 0), (1, 1), (-1, 1), (60, 60), (200, 90)])
def test_a_link_works_to_the_end_of_a_day_and_page_and_mail_name_the_same(
    ada: Any, ended: int, last: int
) -> None:
    """The deadline and the last day of a link made today, in days from now."""
    today = now().date()
    with transaction(ada.org_id) as session:
        participation = session.get_one(Participation, ada.participation_id)
        session.get_one(Shoot, participation.shoot_id).deadline = end_of_day(today + timedelta(days=ended))
        session.flush()
        invite = invites.create(session, participation, actor=audit.SYSTEM)
        mail = letters.invitation(session, invite).text
        assert invite.expires_at == end_of_day(today + timedelta(days=last))
    page = html.fromstring(ada.browser.get(ada.link()).text).text_content()
    link_ends, open_until = (
        f"{day:%B} {day.day}, {day.year}"
        for day in (today + timedelta(days=last), today + timedelta(days=max(ended, last)))
    )
    assert f"is open until {open_until}." in page
    assert f"It works until {link_ends}." in page
    assert f"works until {link_ends}." in " ".join(mail.split())
    assert set(re.findall(r"\w+ \d+, \d{4}", f"{page} {mail}")) == {open_until, link_ends}


def test_revoked_unknown_and_replaced_links_say_what_to_do(ada: Any, invited: Any, shoot: Shoot) -> None:
    other = invited("Grace")
    link = ada.link()
    with transaction(ada.org_id) as session:
        invites.revoke(session, ada.participation_id, actor=audit.SYSTEM)
    page = ada.browser.get(link)
    assert page.status_code == 410
    assert "withdrawn this invitation" in page.text
    assert "whoever organises" in page.text
    assert "newest mail" not in page.text
    ada.browser.post(f"{link}/renew", data={"csrf_token": ada.token(other.link())})
    assert ada.link() == link
    with transaction(ada.org_id) as session:
        invites.create(session, session.get_one(Participation, ada.participation_id), actor=audit.SYSTEM)
    assert "newest mail" in ada.browser.get(link).text
    with transaction(ada.org_id) as session:
        shoots.close(session, session.get_one(Shoot, shoot.id), actor=audit.SYSTEM)
    assert "shoot has ended" in ada.browser.get(link).text
    unknown = ada.browser.get("/i/nothing")
    assert unknown.status_code == 404
    assert "whole link" in unknown.text


def test_two_taps_at_once_are_one_acceptance(ada: Any) -> None:
    with transaction(ada.org_id) as slow:
        read_early = slow.scalars(select(Invite)).one()
        assert read_early.accepted_at is None
        with transaction(ada.org_id) as quick:
            invites.accept(quick, quick.get_one(Invite, read_early.id))
        invites.accept(slow, read_early)
    with transaction(ada.org_id) as session:
        tags = session.scalars(select(AuditEvent.tag)).all()
    assert tags.count("invite.accepted") == 1
