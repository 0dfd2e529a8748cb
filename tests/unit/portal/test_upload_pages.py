"""Uploading photos."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sealing import got
from sqlalchemy import select

from core.db import transaction
from core.image.kinds import PhotoFormat
from core.models import Artifact, AuditEvent, Outbox, Photo, State
from core.portraits import photos, verdicts
from core.vault import ArtifactGone


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


@pytest.mark.parametrize("kind", list(PhotoFormat))
def test_every_format_that_phones_write_is_taken_and_offered(ready: Any, kind: PhotoFormat) -> None:
    starts = {
        PhotoFormat.JPEG: b"\xff\xd8\xff\xe0",
        PhotoFormat.PNG: b"\x89PNG\r\n\x1a\n",
        PhotoFormat.WEBP: b"RIFF\0\0\0\0WEBPVP8 ",
        PhotoFormat.HEIC: b"\0\0\0\x18ftypheic",
        PhotoFormat.AVIF: b"\0\0\0\x18ftypavif",
    }
    assert ready.upload(content=starts[kind] + bytes(500)).status_code == 201
    with transaction(ready.org_id) as session:
        assert session.scalars(select(Artifact.media_type)).all() == [f"image/{kind.value}"]
    assert f"image/{kind.value}" in ready.browser.get("/me/photos").text


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
        (b"x" * 6, 422, "not_a_photo"),
        (b"Dear diary, " * 50, 422, "not_a_photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>" + b" " * 200, 422, "not_a_photo"),
        (b"\xff\xd8\xff" + bytes(40_100_000), 413, "file_too_large"),
        (b"\xff\xd8\xff" + bytes(60_000_000), 413, "too_large"),
    ],
    ids=["empty", "6 bytes", "text", "svg", "a little too large", "60 MB"],
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
        got(session, original)
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
        verdicts.record_verdict(session, photo, verdict, stripped=None)
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
    assert "Photo 2: " in (page := ready.browser.get("/me/photos").text)
    assert "b.txt" not in page, "a file is often called like its person, and cookies name nobody"


def test_sending_needs_a_good_photo_and_says_so(ready: Any) -> None:
    assert ready.fetch("/me/submit").json["error"]["code"] == "no_good_photo"
    photo_id = ready.upload().json["id"]
    assert ready.fetch("/me/submit").json["error"]["code"] == "still_checking"
    page = ready.post("/me/submit")
    assert page.location == "/me/photos"
    assert "still being checked" in ready.browser.get("/me/photos").text
    ready.judge(photo_id)
    second = ready.upload(key="key-00000002").json["id"]
    told = ready.fetch("/me/submit").json["error"]
    assert told["code"] == "still_checking", "what is still checked may tell that the first is somebody else"
    assert _listed(ready)["can_submit"] is False
    ready.judge(second)
    answer = ready.fetch("/me/submit")
    assert answer.json == {"next": "/me/progress"}
    assert ready.state() is State.SUBMITTED
    assert ready.fetch("/me/submit").status_code == 200
    with transaction(ready.org_id) as session:
        assert len(session.scalars(select(Outbox).where(Outbox.job == "render")).all()) == 1


def _listed(person: Any) -> Any:
    return person.browser.get("/me/photos.json").json


def _owed(person: Any, job: str) -> int:
    with transaction(person.org_id) as session:
        return len(session.scalars(select(Outbox).where(Outbox.job == job)).all())


@pytest.fixture
def group(ready: Any) -> str:
    """A photo of two people that waits for its owner's answer."""
    photo_id = str(ready.upload().json["id"])
    ready.judge_group(photo_id)
    return photo_id


def test_several_people_are_a_question_and_not_a_refusal(ready: Any, group: str) -> None:
    listing = _listed(ready)
    assert (listing["asks"], listing["accepted"], listing["can_submit"]) == (1, 0, False)
    assert listing["asking"].startswith("One photo still asks")
    shown = listing["photos"][0]
    assert shown["state"] == "asks"
    assert [(face["index"], face["name"], face["x"], face["y"]) for face in shown["faces"]] == [
        (1, "Person 1, on the left", 15.0, 40.0),
        (0, "Person 2, on the right", 70.0, 40.0),
    ]
    page = ready.browser.get("/me/photos").text
    assert page.count('name="face" value="1"') == 2, "the mark on the picture and the plain button"
    assert "One photo still asks" in page
    assert "left: 15.0%" in page
    assert "style=" not in page, "the content policy allows no style in an element"


def test_answer_is_kept_and_the_check_goes_on_with_the_same_copy(ready: Any, group: str) -> None:
    kept, first_preview = _photos(ready)[0].artifact_id, _photos(ready)[0].preview_id
    answer = ready.fetch(f"/me/photos/{group}/subject", face="1")
    assert (answer.status_code, answer.json["state"]) == (200, "checking")
    assert _photos(ready)[0].subject == (pytest.approx(0.15), pytest.approx(0.4))
    assert _owed(ready, "intake") == 2
    assert ready.fetch("/me/submit").json["error"]["code"] == "still_checking"
    ready.judge(group, faces=[{"left": 0.1, "top": 0.3, "width": 0.1, "height": 0.2}])
    photo = _photos(ready)[0]
    assert photo.artifact_id == kept
    assert _listed(ready)["photos"][0]["state"] == "accepted"
    with transaction(ready.org_id) as session:
        assert got(session, kept)
        with pytest.raises(ArtifactGone):
            got(session, first_preview)
    with transaction(ready.org_id) as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == "photo.subject_chosen")).one()
        assert told.facts == {"photo": group}
    assert ready.fetch("/me/submit").status_code == 200


