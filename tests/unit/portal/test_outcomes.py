"""What came of each photo, and which one comes nearest where none made a headshot."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import update

from core.db import transaction
from core.models import EngineName, Headshot, Shoot, State

SIGN = "0123456789abcdef"


@pytest.fixture
def five(ada: Any) -> tuple[Any, list[str]]:
    """Somebody with five photos at the studio: four accepted, the third of them as the first, and one that is not."""
    ada.accept().consent()
    added = [ada.upload(key=f"key-0000000{number}").json["id"] for number in range(5)]
    signs = (SIGN, "f" * 16, SIGN, "0f" * 8)
    for photo, sign in zip(added[:4], signs, strict=True):
        ada.judge(photo, phash=sign)
    ada.judge(added[4], accepted=False, issues=({"code": "eyes_closed", "severity": "block"},))
    ada.fetch("/me/submit")
    return ada, added


def _said(page: str) -> list[str]:
    """Return what stands beside each photo, in order, as text."""
    rows = re.findall(r'<div class="photo-words">(.*?)</div>', page, re.DOTALL)
    return [re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", row)).strip() for row in rows]


def _gate(value: float, limit: float, *, at_least: bool = False) -> dict[str, object]:
    return {"value": value, "limit": limit, "passed": False, "at_least": at_least}


def test_each_photo_says_what_came_of_it(five: Any, shoot: Shoot) -> None:
    ada, added = five
    ada.render(shoot, photo=added[0])
    ada.render(shoot, "gates", rank=1, photo=added[1], gates={"cut": _gate(1.2, 0.6)})
    ada.set_state(State.READY)
    page = ada.browser.get("/me/result").text
    said = _said(page)
    assert len(said) == 5
    assert "Photo 1 ✓ A headshot came of it: Headshot 1" in said[0]
    assert "Photo 2 Tried, and held back" in said[1]
    assert "before a plain wall" in said[1]
    assert "Photo 3 Not needed: the same shot as photo 1" in said[2]
    assert "Photo 4 Not needed: others were enough" in said[3]
    assert "Photo 5 ✗ Cannot be used Your eyes are closed here" in said[4]
    assert "Comes nearest" not in page
    assert '<details class="card came" open>' in page


def test_where_nothing_was_held_back_the_list_is_there_and_closed(five: Any, shoot: Shoot) -> None:
    ada, added = five
    ada.render(shoot, photo=added[0])
    ada.set_state(State.READY)
    page = ada.browser.get("/me/result").text
    assert '<details class="card came">' in page
    assert "held back" not in page


def test_where_none_made_a_headshot_the_nearest_says_what_to_change(five: Any, shoot: Shoot) -> None:
    ada, added = five
    far = {"cut": _gate(9.0, 0.6), "edge": _gate(20.0, 9.0)}
    ada.render(shoot, "cropped_too_tightly", photo=added[0], gates={"unused": {}})
    ada.render(shoot, "gates", rank=1, photo=added[1], gates=far)
    ada.render(shoot, "gates", rank=2, photo=added[3], gates={"sharpness": _gate(19.0, 20.0, at_least=True)})
    ada.set_state(State.FAILED, failure_code="cropped_too_tightly")
    page = ada.browser.get("/me/progress").text
    said = _said(page)
    assert ["Comes nearest" in one for one in said] == [False, False, False, True, False]
    assert "Leave some space above and beside it" in said[0]
    assert "Not tried: others looked better" in said[2]
    assert "It was not sharp enough. Wipe the lens" in said[3]
    assert "Photo 4 comes nearest." in page


def test_a_photo_that_came_later_was_not_tried(five: Any, shoot: Shoot) -> None:
    ada, added = five
    ada.render(shoot, photo=added[0])
    ada.set_state(State.READY)
    ada.fetch("/me/more")
    ada.judge(ada.upload(key="key-0000000x").json["id"], phash="55" * 8)
    ada.fetch("/me/keep")
    assert "Photo 6 Added later, and not sent to the studio yet" in _said(ada.browser.get("/me/result").text)


def test_a_failure_that_came_to_no_candidate_is_not_told_with_an_earlier_runs_reasons(
    five: Any, shoot: Shoot
) -> None:
    ada, added = five
    ada.render(shoot, photo=added[0])
    ada.render(shoot, "gates", rank=1, photo=added[1])
    ada.set_state(State.FAILED, failure_code="no_usable_photo")
    page = ada.browser.get("/me/progress").text
    assert _said(page) == []
    assert "None of the photos shows your face clearly enough." in page


def test_what_a_model_painted_is_no_photos_fault(five: Any, shoot: Shoot) -> None:
    ada, added = five
    ada.render(shoot, photo=added[0])
    ada.render(shoot, "gates", rank=1, photo=added[0])
    with transaction(ada.org_id) as session:
        session.execute(update(Headshot).values(engine=EngineName.DIFFUSION))
    ada.set_state(State.READY)
    page = ada.browser.get("/me/result").text
    assert _said(page) == []
    assert "Pictures of the image model were held back" in page
    assert "It did not look enough like your photos." in page


def test_photos_that_are_erased_are_not_listed(five: Any, shoot: Shoot) -> None:
    ada, added = five
    ada.render(shoot, photo=added[0])
    ada.set_state(State.READY)
    ada.fetch("/me/more")
    for photo in added[1:]:
        ada.fetch(f"/me/photos/{photo}/remove")
    ada.fetch("/me/keep")
    assert len(_said(ada.browser.get("/me/result").text)) == 1


def test_what_came_of_photos_is_told_in_german(five: Any, shoot: Shoot) -> None:
    ada, added = five
    ada.render(shoot, photo=added[0])
    ada.render(shoot, "gates", rank=1, photo=added[1])
    ada.set_state(State.READY)
    ada.browser.get("/me/result?lang=de")
    said = " ".join(_said(ada.browser.get("/me/result").text))
    assert "Daraus wurde ein Porträt: Porträt 1" in said
    assert "Versucht und zurückgehalten" in said
    assert "headshot" not in said.lower()
