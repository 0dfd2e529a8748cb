"""The question and its answers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from conftest import forget_process_state
from sqlalchemy import select

from core import audit
from core.consent import Purpose
from core.db import transaction
from core.models import Consent, Organization, Shoot, State
from core.people import consents
from core.shoots import shoots


@pytest.fixture
def image_model(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has an image model."""
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()


def boxes(page: str, having: str = "") -> list[str]:
    """The names of a page's boxes, in order."""
    found = re.findall(r'<input type="checkbox"[^>]*>', page)
    return [re.search(r'name="(\w+)"', box)[1] for box in found if having in box]  # type: ignore[index]


def _rows(person: Any) -> dict[str, Consent]:
    with transaction(person.org_id) as session:
        return {row.purpose: row for row in session.scalars(select(Consent))}


def test_every_purpose_is_a_box_of_its_own_and_none_is_ticked(ada: Any) -> None:
    page = ada.accept().browser.get("/me/consent").text
    assert boxes(page) == ["photo", "likeness"]
    assert boxes(page, " checked") == []


def test_a_personal_model_is_asked_about_only_where_the_shoot_trains_one(
    ada: Any, shoot: Shoot, image_model: None
) -> None:
    assert boxes(_modelled(ada, shoot).browser.get("/me/consent").text) == [
        "photo",
        "likeness",
        "paint",
        "adapter",
    ]


@pytest.mark.parametrize("language", ["en", "de"])
def test_without_an_image_model_no_word_of_one_is_said(ada: Any, language: str) -> None:
    page = ada.accept().browser.get(f"/me/consent?lang={language}").text
    assert not re.search("image model|Bildmodell|paint|malt|colleague|Kolleg", page)


def test_what_an_image_model_may_paint_is_asked_by_kind(ada: Any, shoot: Shoot, image_model: None) -> None:
    with transaction(ada.org_id) as session:
        session.get_one(Shoot, shoot.id).engine = "wardrobe"
    page = ada.accept().browser.get("/me/consent").text
    assert boxes(page) == ["photo", "likeness", "clothes"]
    assert "portraits of you" not in page
    assert "colleagues" not in page


def test_colleagues_are_named_where_faces_are_compared_with_theirs(
    ada: Any, shoot: Shoot, image_model: None
) -> None:
    assert "Portraits of colleagues may be compared" in _modelled(ada, shoot).browser.get("/me/consent").text


def test_optional_purposes_are_optional_and_kept_as_refused(ada: Any) -> None:
    answer = ada.accept().consent(photo="yes")
    assert (answer.status_code, answer.location) == (303, "/me/photos")
    rows = _rows(ada)
    assert {purpose: row.granted for purpose, row in rows.items()} == {"photo": True, "likeness": False}
    assert len(rows["photo"].text_sha256) == 64
    assert rows["photo"].language == "en"
    assert ada.state() is State.CONSENTED


def test_without_the_first_consent_nothing_is_kept_and_declining_is_offered(ada: Any) -> None:
    answer = ada.accept().consent(likeness="yes")
    assert answer.status_code == 422
    assert "decline" in answer.text
    assert _rows(ada) == {}
    assert ada.state() is State.OPENED


def test_an_answer_to_words_that_changed_meanwhile_is_asked_again(ada: Any) -> None:
    page = ada.accept().browser.get("/me/consent").text
    mark = re.search(r'name="text_version" value="([^"]+)"', page)[1]  # type: ignore[index]
    with transaction(ada.org_id) as session:
        session.get_one(Organization, ada.org_id).retention_days = 90
    answer = ada.post("/me/consent", "/me/consent", photo="yes", text_version=mark)
    assert answer.status_code == 409
    assert "90 days" in answer.text
    assert _rows(ada) == {}


def test_answering_twice_keeps_one_answer(ada: Any) -> None:
    ada.accept().consent()
    again = ada.post("/me/consent", ada.link(), photo="yes", text_version="old")
    assert again.location == "/me/photos"
    assert len(_rows(ada)) == 2


def _modelled(person: Any, shoot: Shoot) -> Any:
    with transaction(person.org_id) as session:
        session.get_one(Shoot, shoot.id).engine = "diffusion"
    return person.accept()


def _agree(person: Any, **answers: str) -> Any:
    page = person.browser.get("/me/consent/more").text
    mark = re.search(r'name="text_version" value="([^"]+)"', page)[1]  # type: ignore[index]
    return person.post("/me/consent/more", "/me/consent/more", text_version=mark, **answers)


