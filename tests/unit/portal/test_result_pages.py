"""Watching, choosing, downloading."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from conftest import add_shoot
from origins import read
from PIL import Image
from sqlalchemy import select

from compliance import retention
from core import audit
from core import progress as core_progress
from core.checks.report import LOOK_ALIKE
from core.checks.sureness import mixed_of_ten
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import AuditEvent, Headshot, Participation, Photo, Shoot, State, Style
from core.portraits import downloads, photos
from core.style.outputs import NAMED_OUTPUTS, Output
from core.style.spec import StyleSpec
from portal import progress, words


def _events(person: Any) -> list[dict[str, Any]]:
    answer = person.browser.get("/me/progress/events")
    assert answer.mimetype == "text/event-stream"
    lines = answer.get_data(as_text=True).splitlines()
    answer.close()  # as a server does; that frees the stream's place
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]


def test_the_stream_tells_the_state_and_ends_when_the_work_is_over(waiting: Any) -> None:
    core_progress.report(waiting.participation_id, "portrait", 0.4)
    waiting.set_state(State.RENDERING)
    assert waiting.browser.get("/me/progress.json").json["percent"] == 40
    waiting.set_state(State.READY)
    assert _events(waiting)[-1]["next"] == "/me/result"
    assert waiting.browser.get("/me/progress").location == "/me/result"


def test_streams_are_bounded_and_the_page_can_ask_instead(waiting: Any) -> None:
    open_streams = [waiting.browser.get("/me/progress/events") for _ in range(progress.MOST_STREAMS)]
    assert {answer.status_code for answer in open_streams} == {200}
    assert waiting.browser.get("/me/progress/events").status_code == 503
    assert waiting.browser.get("/me/progress.json").json["state"] == "submitted"
    for answer in open_streams:
        answer.close()
    last = waiting.browser.get("/me/progress/events")
    assert last.status_code == 200
    last.close()


def test_a_failure_is_told_in_plain_words_and_other_photos_can_follow(waiting: Any) -> None:
    waiting.set_state(State.FAILED, failure_code="cropped_too_tightly")
    page = waiting.browser.get("/me/progress")
    assert "ends too close to your head" in page.text
    assert waiting.fetch("/me/more").json == {"next": "/me/photos"}
    assert waiting.state() is State.UPLOADING


def test_a_withheld_result_is_never_served_only_its_reason(waiting: Any, shoot: Shoot) -> None:
    waiting.set_state(State.UPLOADING)
    other = waiting.upload(key="key-00000002").json["id"]
    waiting.judge(other)
    good, held = waiting.render(shoot), waiting.render(shoot, "gates", rank=1, photo=other)
    waiting.set_state(State.READY)
    page = waiting.browser.get("/me/result").text
    assert str(good) in page
    assert str(held) not in page
    assert "did not look enough like your photos" in page
    assert waiting.browser.get(f"/me/headshots/{held}/view").status_code == 404
    assert waiting.fetch("/me/approve", headshot_id=str(held)).status_code == 404
    assert waiting.browser.get(f"/me/headshots/{held}/square.jpg").status_code == 404


def test_what_the_company_gets_is_said_by_the_style_that_a_headshot_was_made_in(
    waiting: Any, shoot: Shoot
) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    waiting.fetch("/me/approve", headshot_id=str(headshot))
    before = waiting.browser.get("/me/result").text
    assert "1024 × 1024" in before
    wide = StyleSpec(outputs=({"name": "banner", "width": 1600, "height": 400},))
    with transaction(waiting.org_id) as session:
        session.get_one(Shoot, shoot.id).style_id = add_shoot(waiting.org_id, wide).style_id
    after = waiting.browser.get("/me/result").text
    assert "1600" not in after
    assert "1024 × 1024" in after


def test_the_approved_headshot_is_delivered_in_the_sizes_of_the_style(waiting: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    early = waiting.browser.get(f"/me/headshots/{headshot}/linkedin.jpg")
    assert early.status_code == 409
    assert waiting.fetch("/me/approve", headshot_id=str(headshot)).json == {"next": "/me/result"}
    assert waiting.state() is State.APPROVED
    answer = waiting.browser.get(f"/me/headshots/{headshot}/linkedin.jpg")
    assert answer.headers["Content-Disposition"] == "attachment; filename=headshot-linkedin.jpg"
    assert answer.headers["Cache-Control"] == "no-store"
    image = Image.open(io.BytesIO(answer.data))
    assert (image.size, image.format) == ((800, 800), "JPEG")
    assert not image.getexif()
    assert b"Portrait photo of " in image.info["xmp"]
    credentials = read(answer.data, "image/jpeg")
    assert credentials is not None
    assert credentials.state == "Valid"
    assert not any(word in credentials.whole for word in ("Ada", "Example", "acme"))
    assert waiting.state() is State.DELIVERED
    assert waiting.browser.get(f"/me/headshots/{headshot}/linkedin.png").status_code == 404
    with transaction(waiting.org_id) as session:
        tags = session.scalars(select(AuditEvent.tag)).all()
    assert tags.count("headshot.approved") == tags.count("headshot.downloaded") == 1


def test_what_a_person_takes_along_says_where_it_comes_from_and_its_pixels_stay(
    waiting: Any, shoot: Shoot
) -> None:
    waiting.render(shoot)
    waiting.set_state(State.READY)
    archive = zipfile.ZipFile(io.BytesIO(waiting.browser.get("/me/export.zip").data))
    assert archive.namelist()[:3] == ["data.json", "photos/01.jpg", "headshots/01.png"]
    master = archive.read("headshots/01.png")
    credentials = read(master, "image/png")
    assert credentials is not None
    assert (credentials.state, credentials.actions[0]["action"]) == ("Valid", "c2pa.opened")
    with Image.open(io.BytesIO(master)) as image:
        assert "algorithmicallyEnhanced" in image.info["XML:com.adobe.xmp"]
        coarse = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
        assert np.array_equal(np.asarray(image), coarse.repeat(16, 0).repeat(16, 1))
    assert read(archive.read("photos/01.jpg"), "image/jpeg") is None, "a photo is given back as it came"


def test_a_headshot_of_a_small_photo_says_its_size_and_is_not_enlarged(waiting: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot, pixels=np.full((400, 400, 3), 90, np.uint8))
    with transaction(waiting.org_id) as session:
        row = session.get_one(Headshot, headshot)
        row.gates = {**row.gates, "master": [400, 400]}
    waiting.set_state(State.READY)
    page = waiting.browser.get("/me/result").text
    assert "400 × 400 pixels instead of 1024 × 1024" in page
    assert "“Square”, 400 × 400 pixels" in page
    waiting.fetch("/me/approve", headshot_id=str(headshot))
    page = waiting.browser.get("/me/result").text
    assert "1024 × 1024 ·" not in page
    assert "400 × 400 · JPEG" in page
    square = waiting.browser.get(f"/me/headshots/{headshot}/square.jpg")
    assert Image.open(io.BytesIO(square.data)).size == (400, 400)


def test_another_one_can_be_chosen_later(waiting: Any, shoot: Shoot) -> None:
    first, second = waiting.render(shoot), waiting.render(shoot, rank=1)
    waiting.set_state(State.READY)
    for choice in (first, first, second):
        assert waiting.fetch("/me/approve", headshot_id=str(choice)).status_code == 200
    assert waiting.browser.get(f"/me/headshots/{first}/square.jpg").status_code == 409
    assert waiting.browser.get(f"/me/headshots/{second}/square.jpg").status_code == 200


def test_nobody_sees_another_persons_headshot(waiting: Any, invited: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    grace = invited("Grace").accept()
    assert grace.browser.get(f"/me/headshots/{headshot}/view").status_code == 404
    assert grace.fetch("/me/approve", headshot_id=str(headshot)).status_code == 404
    seen = waiting.browser.get(f"/me/headshots/{headshot}/view")
    assert seen.status_code == 200
    assert seen.headers["Cache-Control"] == "no-store"


def test_everybody_sees_the_styles_own_frame_though_a_file_is_wide(waiting: Any, shoot: Shoot) -> None:
    hero = Output(name="hero", width=1600, height=900)
    wide = StyleSpec(name="Wide", outputs=(NAMED_OUTPUTS["linkedin"], hero))
    with transaction(waiting.org_id) as session:
        session.get_one(Style, shoot.style_id).spec = wide.model_dump(mode="json")
    width, height = wide.master_size()
    assert width > height
    pixels = np.zeros((height, width, 3), np.uint8)
    frame = wide.frame(width, height)
    pixels[:, int(frame.left) : int(frame.left + frame.width)] = 200
    headshot = waiting.render(shoot, pixels=pixels)
    waiting.set_state(State.READY)
    for query, side in (
        ("", 720),
        ("?width=240", 240),
        ("?width=9999", 720),
        ("?close=1", min(1600, height)),
    ):
        seen = waiting.browser.get(f"/me/headshots/{headshot}/view{query}")
        with Image.open(io.BytesIO(seen.data)) as shown:
            assert shown.size == (side, side)
            assert shown.convert("L").getextrema()[0] > 150, "nothing beside the frame"
    page = waiting.browser.get("/me/result").text
    assert "gets of it is “LinkedIn”, 800 × 800 pixels." in page


def test_a_result_can_be_compared_with_its_photo_and_chosen_there(waiting: Any, shoot: Shoot) -> None:
    first, second = waiting.render(shoot), waiting.render(shoot, rank=1)
    waiting.set_state(State.READY)
    assert f'href="/me/result/{first}"' in waiting.browser.get("/me/result").text
    page = waiting.browser.get(f"/me/result/{second}").text
    assert f'src="/me/headshots/{second}/view?close=1" width="720" height="720" alt="Headshot 2"' in page
    assert (
        f'src="/me/headshots/{second}/before?close=1" width="720" height="720" alt="The photo it was made from"'
        in page
    )
    assert "Distance to your photos" in page
    assert "<strong>0.7</strong>" in page
    assert "0.6 at most" in page
    assert f'rel="prev" href="/me/result/{first}"' in page
    assert 'rel="next"' not in page
    assert "Choose number 2" in page
    before = waiting.browser.get(f"/me/headshots/{second}/before")
    assert (before.status_code, before.headers["Cache-Control"]) == (200, "no-store")
    assert waiting.post("/me/approve", f"/me/result/{second}", headshot_id=str(second)).status_code == 303
    chosen = waiting.browser.get(f"/me/result/{second}").text
    assert "✓ Your choice" in chosen
    assert "Choose number" not in chosen
    other = waiting.browser.get(f"/me/result/{first}").text
    assert "Choose number 1" in other
    assert "It then replaces the one that you chose before." in other
    assert waiting.post("/me/approve", f"/me/result/{first}", headshot_id=str(first)).status_code == 303
    assert "✓ Your choice" in waiting.browser.get(f"/me/result/{first}").text


@pytest.mark.parametrize(
    ("others", "said", "figure"),
    [
        (2, "Looks like your other photos", "Distance to your other photos"),
        (0, "Looks like the photo it was made from", "Distance to the photo it was made from"),
        (None, "Looks like you", "Distance to your photos"),
    ],
)
def test_other_photos_are_named_only_where_the_face_was_compared_with_them(
    waiting: Any, shoot: Shoot, others: int | None, said: str, figure: str
) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    with transaction(waiting.org_id) as session:
        likeness = {"value": 0.3, "limit": 0.6, "passed": True}
        session.get_one(Headshot, headshot).gates = {
            "gates": {"likeness": likeness | ({} if others is None else {"others": others})}
        }
    page = waiting.browser.get(f"/me/result/{headshot}").text
    assert f"<span>{said}</span> <strong>yes</strong>" in page
    assert f"<dt>{figure} (0" in page
    told = page.split("What we found")[1].split('class="wrong"')[0]
    assert ("other photos" in told) is bool(others)


def made_face(person: Any, shoot: Shoot, encoders: int | None, *notes: str) -> UUID:
    """Keep a result of the image model, compared by so many encoders."""
    gate = {"value": 0.31, "limit": 0.4, "unit": "dlib distance", "passed": True, "why": ""}
    gates = {"held_out": gate if encoders is None else {**gate, "encoders": encoders}}
    kept = person.render(shoot, gates=gates)
    with transaction(person.org_id) as session:
        row = session.get_one(Headshot, kept)
        row.engine, row.gates = "diffusion", {**row.gates, "notes": list(notes)}
    person.set_state(State.READY)
    return UUID(str(kept))


@pytest.mark.parametrize(
    ("encoders", "said"),
    [
        (1, f"this check lets about {mixed_of_ten()} through"),
        (None, "often not people who look alike"),
        (2, ""),
    ],
)
def test_beside_a_made_face_stands_how_sure_the_check_is(
    waiting: Any, shoot: Shoot, encoders: int | None, said: str
) -> None:
    kept = made_face(waiting, shoot, encoders)
    for page in ("/me/result", f"/me/result/{kept}"):
        text = waiting.browser.get(page).text
        assert said in text
        assert ("How sure is that?" in text) is bool(said)


def test_of_a_photo_of_ones_own_nothing_of_that_is_said(waiting: Any, shoot: Shoot) -> None:
    waiting.render(shoot)
    waiting.set_state(State.READY)
    assert "How sure is that?" not in waiting.browser.get("/me/result").text


def test_who_cannot_be_told_apart_reads_so_and_chooses_only_after_looking(waiting: Any, shoot: Shoot) -> None:
    kept = made_face(waiting, shoot, 2, LOOK_ALIKE)
    text = waiting.browser.get("/me/result").text
    assert "cannot tell you apart from somebody else in your company" in text
    assert "not sure, please look closely" in text
    assert 'name="looked"' in text
    refused = waiting.fetch("/me/approve", headshot_id=str(kept))
    assert (refused.status_code, refused.json["error"]["code"]) == (409, "not_looked_at")
    assert waiting.state() is State.READY
    waiting.post("/me/approve", "/me/result", headshot_id=str(kept), looked="1")
    assert waiting.state() is State.APPROVED


def test_nobody_compares_another_persons_headshot_or_a_withheld_one(
    waiting: Any, invited: Any, shoot: Shoot
) -> None:
    headshot, held = waiting.render(shoot), waiting.render(shoot, "gates", rank=1)
    waiting.set_state(State.READY)
    grace = invited("Grace").accept()
    grace.set_state(State.READY)
    for address in (f"/me/result/{headshot}", f"/me/headshots/{headshot}/before"):
        assert waiting.browser.get(address).status_code == 200
        assert grace.browser.get(address).status_code == 404
    for address in (f"/me/result/{held}", f"/me/headshots/{held}/before", f"/me/result/{new_id()}"):
        assert waiting.browser.get(address).status_code == 404


def test_the_page_of_a_result_says_when_its_photo_is_gone(waiting: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    with transaction(waiting.org_id) as session:
        photos.end(session, session.scalars(select(Photo)).all())
    assert "nothing to compare with" in waiting.browser.get(f"/me/result/{headshot}").text
    assert waiting.browser.get(f"/me/headshots/{headshot}/before").status_code == 404


def test_before_there_is_a_result_its_page_leads_to_the_step_of_the_person(
    waiting: Any, shoot: Shoot
) -> None:
    headshot = waiting.render(shoot)
    assert waiting.browser.get(f"/me/result/{headshot}").location == "/me/progress"


@pytest.mark.parametrize("value", ["", "x", "01a20aa9-de32-706e-9511-427d42224341"])
def test_choosing_nonsense_is_refused(waiting: Any, value: str) -> None:
    waiting.set_state(State.READY)
    assert waiting.fetch("/me/approve", headshot_id=value).status_code in (404, 422)


def test_a_photo_that_nothing_came_of_says_why_when_others_can_follow(waiting: Any, shoot: Shoot) -> None:
    waiting.render(shoot, "gates")
    waiting.set_state(State.FAILED, failure_code="gates")
    waiting.fetch("/me/more")
    (photo,) = waiting.browser.get("/me/photos.json").json["photos"]
    assert photo["tried"]
    assert [issue["advice"] for issue in photo["issues"]] == [
        "It did not look enough like your photos. Look straight into the camera, as you usually do."
    ]
    page = waiting.browser.get("/me/photos").text.split('id="photos"')[1].split("<template")[0]
    assert "nothing came of it" in page
    assert "did not look enough like your photos" in page
    assert "✓ Good" not in page


def test_a_photo_that_a_headshot_came_of_carries_no_mark(waiting: Any, shoot: Shoot) -> None:
    waiting.render(shoot, "gates")
    waiting.render(shoot, rank=1)
    waiting.set_state(State.READY)
    waiting.fetch("/me/more")
    (photo,) = waiting.browser.get("/me/photos.json").json["photos"]
    assert not photo["tried"]
    assert photo["issues"] == []


@pytest.mark.parametrize(
    ("edge", "cut", "good", "answer"),
    [
        (True, 0.7, True, "yes"),
        (True, 1.2, None, "almost everywhere, please look at your outline"),
        (None, 0.2, None, "not checked, please look closely"),
        (True, None, None, "not checked, please look closely"),
        (True, ..., None, "not checked, please look closely"),
    ],
)
def test_cleanly_cut_out_is_said_only_where_it_was_measured(portal, edge, cut, good, answer) -> None:
    gates: dict[str, Any] = {"edge": {"value": 3.0, "limit": 9.0, "passed": edge}}
    if cut is not ...:  # a picture from before cuts were measured has no such gate
        gates["cut"] = {"value": cut, "limit": 2.0, "passed": None if cut is None else cut <= 2.0}
    with portal.test_request_context("/"):
        [finding] = [one for one in words.gates({"gates": gates}) if one.label.startswith("Cleanly")]
        assert (finding.good, finding.answer) == (good, answer)


def test_who_is_withheld_for_the_cut_reads_what_would_help(portal) -> None:
    held = {"gates": {"cut": {"value": 9.0, "limit": 1.0, "passed": False}}}
    with portal.test_request_context("/"):
        [reason] = words.withheld("gates", held)
    assert "plain wall" in reason


def test_a_headshot_whose_time_is_over_is_said_to_have_ended(waiting: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    waiting.fetch("/me/approve", headshot_id=str(headshot))
    assert "can be downloaded until" in waiting.browser.get("/me/result").text
    with transaction(waiting.org_id) as session:
        running = session.get_one(Shoot, shoot.id)
        running.deadline = now() - timedelta(days=31)
        session.get_one(Participation, waiting.participation_id).approved_at = now() - timedelta(days=31)
    retention.sweep_all()
    page = waiting.browser.get("/me/result")
    assert (page.status_code, "has ended here" in page.text) == (200, True)
    assert f"/me/headshots/{headshot}" not in page.text
    for address in (
        f"/me/headshots/{headshot}/square.jpg",
        f"/me/headshots/{headshot}/view",
        f"/me/result/{headshot}",
    ):
        assert waiting.browser.get(address).status_code in (404, 410), address
    assert waiting.browser.get("/me/privacy").status_code == 200
    assert waiting.fetch("/me/more").json == {"next": "/me/photos"}
    assert waiting.browser.get("/me/photos").status_code == 200
    with transaction(waiting.org_id) as session, pytest.raises(downloads.NothingToDownload):
        downloads.plan(session, session.get_one(Shoot, shoot.id), actor=audit.SYSTEM)
