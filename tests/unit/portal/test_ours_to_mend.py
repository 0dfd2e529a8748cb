"""What failed for a reason of ours is told as that, and can be tried again where it is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from lxml import html
from sqlalchemy import select
from work import do_all_work

from core import owed
from core.clock import now
from core.db import transaction
from core.models import Erasure, Outbox, Photo, State
from core.outages import Part
from core.queue import JobName
from workers.process.runner import LAST_DEATH, module_of, perform


def newest(ada: Any, job: JobName) -> Outbox:
    with transaction(ada.org_id) as session:
        return session.scalars(select(Outbox).where(Outbox.job == job).order_by(Outbox.id.desc())).first()


def change(ada: Any, row: Outbox, **values: Any) -> None:
    with transaction(ada.org_id) as session:
        found = session.get_one(Outbox, row.id)
        for name, value in values.items():
            setattr(found, name, value)


@pytest.fixture
def unchecked(ada: Any) -> str:
    """A photo whose check killed its workers; its id."""
    ada.accept().consent()
    photo_id = ada.upload().json["id"]
    row = newest(ada, JobName.INTAKE)
    change(ada, row, deaths=LAST_DEATH - 1, started_at=now())
    perform(str(row.id))
    return photo_id


def test_a_photo_that_could_not_be_checked_can_be_checked_again(ada: Any, unchecked: str) -> None:
    (photo,) = ada.browser.get("/me/photos.json").json["photos"]
    assert (photo["state"], photo["again_url"]) == ("rejected", f"/me/photos/{unchecked}/again")
    assert "It was not you" in photo["issues"][0]["advice"]
    page = html.fromstring(ada.browser.get("/me/photos").text)
    assert page.xpath(f"//form[@action='{photo['again_url']}']//button[contains(., 'Check it again')]")
    asked = ada.fetch(photo["again_url"])
    assert (asked.status_code, asked.json["state"], asked.json["again_url"]) == (200, "checking", None)
    row = newest(ada, JobName.INTAKE)
    assert (row.failed_at, row.deaths) == (None, owed.ALONE_AFTER), "it kills no further worker"
    assert ada.fetch(photo["again_url"]).status_code == 409
    do_all_work()
    with transaction(ada.org_id) as session:
        checked = session.get_one(Photo, UUID(unchecked))
        assert (checked.checked_at is not None, checked.check_failed_at) == (True, None)


def test_a_photo_that_is_at_fault_is_not_checked_again(ada: Any) -> None:
    ada.accept().consent()
    photo_id = ada.upload().json["id"]
    ada.judge(photo_id, accepted=False, issues=({"code": "no_face", "severity": "block"},))
    assert ada.browser.get("/me/photos.json").json["photos"][0]["again_url"] is None
    assert ada.fetch(f"/me/photos/{photo_id}/again").status_code == 409


def fail(ada: Any, code: str) -> None:
    ada.accept().consent()
    ada.judge(ada.upload().json["id"])
    ada.post("/me/submit", "/me/photos")
    row = newest(ada, JobName.RENDER)
    change(ada, row, failed_at=now(), deaths=owed.ALONE_AFTER + 1)
    with transaction(ada.org_id) as session:
        module_of(JobName.RENDER).failed(session, ada.participation_id, code)


def test_headshots_that_failed_for_a_reason_of_ours_are_made_of_the_same_photos(ada: Any) -> None:
    fail(ada, "worker_died")
    page = ada.browser.get("/me/progress").text
    assert "Something went wrong in the studio" in page
    assert "It was not you" in page
    answer = ada.post("/me/progress/again", "/me/progress")
    assert answer.location.endswith("/me/progress")
    assert ada.state() is State.SUBMITTED
    assert newest(ada, JobName.RENDER).deaths == owed.ALONE_AFTER, "it kills no further worker"
    assert ada.post("/me/progress/again", "/me/privacy").status_code == 303, "pressing twice is fine"
    assert ada.state() is State.SUBMITTED


def test_photos_that_are_at_fault_are_to_be_others(ada: Any) -> None:
    fail(ada, "no_usable_photo")
    page = ada.browser.get("/me/progress").text
    assert "It did not work with these photos" in page
    assert "/me/progress/again" not in page


def test_the_page_of_an_erasure_says_how_it_stands(ada: Any) -> None:
    ada.accept().consent()
    address = ada.post("/me/erase", "/me/privacy", confirm="yes").location
    stranger = ada.browser.application.test_client()
    row = newest(ada, JobName.ERASE)

    def says(status: str, *words: str, never: tuple[str, ...] = ()) -> None:
        assert stranger.get(f"{address}.json").json["status"] == status
        page = stranger.get(address).text
        assert all(word in page for word in words), page
        assert not any(word in page for word in never), page

    says("DESTROYING", "within 24 hours after that", never=("at the latest",))
    later = now() + timedelta(hours=1)
    change(ada, row, first_failed_at=now(), error_code=Part.STORAGE, not_before=later)
    says("FAILED", "does not answer just now", "tried again until everything is gone")
    change(ada, row, error_code="verification_failed")
    says("FAILED", "Something could still be read", never=("does not answer",))
    change(ada, row, failed_at=now(), error_code="dropped")
    with transaction(ada.org_id) as session:
        module_of(JobName.ERASE).failed(session, row.subject_id, "dropped")
    says("STOPPED", "ended it unfinished", never=("tried again", "appears here by itself"))
    with transaction(ada.org_id) as session:
        owed.take_up(session, session.get_one(Outbox, row.id))
    do_all_work()
    says("PENDING", "at the latest", never=("tried again",))
    with transaction(ada.org_id) as session:
        assert session.scalars(select(Erasure)).one().failure is None
