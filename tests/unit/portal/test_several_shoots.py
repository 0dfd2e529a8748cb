"""A person who is invited to several shoots."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from flask.testing import FlaskClient
from PIL import Image
from sqlalchemy import select
from werkzeug.test import TestResponse
from work import judge_pictures

from compliance import consent
from compliance.consent import leaving
from core import audit
from core.consent import ConsentRequired
from core.db import transaction
from core.models import Participation, Photo, Shoot, State, WebSession
from core.portraits import avatars
from core.shoots import shoots


def _close(person: Any) -> None:
    with transaction(person.org_id) as session:
        shoot_id = session.get_one(Participation, person.participation_id).shoot_id
        shoots.close(session, shoots.get(session, shoot_id), actor=audit.SYSTEM)


def _remember(person: Any, participation_id: UUID | None) -> None:
    with transaction(person.org_id) as session:
        for row in session.scalars(select(WebSession).where(WebSession.member_id == person.member.id)):
            row.participation_id = participation_id


def _opened(person: Any) -> str:
    """Open the person's link and press the button; return the address of the page that follows."""
    answer = person.post(f"{person.link()}/accept")
    assert answer.status_code == 303
    return str(answer.location)


def _agree(person: Any, page: str) -> TestResponse:
    """Send the form of a consent page as it stands there."""
    text = person.browser.get(page).text
    mark = re.search(r'name="text_version" value="([^"]+)"', text)
    action = re.search(r'<form method="post" action="(/me/consent[^"]*)"', text)
    assert mark
    assert action
    return person.post(unescape(action[1]), page, text_version=mark[1], photo="yes")


def _page(browser: FlaskClient, address: str) -> str:
    return browser.get(address, follow_redirects=True).text


PIECE = 262_144
LARGE = b"\xff\xd8\xff" + bytes(400_000)


def _send_in_pieces(person: Any, page: str, *, begin: int = 0, until: int = len(LARGE)) -> TestResponse:
    """Send a photo to the address that `page` gives its script; return the last answer."""
    address = unescape(re.search(r'data-pieces="([^"]+)"', page)[1])
    for at in range(begin, until, PIECE):
        answer = person.browser.post(
            urlsplit(address).path,
            query_string={
                **parse_qs(urlsplit(address).query),
                "upload_key": "key-00000002",
                "at": at,
                "size": len(LARGE),
            },
            data=LARGE[at : at + PIECE],
            headers={"X-Requested-With": "fetch", "X-CSRFToken": person.token(person.link())},
        )
    return answer


def _photos(person: Any) -> list[UUID]:
    with transaction(person.org_id) as session:
        return list(
            session.scalars(select(Photo.id).where(Photo.participation_id == person.participation_id))
        )


def test_two_shoots_in_two_tabs_do_not_disturb_each_other(ada: Any, autumn: Any) -> None:
    spring_tab = _opened(ada)
    autumn_tab = _opened(autumn)
    assert "Spring" in _page(ada.browser, spring_tab)
    assert "Autumn" in _page(ada.browser, autumn_tab)
    spring_photos = _agree(ada, spring_tab).location
    assert (ada.state(), autumn.state()) == (State.CONSENTED, State.OPENED)
    autumn_photos = _agree(autumn, autumn_tab).location
    assert (ada.state(), autumn.state()) == (State.CONSENTED, State.CONSENTED)
    for address, person, other in ((autumn_photos, autumn, ada), (spring_photos, ada, autumn)):
        page = _page(ada.browser, address)
        action = unescape(re.search(r'<form method="post" action="(/me/photos[^"]*)"', page)[1])
        before, kept = other.state(), _photos(other)
        assert person.upload(address=action).status_code == 201
        assert _send_in_pieces(person, page).status_code == 201
        assert (person.state(), other.state()) == (State.UPLOADING, before)
        assert (len(_photos(person)), _photos(other)) == (2, kept)


