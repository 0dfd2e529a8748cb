"""A person who is invited to several shoots."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from PIL import Image
from sqlalchemy import select

from compliance import consent
from compliance.consent import leaving
from core import audit
from core.clock import now
from core.consent import ConsentRequired
from core.db import transaction
from core.ids import new_id
from core.models import Participation, Shoot, State, WebSession
from core.portraits import avatars
from core.shoots import invites, shoots


@pytest.fixture
def autumn(ada: Any, shoot: Shoot) -> Any:
    """Ada with the link of a second, newer shoot; the same browser."""
    with transaction(ada.org_id) as session:
        newer = Shoot(
            id=new_id(),
            org_id=ada.org_id,
            name="Autumn",
            style_id=shoot.style_id,
            deadline=now() + timedelta(days=14),
        )
        session.add(newer)
        session.flush()
        participation = Participation(
            id=new_id(), org_id=ada.org_id, shoot_id=newer.id, member_id=ada.member.id, changed_at=now()
        )
        session.add(participation)
        session.flush()
        invites.create(session, participation, actor=audit.SYSTEM)
    return type(ada)(ada.org_id, ada.member, participation.id, ada.browser)


def _close(person: Any) -> None:
    with transaction(person.org_id) as session:
        shoot_id = session.get_one(Participation, person.participation_id).shoot_id
        shoots.close(session, shoots.get(session, shoot_id), actor=audit.SYSTEM)


def _remember(person: Any, participation_id: UUID | None) -> None:
    with transaction(person.org_id) as session:
        for row in session.scalars(select(WebSession).where(WebSession.member_id == person.member.id)):
            row.participation_id = participation_id


def test_each_link_leads_to_its_own_shoot_and_another_link_switches(ada: Any, autumn: Any) -> None:
    ada.accept().consent()
    assert (ada.state(), autumn.state()) == (State.CONSENTED, State.INVITED)
    page = ada.browser.get("/me/photos").text
    assert "Spring" in page
    assert "Autumn" not in page
    autumn.accept().consent()
    assert autumn.state() is State.CONSENTED
    assert "Autumn" in ada.browser.get("/me/photos").text
    ada.accept()
    assert "Spring" in ada.browser.get("/me/photos").text


def test_looking_at_another_link_without_start_stays_where_one_was(ada: Any, autumn: Any) -> None:
    ada.accept()
    ada.browser.get(autumn.link())
    assert "Spring" in ada.browser.get("/me/consent").text


def test_an_open_shoot_can_be_entered_after_the_newest_was_closed(ada: Any, autumn: Any) -> None:
    _close(autumn)
    ada.accept()
    assert ada.browser.get("/me/").location == "/me/consent"
    assert ada.consent().location == "/me/photos"
    assert ada.state() is State.CONSENTED


def test_a_session_that_remembers_no_shoot_or_an_ended_one_goes_to_the_newest_open_one(
    ada: Any, autumn: Any
) -> None:
    autumn.accept()
    _remember(ada, None)
    assert "Autumn" in ada.browser.get("/me/consent").text
    _close(autumn)
    assert "Spring" in ada.browser.get("/me/consent").text
    _remember(ada, autumn.participation_id)
    assert "Spring" in ada.browser.get("/me/consent").text
    _close(ada)
    assert ada.browser.get("/me/ended").status_code == 410


def test_a_shoot_that_ended_after_the_headshots_were_made_can_still_be_gone_back_to(
    ada: Any, autumn: Any
) -> None:
    ada.accept()
    ada.set_state(State.READY)
    _close(ada)
    assert ada.browser.get("/me/").location == "/me/result"
    _remember(ada, None)
    _close(autumn)
    assert ada.browser.get("/me/").location == "/me/result"


def test_the_privacy_page_lists_the_shoots_and_switches(ada: Any, autumn: Any) -> None:
    ada.accept()
    page = ada.browser.get("/me/privacy").text
    assert "Autumn" in page
    answer = ada.post("/me/shoot", "/me/privacy", participation=str(autumn.participation_id))
    assert answer.location == "/me/consent"
    assert "Autumn" in ada.browser.get("/me/consent").text


def test_nothing_of_another_member_ever_switches(ada: Any, invited: Callable[[str], Any]) -> None:
    grace = invited("Grace")
    ada.accept()
    ada.browser.get(grace.link())
    refused = ada.post("/me/shoot", "/me/privacy", participation=str(grace.participation_id))
    assert refused.status_code == 404
    ada.consent()
    assert (ada.state(), grace.state()) == (State.CONSENTED, State.INVITED)
    _remember(ada, grace.participation_id)
    assert ada.browser.get("/me/photos").status_code == 200
    assert "Your shoots" not in ada.browser.get("/me/privacy").text


def test_who_is_in_one_shoot_sees_no_list(ada: Any) -> None:
    ada.accept()
    assert "Your shoots" not in ada.browser.get("/me/privacy").text


def _held(person: Any) -> int:
    with transaction(person.org_id) as session:
        return sum(leaving.held(session, person.member.id).values())


def test_declining_one_shoot_leaves_the_other_its_photos_and_consents(ada: Any, autumn: Any) -> None:
    ada.accept().consent()
    ada.upload()
    autumn.accept()
    assert autumn.fetch("/me/decline").status_code == 200
    assert (ada.state(), autumn.state()) == (State.UPLOADING, State.DECLINED)
    assert _held(ada) == 1
    page = autumn.browser.get("/me/declined").text
    assert "What you sent to your other shoots stays there." in page
    assert "Nothing about your face is kept." not in page
    with transaction(ada.org_id) as session:
        consent.require(session, ada.member.id)


def test_declining_the_last_shoot_takes_the_consents_back(ada: Any, autumn: Any) -> None:
    ada.accept().consent()
    ada.upload()
    autumn.accept().fetch("/me/decline")
    ada.accept().fetch("/me/decline", confirm="yes")
    assert _held(ada) == 0
    with transaction(ada.org_id) as session, pytest.raises(ConsentRequired):
        consent.require(session, ada.member.id)


def test_taking_the_first_consent_back_names_and_ends_every_shoot(ada: Any, autumn: Any) -> None:
    ada.accept().consent()
    ada.upload()
    autumn.accept().consent()
    autumn.upload()
    assert "all of your shoots: Autumn, Spring" in autumn.browser.get("/me/consent/withdraw").text
    autumn.fetch("/me/consent/withdraw", purpose="photo", confirm="yes")
    assert (ada.state(), autumn.state()) == (State.DECLINED, State.DECLINED)
    assert _held(ada) == 0


def test_ones_own_picture_stays_while_it_stands_in_somewhere(ada: Any, autumn: Any) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "orange").save(picture, "JPEG")
    for person in (ada, autumn):
        person.accept().fetch("/me/decline", alternative="own_picture")
        person.fetch("/me/own-picture", picture=(io.BytesIO(picture.getvalue()), "me.jpg"))
    autumn.fetch("/me/alternative")
    with transaction(ada.org_id) as session:
        assert avatars.own_picture(session, ada.member.id) is not None
    ada.accept().fetch("/me/alternative")
    with transaction(ada.org_id) as session:
        assert avatars.own_picture(session, ada.member.id) is None