def test_same_answer_twice_is_one_and_another_one_replaces_it(ready: Any, group: str) -> None:
    for face in ("1", "1"):
        assert ready.fetch(f"/me/photos/{group}/subject", face=face).status_code == 200
    assert _owed(ready, "intake") == 2
    assert ready.fetch(f"/me/photos/{group}/subject", face="0").status_code == 200
    assert _photos(ready)[0].subject == (pytest.approx(0.7), pytest.approx(0.4))
    assert _owed(ready, "intake") == 3


def test_verdict_about_a_face_that_is_not_the_answer_any_more_is_dropped(ready: Any, group: str) -> None:
    ready.fetch(f"/me/photos/{group}/subject", face="1")
    checked = _photos(ready)[0].subject
    ready.fetch(f"/me/photos/{group}/subject", face="0")
    with transaction(ready.org_id) as session:
        verdict = {"accepted": True, "issues": [], "measures": {}, "score": 0.5}
        verdicts.record_verdict(
            session, session.get_one(Photo, UUID(group)), verdict, stripped=None, subject=checked
        )
    assert _listed(ready)["photos"][0]["state"] == "checking"


@pytest.mark.parametrize("face", ["2", "-1", "x", ""])
def test_a_face_that_is_not_there_cannot_be_chosen(ready: Any, group: str, face: str) -> None:
    answer = ready.fetch(f"/me/photos/{group}/subject", face=face)
    assert (answer.status_code, answer.json["error"]["code"]) == (422, "no_such_face")
    assert _photos(ready)[0].subject is None


def test_a_photo_that_does_not_ask_takes_no_answer(ready: Any) -> None:
    photo_id = ready.upload().json["id"]
    ready.judge(photo_id, faces=[{"left": 0.4, "top": 0.3, "width": 0.2, "height": 0.2}])
    answer = ready.fetch(f"/me/photos/{photo_id}/subject", face="0")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "nothing_to_choose")


def test_after_sending_no_face_is_chosen(ready: Any, group: str) -> None:
    other = ready.upload(key="key-00000002").json["id"]
    ready.judge(other)
    assert ready.fetch("/me/submit").status_code == 200
    assert ready.fetch(f"/me/photos/{group}/subject", face="1").status_code == 409
    assert _photos(ready)[0].subject is None


def test_nobody_answers_for_another_persons_photo(ready: Any, group: str, invited: Any) -> None:
    grace = invited("Grace").accept()
    grace.consent()
    assert grace.fetch(f"/me/photos/{group}/subject", face="1").status_code == 404
    assert _photos(ready)[0].subject is None


def test_without_script_the_answer_leads_back_to_the_page(ready: Any, group: str) -> None:
    answer = ready.post(f"/me/photos/{group}/subject", "/me/photos", face="1")
    assert (answer.status_code, answer.location) == (303, "/me/photos")
    assert "Checking …" in ready.browser.get("/me/photos").text


def test_only_photos_that_ask_are_sent_by_nobody(ready: Any, group: str) -> None:
    answer = ready.fetch("/me/submit")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "still_asks")


def test_removing_a_photo_forgets_which_person_was_meant(ready: Any, group: str) -> None:
    ready.fetch(f"/me/photos/{group}/subject", face="1")
    assert ready.fetch(f"/me/photos/{group}/remove").status_code == 200
    photo = _photos(ready)[0]
    assert (photo.subject_x, photo.subject_y, photo.verdict) == (None, None, None)


@pytest.fixture
def doubted(ready: Any) -> str:
    """A photo that may show somebody else, beside one that does not."""
    ready.judge(ready.upload(key="key-00000002").json["id"], score=0.5)
    photo_id = str(ready.upload().json["id"])
    ready.judge(
        photo_id,
        issues=(
            {"code": "dark", "severity": "warn"},
            {"code": verdicts.SOMEBODY_ELSE, "severity": "warn"},
        ),
    )
    return photo_id


def test_a_photo_that_may_show_somebody_else_asks_and_is_left_out(ready: Any, doubted: str) -> None:
    listing = _listed(ready)
    assert (listing["unsure"], listing["accepted"], listing["can_submit"]) == (1, 1, True)
    assert listing["asking"] == "One photo still asks whether it shows you. Until you answer, it is left out."
    other, shown = listing["photos"]
    assert (other["rank"], shown["rank"]) == ("Best", None)
    assert (shown["state"], [issue["code"] for issue in shown["issues"]]) == (
        "unsure",
        [verdicts.SOMEBODY_ELSE],
    )
    page = ready.browser.get("/me/photos").text
    card = page.split(f'data-id="{doubted}"')[1].split("</li>")[0]
    assert "Is this you?" in card
    assert "Yes, this is me" in card
    assert "No, delete it" in card
    assert "✓" not in card.split(">", 1)[1]
    assert ready.fetch("/me/submit").status_code == 200, "the other one suffices"


