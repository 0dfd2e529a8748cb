"""“This is not me, or not good” on the pages: a reason from a list, and another try."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from portraits import photo_path
from sqlalchemy import select
from work import do_jobs

from compliance.requests import export
from core.db import transaction
from core.models import Headshot, Member, Outbox, Shoot, State
from core.queue import JobName


@pytest.fixture
def two(ada: Any, shoot: Shoot) -> tuple[Any, UUID]:
    """Ada with two photos, and a headshot of the first of them."""
    ada.accept().consent()
    photos = [ada.upload(key=f"key-0000000{number}").json["id"] for number in range(2)]
    for photo, sign in zip(photos, ("0" * 16, "f" * 16), strict=True):
        ada.judge(photo, phash=sign)
    ada.fetch("/me/submit")
    headshot = ada.render(shoot, photo=photos[0])
    ada.set_state(State.READY)
    return ada, headshot


def _said(person: Any, headshot: UUID) -> str | None:
    with transaction(person.org_id) as session:
        return session.get_one(Headshot, headshot).rejected_code


def test_a_reason_leads_to_a_photo_that_was_not_tried(two: tuple[Any, UUID]) -> None:
    ada, headshot = two
    page = ada.browser.get("/me/result").text
    assert "This is not me, or not good" in page
    assert "makes a headshot of another photo of yours" in page
    assert page.count('name="reason"') == 7
    assert "<textarea" not in page, "nobody writes about themselves"
    answer = ada.post(f"/me/headshots/{headshot}/reject", "/me/result", reason="hair")
    assert (answer.status_code, answer.location) == (303, "/me/progress")
    assert ada.state() is State.SUBMITTED
    assert _said(ada, headshot) == "hair"
    with transaction(ada.org_id) as session:
        jobs = session.scalars(select(Outbox.job).where(Outbox.job == JobName.RENDER)).all()
    assert len(jobs) == 2, "one for the first time, one now"


def test_what_was_made_stays_to_be_chosen_and_says_what_was_said(two: tuple[Any, UUID], shoot: Shoot) -> None:
    ada, headshot = two
    ada.fetch(f"/me/headshots/{headshot}/reject", reason="hair")
    second = ada.browser.get("/me/photos.json").json["photos"][1]["id"]
    ada.render(shoot, photo=second, run=2)
    ada.set_state(State.READY)
    page = ada.browser.get("/me/result").text
    assert "You said it is not good: Hair or edges." in page
    assert "Not used again, since you did not like its headshot" in page
    assert ada.fetch("/me/approve", headshot_id=str(headshot)).status_code == 200


def test_without_another_photo_it_leads_to_adding_one(two: tuple[Any, UUID], shoot: Shoot) -> None:
    ada, headshot = two
    second = ada.browser.get("/me/photos.json").json["photos"][1]["id"]
    ada.render(shoot, photo=second, rank=1)
    assert "You can then add other photos" in ada.browser.get("/me/result").text
    answer = ada.fetch(f"/me/headshots/{headshot}/reject", reason="not_me")
    assert answer.json["next"] == "/me/photos"
    assert "Add other photos" in answer.json["message"]
    assert ada.state() is State.UPLOADING


@pytest.mark.parametrize("reason", ["", "she looks old", "NOT_ME"])
def test_only_reasons_of_the_list_are_kept(two: tuple[Any, UUID], reason: str) -> None:
    ada, headshot = two
    assert ada.fetch(f"/me/headshots/{headshot}/reject", reason=reason).status_code == 422
    assert _said(ada, headshot) is None
    assert ada.state() is State.READY


def test_nobody_rejects_another_persons_headshot_a_withheld_or_an_approved_one(
    two: tuple[Any, UUID], invited: Callable[[str], Any], shoot: Shoot
) -> None:
    ada, headshot = two
    held = ada.render(shoot, "gates", rank=1)
    grace = invited("Grace").accept()
    grace.consent()
    grace.set_state(State.READY)
    assert grace.fetch(f"/me/headshots/{headshot}/reject", reason="hair").status_code == 404
    assert ada.fetch(f"/me/headshots/{held}/reject", reason="hair").status_code == 404
    ada.fetch("/me/approve", headshot_id=str(headshot))
    assert ada.fetch(f"/me/headshots/{headshot}/reject", reason="hair").status_code == 409
    assert "not good" not in ada.browser.get(f"/me/result/{headshot}").text


def test_what_somebody_said_is_in_their_own_data(two: tuple[Any, UUID]) -> None:
    ada, headshot = two
    ada.fetch(f"/me/headshots/{headshot}/reject", reason="skin")
    with transaction(ada.org_id) as session:
        records = export.plan(session, session.get_one(Member, ada.member.id)).records
    assert b'"what_i_said_is_wrong": "skin"' in records


@pytest.mark.photos
def test_the_next_try_is_made_of_the_photo_that_was_added_and_not_of_the_one_that_was_not_liked(
    ada: Any, shoot: Shoot
) -> None:
    def send(name: str) -> None:
        assert (
            ada.upload(photo_path(f"barack/{name}.jpg").read_bytes(), key=f"key-{name:0<8}").status_code
            == 201
        )
        do_jobs(ada.org_id, JobName.INTAKE)
        assert ada.fetch("/me/submit").json == {"next": "/me/progress"}
        do_jobs(ada.org_id, JobName.RENDER)
        assert ada.state() is State.READY

    ada.accept().consent()
    send("portrait")
    with transaction(ada.org_id) as session:
        [first] = session.scalars(select(Headshot)).all()
    assert ada.fetch(f"/me/headshots/{first.id}/reject", reason="expression").json["next"] == "/me/photos"
    send("podium")
    with transaction(ada.org_id) as session:
        [again] = session.scalars(select(Headshot).where(Headshot.run == 2)).all()
    assert again.photo_id != first.photo_id
    page = ada.browser.get("/me/result").text
    above, below = page.split("Earlier results")
    assert str(again.id) in above
    assert str(first.id) not in above
    assert str(first.id) in below