def test_what_stopped_goes_on_in_its_own_shoot(ada: Any, autumn: Any) -> None:
    pages = {}
    for person in (ada, autumn):
        pages[person.participation_id] = _page(ada.browser, _agree(person, _opened(person)).location)
    for person in (ada, autumn):
        assert _send_in_pieces(person, pages[person.participation_id], until=PIECE).status_code == 202
        there = _page(ada.browser, _in(person, "/me/photos"))
        assert f"{PIECE}}}" in unescape(re.search(r'data-arrived="([^"]*)"', there)[1])
        assert _send_in_pieces(person, there, begin=PIECE).status_code == 201
        assert len(_photos(person)) == 1
    assert len(_photos(ada)) == len(_photos(autumn)) == 1


def test_every_address_on_a_page_of_another_shoot_names_it(ada: Any, autumn: Any, shoot: Shoot) -> None:
    _opened(ada)
    address = _opened(autumn)
    seen = _walk(ada, autumn, address)
    assert f'href="?shoot={autumn.participation_id}&amp;lang=de"' in ada.browser.get(address).text
    photos = _agree(autumn, address).location
    assert autumn.upload(address=_in(autumn, "/me/photos")).status_code == 201
    seen |= _walk(ada, autumn, photos)
    autumn.render(shoot)
    for state, page in (
        (State.SUBMITTED, "/me/progress"),
        (State.FAILED, "/me/progress"),
        (State.READY, "/me/result"),
        (State.DECLINED, "/me/declined"),
    ):
        autumn.set_state(state)
        seen |= _walk(ada, autumn, _in(autumn, page))
    assert {"/me/photos/pieces", "/me/photos.json", "/me/progress/events", "/me/approve"} <= {
        urlsplit(one).path for one in seen
    }


def _walk(ada: Any, autumn: Any, address: str) -> set[str]:
    """Follow every address from a page of Autumn's, and return them."""
    seen, left = set(), [address]
    while left:
        page = left.pop()
        for link in re.findall(
            r'(?:href|src|action|data-[a-z]+)="(/me/[^"#]*)', ada.browser.get(page).get_data(as_text=True)
        ):
            if link == f"/me/?shoot={ada.participation_id}":  # "Go there" of the list
                continue
            assert f"shoot={autumn.participation_id}" in link, (page, link)
            if link not in seen:
                seen.add(link)
                if not re.search(r"zip|pdf|events|headshots|preview|png|jpg|json", link):
                    left.append(unescape(link))
    return seen


def test_a_form_acts_on_the_shoot_of_its_page_even_after_that_has_ended(ada: Any, autumn: Any) -> None:
    spring_tab = _opened(ada)
    page = ada.browser.get(spring_tab).text
    mark = re.search(r'name="text_version" value="([^"]+)"', page)[1]
    _opened(autumn)
    _close(ada)
    answer = ada.post("/me/consent", "/me/privacy", text_version=mark, photo="yes")
    assert answer.status_code in (303, 409, 410)
    assert (ada.state(), autumn.state()) == (State.EXPIRED, State.OPENED)


def test_the_pages_of_whoever_was_here_before_can_send_nothing(
    ada: Any, invited: Callable[[str], Any]
) -> None:
    grace = invited("Grace")
    grace.browser = ada.browser  # one computer
    spring_tab = _opened(ada)
    page = ada.browser.get(spring_tab).text
    mark = re.search(r'name="text_version" value="([^"]+)"', page)[1]
    secret = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    _opened(grace)
    answer = ada.browser.post(
        "/me/consent", data={"csrf_token": secret, "text_version": mark, "photo": "yes"}
    )
    assert answer.status_code == 400
    assert (ada.state(), grace.state()) == (State.OPENED, State.OPENED)