@pytest.mark.parametrize("purpose", ["paint", "adapter"])
def test_a_painted_face_without_the_check_is_refused_and_no_tick_is_lost(
    ada: Any, shoot: Shoot, image_model: None, purpose: str
) -> None:
    assert _modelled(ada, shoot).browser.get("/me/consent").text.count("Needs the check.") == 2
    answer = ada.consent(photo="yes", **{purpose: "yes"})
    assert answer.status_code == 422
    assert "leave the image model out" in answer.text
    assert 'href="#likeness"' in answer.text
    assert f'href="#{purpose}"' in answer.text
    assert boxes(answer.text, " checked") == ["photo", purpose]
    assert (_rows(ada), ada.state()) == ({}, State.OPENED)
    assert ada.consent(photo="yes", likeness="yes", **{purpose: "yes"}).location == "/me/photos"


def test_what_was_refused_can_be_agreed_to_later_with_the_same_proof(ada: Any) -> None:
    ada.accept().consent(photo="yes")
    assert "/me/consent/more#likeness" in ada.browser.get("/me/privacy").text
    page = ada.browser.get("/me/consent/more").text
    assert boxes(page) == ["likeness"]
    refused = _rows(ada)["likeness"]
    assert _agree(ada, likeness="yes").location == "/me/privacy"
    with transaction(ada.org_id) as session:
        newest = consents.standing(session, ada.member.id)[Purpose.LIKENESS]
    assert (newest.granted, newest.text_sha256) == (True, refused.text_sha256)
    page = ada.browser.get("/me/privacy").text
    assert "that is noted" in page
    assert "/me/consent/more" not in page
    assert ada.browser.get("/me/consent/more").location == "/me/privacy"
    assert ada.state() is State.CONSENTED


def test_what_was_taken_back_can_be_agreed_to_again(ada: Any) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    ada.post("/me/consent/withdraw", "/me/privacy", purpose="likeness")
    page = ada.browser.get("/me/privacy").text
    assert "Taken back: “Check that it looks like me”" in page
    assert "/me/consent/more#likeness" in page
    _agree(ada, likeness="yes")
    with transaction(ada.org_id) as session:
        assert consents.agreed(session, ada.member.id) == {Purpose.PHOTO, Purpose.LIKENESS}


def test_agreeing_later_to_nothing_or_to_a_model_without_the_check_changes_nothing(
    ada: Any, shoot: Shoot, image_model: None
) -> None:
    _modelled(ada, shoot).consent(photo="yes")
    assert _agree(ada).status_code == 422
    answer = _agree(ada, adapter="yes")
    assert answer.status_code == 422
    assert "leave the image model out" in answer.text
    with transaction(ada.org_id) as session:
        assert consents.agreed(session, ada.member.id) == {Purpose.PHOTO}
    _agree(ada, likeness="yes")
    assert _agree(ada, adapter="yes").status_code == 303
    with transaction(ada.org_id) as session:
        agreed = consents.agreed(session, ada.member.id)
    assert agreed == {Purpose.PHOTO, Purpose.LIKENESS, Purpose.ADAPTER}


def test_nothing_more_can_be_agreed_to_once_the_shoot_is_closed(ada: Any, shoot: Shoot) -> None:
    ada.accept().consent(photo="yes")
    ada.set_state(State.READY)
    with transaction(ada.org_id) as session:
        shoots.close(session, shoots.get(session, shoot.id), actor=audit.SYSTEM)
    assert "/me/consent/more" not in ada.browser.get("/me/privacy").text
    assert ada.browser.get("/me/consent/more").location == "/me/privacy"


def test_the_page_speaks_german_and_the_answer_says_so(ada: Any) -> None:
    ada.accept().browser.get("/me/consent?lang=de")
    ada.consent(photo="yes")
    assert _rows(ada)["photo"].language == "de"


def test_no_page_of_the_person_opens_without_a_session(portal: Any) -> None:
    browser = portal.test_client()
    pages = [
        rule.rule
        for rule in portal.url_map.iter_rules()
        if rule.rule.startswith("/me/") and "GET" in (rule.methods or set())
    ]
    assert len(pages) > 12
    for page in pages:
        address = re.sub(r"<uuid:[^>]+>", "01a20aa9-de32-706e-9511-427d42224341", page)
        address = address.replace("<int:size>", "512").replace("<file>", "square.jpg")
        assert browser.get(address).status_code == 401, page