def test_yes_counts_the_photo_and_is_never_asked_again(ready: Any, doubted: str) -> None:
    answer = ready.fetch(f"/me/photos/{doubted}/me")
    assert (answer.status_code, answer.json["state"]) == (200, "accepted")
    assert [issue["code"] for issue in answer.json["issues"]] == ["dark"]
    assert ready.fetch(f"/me/photos/{doubted}/me").status_code == 200, "twice is fine"
    with transaction(ready.org_id) as session:
        verdicts.mark_strangers(
            session,
            ready.participation_id,
            {doubted},
            {"code": verdicts.SOMEBODY_ELSE, "severity": "warn", "advice": "English"},
        )
    listing = _listed(ready)
    assert (listing["unsure"], listing["accepted"], listing["asking"]) == (0, 2, "")
    assert listing["photos"][1]["rank"] == "Best"
    with transaction(ready.org_id) as session:
        told = session.scalars(select(AuditEvent).where(AuditEvent.tag == "photo.confirmed")).one()
        assert told.facts == {"photo": doubted}


def test_without_script_yes_leads_back_to_the_page_and_no_deletes(ready: Any, doubted: str) -> None:
    answer = ready.post(f"/me/photos/{doubted}/me", "/me/photos")
    assert (answer.status_code, answer.location) == (303, "/me/photos")
    assert "Is this you?" not in ready.browser.get("/me/photos").text.split("<template")[0]
    assert ready.post(f"/me/photos/{doubted}/remove", "/me/photos").status_code == 303
    assert _listed(ready)["count"] == 1
    with transaction(ready.org_id) as session:
        assert session.get_one(Photo, UUID(doubted)).confirmed_at is None, "the answer goes with the photo"


def test_only_doubted_photos_are_sent_by_nobody(ready: Any, doubted: str) -> None:
    other = _listed(ready)["photos"][0]["id"]
    assert ready.fetch(f"/me/photos/{other}/remove").status_code == 200
    answer = ready.fetch("/me/submit")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "still_asks")
    assert "shows you" in answer.json["error"]["message"]


def test_nobody_says_yes_where_nothing_asks_or_for_somebody_else(
    ready: Any, doubted: str, invited: Any
) -> None:
    other = _listed(ready)["photos"][0]["id"]
    answer = ready.fetch(f"/me/photos/{other}/me")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "nothing_to_choose")
    grace = invited("Grace").accept()
    grace.consent()
    assert grace.fetch(f"/me/photos/{doubted}/me").status_code == 404
    assert ready.fetch("/me/submit").status_code == 200
    assert ready.fetch(f"/me/photos/{doubted}/me").status_code == 409, "the photos are with the studio"


def test_best_three_are_ranked_with_reasons(ready: Any) -> None:
    scores = (0.4, 0.9, 0.6, 0.2)
    for number, score in enumerate(scores):
        photo_id = ready.upload(key=f"key-{number:08d}").json["id"]
        measures = {"sharpness": 110, "eye_opening_ratio": 0.3} if score == 0.9 else {}
        ready.judge(photo_id, score=score, measures=measures, phash=f"{number * 0x1111111111111111:016x}")
    shown = _listed(ready)["photos"]
    assert [photo["rank"] for photo in shown] == ["3rd", "Best", "2nd", None]
    assert shown[1]["reasons"] == ["sharp", "your eyes are open"]
    page = ready.browser.get("/me/photos").text
    assert "sharp · your eyes are open" in page


def test_the_same_shot_twice_is_named_by_its_number(ready: Any) -> None:
    shots = (("00000000ffffffff", 0.7), ("ff00ff00ff00ff00", 0.9), ("00000000fffffff0", 0.8))
    for number, (phash, score) in enumerate(shots):
        photo_id = ready.upload(key=f"key-{number:08d}").json["id"]
        ready.judge(photo_id, phash=phash, score=score)
    found = [photo["issues"] for photo in _listed(ready)["photos"]]
    assert found[1:] == [[], []]
    assert found[0][0]["code"] == "near_duplicate"
    assert "same shot as photo 3" in found[0][0]["advice"], "the better one"


def test_a_usable_photo_with_a_warning_says_that_it_could_be_better(ready: Any) -> None:
    ready.judge(ready.upload().json["id"], issues=({"code": "dark", "severity": "warn"},))
    page = ready.browser.get("/me/photos").text.split('id="photos"')[1].split("<template")[0]
    assert "✓ Usable, could be better" in page
    assert "✓ Good" not in page


def test_after_sending_no_photo_is_added_or_removed(ready: Any) -> None:
    photo_id = ready.upload().json["id"]
    ready.judge(photo_id)
    ready.fetch("/me/submit")
    assert ready.upload(key="key-00000002").status_code == 409
    assert ready.fetch(f"/me/photos/{photo_id}/remove").status_code == 409
    assert ready.browser.get("/me/photos").location == "/me/progress"