def test_a_tab_left_from_a_session_of_another_shoot_can_send_nothing(ada: Any, autumn: Any) -> None:
    spring_photos = _agree(ada, _opened(ada)).location
    page = ada.browser.get(spring_photos).text
    secret = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
    with transaction(ada.org_id) as session:
        for row in session.scalars(select(WebSession).where(WebSession.member_id == ada.member.id)):
            session.delete(row)
    _agree(autumn, _opened(autumn))
    answer = ada.browser.post(
        f"{spring_photos}/pieces",
        query_string={"upload_key": "key-00000002", "at": 0, "size": len(LARGE)},
        data=LARGE[:PIECE],
        headers={"X-Requested-With": "fetch", "X-CSRFToken": secret},
    )
    assert answer.status_code == 400
    assert (_photos(ada), _photos(autumn)) == ([], [])


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
    assert ada.browser.get("/me/").location == f"/me/result?shoot={ada.participation_id}"


def test_the_privacy_page_lists_the_shoots_and_switches(ada: Any, autumn: Any) -> None:
    ada.accept()
    page = ada.browser.get("/me/privacy").text
    assert "Autumn" in page
    there = f"/me/?shoot={autumn.participation_id}"
    assert f'href="{there}"' in page
    assert "Autumn" in _page(ada.browser, there)
    assert "Spring" in _page(ada.browser, "/me/")


def test_nothing_of_another_member_ever_switches(ada: Any, invited: Callable[[str], Any]) -> None:
    grace = invited("Grace")
    ada.accept()
    ada.browser.get(grace.link())
    for address in ("/me/", "/me/photos", "/me/privacy"):
        assert ada.browser.get(address, query_string={"shoot": grace.participation_id}).status_code == 404
        assert ada.browser.get(address, query_string={"shoot": "x"}).status_code == 422
    other = f"/me/decline?shoot={grace.participation_id}"
    assert ada.post(other, "/me/privacy").status_code == 404
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


def _in(person: Any, address: str) -> str:
    return f"{address}?shoot={person.participation_id}"


def _send_a_photo(person: Any) -> None:
    _agree(person, _opened(person))
    assert person.upload(address=_in(person, "/me/photos")).status_code == 201


def _decline(person: Any, **values: str) -> None:
    _opened(person)
    assert person.fetch(_in(person, "/me/decline"), **values).status_code == 200


def test_declining_one_shoot_leaves_the_other_its_photos_and_consents(ada: Any, autumn: Any) -> None:
    _send_a_photo(ada)
    _decline(autumn)
    assert (ada.state(), autumn.state()) == (State.UPLOADING, State.DECLINED)
    assert _held(ada) == 1
    page = ada.browser.get(_in(autumn, "/me/declined")).text
    assert "What you sent to your other shoots stays there." in page
    assert "Nothing about your face is kept." not in page
    with transaction(ada.org_id) as session:
        consent.require(session, ada.member.id)


def test_declining_the_last_shoot_takes_the_consents_back(ada: Any, autumn: Any) -> None:
    _send_a_photo(ada)
    _decline(autumn)
    _decline(ada, confirm="yes")
    assert _held(ada) == 0
    with transaction(ada.org_id) as session, pytest.raises(ConsentRequired):
        consent.require(session, ada.member.id)


def test_taking_the_first_consent_back_names_and_ends_every_shoot(ada: Any, autumn: Any) -> None:
    _send_a_photo(ada)
    _send_a_photo(autumn)
    address = _in(autumn, "/me/consent/withdraw")
    assert "all of your shoots: Autumn, Spring" in ada.browser.get(address).text
    assert ada.fetch(address, purpose="photo", confirm="yes").status_code == 200
    assert (ada.state(), autumn.state()) == (State.DECLINED, State.DECLINED)
    assert _held(ada) == 0


def test_ones_own_picture_stays_while_it_stands_in_somewhere(ada: Any, autumn: Any) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "orange").save(picture, "JPEG")
    for person in (ada, autumn):
        _decline(person, alternative="own_picture")
        sent = (io.BytesIO(picture.getvalue()), "me.jpg")
        assert person.fetch(_in(person, "/me/own-picture"), picture=sent).status_code == 200
    judge_pictures(ada.org_id)
    for person, stays in ((autumn, True), (ada, False)):
        person.fetch(_in(person, "/me/alternative"))
        with transaction(ada.org_id) as session:
            assert (avatars.own_picture(session, ada.member.id) is not None) is stays
