"""What was agreed to before stands until its person takes it back, and nothing vanishes unnamed."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest

from core.consent import Purpose
from core.db import transaction
from core.models import Photo, State
from core.people import consents
from core.portraits import verdicts


@pytest.fixture
def second(ada: Any, autumn: Any) -> Any:
    """Ada, who agreed to the check of likeness in a first shoot, at the question of a second one."""
    ada.accept().consent(photo="yes", likeness="yes")
    return autumn


def test_an_empty_box_in_a_second_shoot_takes_nothing_back(second: Any) -> None:
    address = second.post(f"{second.link()}/accept").location
    page = second.browser.get(address).text
    assert 'name="photo"' in page
    assert 'name="likeness"' not in page, "nothing is asked that stands"
    assert "✓ agreed on" in page
    mark = re.search(r'name="text_version" value="([^"]+)"', page)
    assert mark
    second.post(address, address, text_version=mark[1], photo="yes")
    assert second.state() is State.CONSENTED
    with transaction(second.org_id) as session:
        assert consents.agreed(session, second.member.id) == {Purpose.PHOTO, Purpose.LIKENESS}
    held = second.browser.get("/me/privacy").text
    assert held.count("✓ agreed on") == 2
    assert "not agreed" not in held


def test_taking_back_the_check_names_the_photos_that_go_with_it_and_no_others(ada: Any) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    sure, unsure = (ada.upload(key=f"key-0000000{number}").json["id"] for number in (1, 2))
    ada.judge(sure)
    ada.judge(unsure)
    assert "asks whether it shows you" not in ada.browser.get("/me/privacy").text
    with transaction(ada.org_id) as session:
        photo = session.get_one(Photo, UUID(unsure))
        issue = {"code": verdicts.SOMEBODY_ELSE, "severity": "warn", "advice": "English"}
        photo.verdict = {**(photo.verdict or {}), "issues": [issue]}
    assert "also deletes the photo that asks whether it shows you" in ada.browser.get("/me/privacy").text
    said = ada.fetch("/me/consent/withdraw", purpose="likeness").json["message"]
    assert "1 photo that asked whether it shows you was deleted." in said
    assert "asks whether it shows you" not in ada.browser.get("/me/privacy").text
    _again(ada)
    assert "asked whether" not in ada.fetch("/me/consent/withdraw", purpose="likeness").json["message"]


def _again(person: Any) -> None:
    page = person.browser.get("/me/consent/more").text
    mark = re.search(r'name="text_version" value="([^"]+)"', page)
    assert mark
    person.post("/me/consent/more", "/me/consent/more", text_version=mark[1], likeness="yes")
