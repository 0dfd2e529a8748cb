"""Uploading photos."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from core.clock import now
from core.db import transaction
from core.models import Artifact, Outbox, Photo, Shoot, State
from core.services import photos
from core.vault import ArtifactGone, vault


@pytest.fixture
def ready(ada: Any) -> Any:
    """Somebody who may upload."""
    ada.accept().consent(photo="yes", likeness="yes")
    return ada


def _photos(person: Any) -> list[Photo]:
    with transaction(person.org_id) as session:
        return list(session.scalars(select(Photo).order_by(Photo.id)))


def test_a_photo_is_kept_sealed_and_its_check_is_owed(ready: Any) -> None:
    answer = ready.upload()
    assert answer.status_code == 201
    assert answer.json["state"] == "checking"
    assert ready.state() is State.UPLOADING
    with transaction(ready.org_id) as session:
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == "intake")).all()
    assert [str(one) for one in owed] == [answer.json["id"]]


def test_a_retry_returns_the_first_photo(ready: Any) -> None:
    first, again = ready.upload(), ready.upload()
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"]
    assert len(_photos(ready)) == 1


def test_retries_that_race_make_one_photo(ready: Any) -> None:
    token = ready.token(ready.link())
    cookies = [(cookie.key, cookie.value) for cookie in ready.browser._cookies.values()]

    def send(_: int) -> int:
        browser = ready.browser.application.test_client()
        for name, value in cookies:
            browser.set_cookie(name, value)
        content = b"\xff\xd8\xff" + bytes(5000)
        return int(
            browser.post(
                "/me/photos",
                data={"upload_key": "raced-0001", "photo": (io.BytesIO(content), "photo")},
                headers={"X-CSRFToken": token, "X-Requested-With": "fetch"},
            ).status_code
        )

    with ThreadPoolExecutor(6) as pool:
        answers = sorted(pool.map(send, range(6)))
    assert answers == [200, 200, 200, 200, 200, 201]
    assert len(_photos(ready)) == 1
    with transaction(ready.org_id) as session:
        assert len(session.scalars(select(Artifact).where(Artifact.kind == "photo")).all()) == 1


def test_the_twenty_first_photo_is_refused_and_the_others_stay(ready: Any) -> None:
    content = b"\xff\xd8\xff" + bytes(500)
    answers = [ready.upload(content, f"key-{number:08d}").status_code for number in range(21)]
    assert answers == [201] * 20 + [409]
    assert len(_photos(ready)) == photos.MAX_PHOTOS


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 422, "empty_file"),
        (b"x" * 40, 422, "empty_file"),
        (b"Dear diary, " * 50, 422, "not_a_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 200, 422, "not_a_photo"),
        (b"\xff\xd8\xff" + bytes(40_100_000), 413, "file_too_large"),
        (b"\xff\xd8\xff" + bytes(60_000_000), 413, "too_large"),
    ],
    ids=["empty", "40 bytes", "text", "svg", "a little too large", "60 MB"],
)
def test_what_is_no_photo_is_refused_in_plain_words(
    ready: Any, content: bytes, status: int, code: str
) -> None:
    answer = ready.upload(content)
    assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert _photos(ready) == []


def test_an_upload_needs_a_key(ready: Any) -> None:
    assert ready.upload(key="a b").status_code == 422


def test_without_consent_nothing_is_taken(ada: Any) -> None:
    answer = ada.accept().upload()
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "consent_required")
    assert _photos(ada) == []


def test_a_closed_shoot_takes_no_photos(ready: Any, shoot: Shoot) -> None:
    with transaction(ready.org_id) as session:
        session.get_one(Shoot, shoot.id).closed_at = now()
    assert ready.upload().status_code == 410


def test_the_verdict_arrives_and_the_original_with_its_gps_position_is_gone(ready: Any) -> None:
    photo_id = ready.upload().json["id"]
    original = _photos(ready)[0].artifact_id
    issue = {"code": "back_light", "severity": "warn", "advice": "English"}
    ready.judge(photo_id, issues=(issue,))
    listing = ready.browser.get("/me/photos.json").json
    assert listing["accepted"] == listing["count"] == 1
    assert listing["can_submit"] is True
    shown = listing["photos"][0]
    assert shown["state"] == "accepted"
    assert "light comes from behind" in shown["issues"][0]["advice"]
    with transaction(ready.org_id) as session, pytest.raises(ArtifactGone):
        vault().get(session, original)
    with transaction(ready.org_id) as session:
        assert session.scalars(select(Outbox).where(Outbox.job == "purge")).all()
    preview = ready.browser.get(shown["preview_url"])
    assert preview.mimetype == "image/jpeg"
    assert preview.headers["Cache-Control"] == "no-store"
    assert preview.headers["Cross-Origin-Resource-Policy"] == "same-origin"


def test_a_file_that_cannot_be_decoded_is_judged_and_nothing_of_it_stays(ready: Any) -> None:
    photo_id = ready.upload().json["id"]
    with transaction(ready.org_id) as session:
        photo = session.get_one(Photo, UUID(photo_id))
        verdict = {"accepted": False, "issues": [{"code": "damaged", "severity": "block", "advice": ""}]}
        photos.record_verdict(session, photo, verdict, stripped=None)
    shown = ready.browser.get("/me/photos.json").json["photos"][0]
    assert (shown["state"], shown["preview_url"]) == ("rejected", None)
    with transaction(ready.org_id) as session:
        held = session.scalars(select(Artifact).where(Artifact.delete_requested_at.is_(None))).all()
    assert held == []


def test_a_verdict_after_the_person_removed_the_photo_keeps_nothing(ready: Any) -> None:
    photo_id = ready.upload().json["id"]
    assert ready.fetch(f"/me/photos/{photo_id}/remove").status_code == 200
    ready.judge(photo_id)
    assert ready.browser.get("/me/photos.json").json["photos"] == []
    with transaction(ready.org_id) as session:
        held = session.scalars(select(Artifact).where(Artifact.delete_requested_at.is_(None))).all()
    assert held == []


def test_nobody_sees_or_removes_another_persons_photo(ready: Any, invited: Any) -> None:
    photo_id = ready.upload().json["id"]
    ready.judge(photo_id)
    grace = invited("Grace").accept()
    grace.consent()
    assert grace.browser.get(f"/me/photos/{photo_id}/preview").status_code == 404
    assert grace.fetch(f"/me/photos/{photo_id}/remove").status_code == 404
    assert ready.browser.get(f"/me/photos/{photo_id}/preview").status_code == 200


def test_without_script_a_form_brings_several_files_and_names_the_bad_one(ready: Any) -> None:
    good = b"\xff\xd8\xff" + bytes(500)
    answer = ready.post(
        "/me/photos",
        "/me/photos",
        upload_key="form-00000001",
        photo=[
            (io.BytesIO(good), "a.jpg"),
            (io.BytesIO(b"text " * 50), "b.txt"),
            (io.BytesIO(good), "c.jpg"),
        ],
    )
    assert (answer.status_code, answer.location) == (303, "/me/photos")
    assert len(_photos(ready)) == 2
    assert "b.txt" in ready.browser.get("/me/photos").text


def test_sending_needs_a_good_photo_and_says_so(ready: Any) -> None:
    assert ready.fetch("/me/submit").json["error"]["code"] == "no_good_photo"
    photo_id = ready.upload().json["id"]
    assert ready.fetch("/me/submit").json["error"]["code"] == "still_checking"
    page = ready.post("/me/submit")
    assert page.location == "/me/photos"
    assert "still being checked" in ready.browser.get("/me/photos").text
    ready.judge(photo_id)
    answer = ready.fetch("/me/submit")
    assert answer.json == {"next": "/me/progress"}
    assert ready.state() is State.SUBMITTED
    assert ready.fetch("/me/submit").status_code == 200
    with transaction(ready.org_id) as session:
        assert len(session.scalars(select(Outbox).where(Outbox.job == "render")).all()) == 1


def test_after_sending_no_photo_is_added_or_removed(ready: Any) -> None:
    photo_id = ready.upload().json["id"]
    ready.judge(photo_id)
    ready.fetch("/me/submit")
    assert ready.upload(key="key-00000002").status_code == 409
    assert ready.fetch(f"/me/photos/{photo_id}/remove").status_code == 409
    assert ready.browser.get("/me/photos").location == "/me/progress"
