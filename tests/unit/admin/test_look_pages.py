"""Giving a style a look: what HR is asked, told and shown."""

from __future__ import annotations

import io
from typing import Any
from uuid import UUID

import pytest
from conftest import forget_process_state
from lxml import html
from painted import coarse
from PIL import Image
from reading import english_in
from sealing import sealed
from sqlalchemy import select
from work import judge_pictures

from core import audit, progress
from core.brand import look_pictures, look_reading, look_training, looks, styles
from core.db import transaction
from core.models import Artifact, AuditEvent, Kind, Look, Outbox, Role, Style
from core.people import organizations
from core.queue import JobName
from core.style.spec import StyleSpec


def picture(seed: int = 200, size: tuple[int, int] = (700, 600)) -> bytes:
    return coarse(seed, size)


def upload(number: int = 6, *more: tuple[str, bytes]) -> list[tuple[io.BytesIO, str]]:
    files = [(f"{one}.jpg", picture(100 + one)) for one in range(number)]
    return [(io.BytesIO(content), name) for name, content in (*files, *more)]


@pytest.fixture
def style(org: UUID) -> Style:
    with transaction(org) as session:
        return styles.save(session, StyleSpec(name="Warm"), actor=audit.SYSTEM)


@pytest.fixture
def switched_on(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation that has an image model."""
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()


@pytest.fixture
def address(style: Style, switched_on: None) -> str:
    return f"/admin/styles/{style.id}/look"


def give(browser: Any, address: str, files: Any, *, rights: bool = True, json: bool = True) -> Any:
    return browser.post(address, {"pictures": files} | ({"rights": "1"} if rights else {}), json=json)


def judged(org: UUID, browser: Any, address: str, files: Any) -> dict[str, Any]:
    """Give pictures, let a worker judge them, and return what the page that waits for them is told."""
    sent = give(browser, address, files)
    assert sent.status_code == 200, sent.text
    judge_pictures(org)
    return dict(browser.get(f"/admin/uploads/{sent.json['upload']}.json").json)


def kept(org: UUID) -> list[str]:
    with transaction(org) as session:
        held = select(Artifact.id).where(
            Artifact.kind == Kind.STYLE_PICTURE, Artifact.delete_requested_at.is_(None)
        )
        return [str(one) for one in session.scalars(held)]


def words(page: str) -> str:
    return " ".join(html.fromstring(page).text_content().split())


def alert(page: str) -> Any:
    (found,) = html.fromstring(page).xpath("//*[@role='alert']")
    return found


def test_a_look_can_be_given_only_where_there_is_an_image_model(style: Style, browser: Any) -> None:
    studio = f"/admin/styles/{style.id}"
    assert "Company look" not in browser.get(studio).text
    assert browser.get(f"{studio}/look").status_code == 404
    assert give(browser, f"{studio}/look", upload()).status_code == 404


def test_the_studio_of_a_saved_style_leads_to_its_look(style: Style, address: str, browser: Any) -> None:
    assert f'href="{address}"' in browser.get(f"/admin/styles/{style.id}").text
    assert "/look" not in browser.get("/admin/styles/new").text


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.AUDITOR])
def test_only_who_edits_styles_gives_a_look(address: str, signed_in: Any, role: Role) -> None:
    assert give(signed_in(role), address, upload()).status_code == 403


def test_pictures_are_kept_shown_and_learned(style: Style, address: str, browser: Any, org: UUID) -> None:
    answer = give(browser, address, upload(), json=False)
    assert (answer.status_code, answer.location) == (303, address)
    assert kept(org) == []
    assert "Your pictures are being checked." in browser.get(address).text
    judge_pictures(org)
    page = browser.get(address).text
    assert "being checked" not in page
    assert "Being learned" in page
    shown = html.fromstring(page).xpath("//ul[@class='examples']//img/@src")
    assert [one.removesuffix(".jpg").rpartition("/")[2] for one in shown] == kept(org)
    thumbnail = browser.get(shown[0])
    assert thumbnail.headers["Cache-Control"] == "no-store"
    assert Image.open(io.BytesIO(thumbnail.data)).size == (320, 274)
    with transaction(org) as session:
        look_id = session.get_one(Style, style.id).look_id
        assert session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.TRAIN_STYLE)).all() == [
            look_id
        ]
        confirmed = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == audit.Tag.STYLE_RIGHTS_CONFIRMED)
        ).one()
    assert confirmed.actor_id is not None
    assert look_id is not None
    progress.report(look_id, "train", 0.4, seconds_left=90)
    assert html.fromstring(browser.get(address).text).xpath("//progress/@value") == ["40"]
    polled = browser.get(address, headers={"X-Requested-With": "fetch"}).json
    assert polled == {
        "standing": "learning",
        "pictures": 6,
        "percent": 40,
        "seconds_left": 90,
        "failure": None,
    }


def test_without_the_confirmation_the_page_leads_to_the_box(address: str, browser: Any, org: UUID) -> None:
    answer = give(browser, address, upload(), rights=False, json=False)
    assert answer.status_code == 422
    told = alert(answer.text)
    assert "confirm that you may use these pictures" in told.text_content()
    (target,) = told.xpath(".//a/@href")
    (box,) = html.fromstring(answer.text).xpath(f"//input[@id='{target[1:]}']")
    assert (box.get("type"), box.get("aria-invalid")) == ("checkbox", "true")
    assert kept(org) == []
    refused = give(browser, address, upload(), rights=False).json["error"]
    assert (refused["code"], refused["field"]) == ("rights_unconfirmed", "rights")


def test_a_file_that_cannot_be_used_is_named_on_the_page_alone_and_the_others_kept(
    address: str, browser: Any, org: UUID
) -> None:
    files = upload(5, ("Ada Example.txt", b"no picture"))
    told = judged(org, browser, address, files)
    assert (told["standing"], told["message"]) == ("kept", "")
    assert told["left_out"] == ["6: This file is not a picture that can be read. PNG, JPEG and WebP work."]
    page = browser.get(address).text
    assert "The pictures are kept, and 1 was left out:" in words(page)
    assert "Picture 6: This file is not a picture that can be read." in words(page)
    assert "Ada Example" not in page
    assert len(kept(org)) == 5


def test_too_few_pictures_are_refused_with_what_is_wrong_with_each(
    address: str, browser: Any, org: UUID
) -> None:
    told = judged(org, browser, address, upload(4, ("small.jpg", picture(size=(300, 300)))))
    assert (told["standing"], told["result"]) == ("refused", None)
    said = words(browser.get(address).text)
    assert "at least 5 pictures, and 4 can be used" in said
    assert "Picture 5: This picture is less than 512 pixels wide or high." in said
    assert kept(org) == []
    assert give(browser, address, []).status_code == 422


def test_one_photo_again_and_again_is_no_look(address: str, browser: Any, org: UUID) -> None:
    files = [
        (io.BytesIO(picture()), f"{name}.jpg") for name in ("first", "again", "once-more", "four", "five")
    ]
    judged(org, browser, address, files)
    told = " ".join(alert(browser.get(address).text).text_content().split())
    assert "Picture 2: This is the same picture as one before it." in told
    assert "Picture 1:" not in told
    assert kept(org) == []


def test_a_style_that_a_shoot_uses_gets_a_new_version(
    style: Style, address: str, browser: Any, org: UUID
) -> None:
    with transaction(org) as session:
        styles.lock(session, session.get_one(Style, style.id))
    assert "make a new version" in words(browser.get(address).text)
    told = judged(org, browser, address, upload())
    assert told["result"] != str(style.id)
    assert told["next"] == f"/admin/styles/{told['result']}/look"
    assert "version 2" in words(browser.get(told["next"]).text)
    assert "Your pictures made a new version of this style." in words(browser.get(address).text)
    assert browser.get(address, headers={"X-Requested-With": "fetch"}).json["standing"] is None


def test_a_look_is_removed_even_where_there_is_no_image_model_any_more(
    style: Style, address: str, browser: Any, org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged(org, browser, address, upload())
    monkeypatch.delenv("HEADSHOTS_DIFFUSION_BASE")
    forget_process_state()
    page = browser.get(address).text
    assert "Remove the look" in page
    assert 'id="give"' not in page
    assert give(browser, address, upload()).status_code == 422
    answer = browser.post(f"{address}/remove", json=False)
    assert (answer.status_code, answer.location) == (303, f"/admin/styles/{style.id}")
    assert kept(org) == []
    assert browser.get(address).status_code == 404


def test_learning_that_failed_can_be_tried_again(style: Style, address: str, browser: Any, org: UUID) -> None:
    judged(org, browser, address, upload())
    with transaction(org) as session:
        look_id = session.get_one(Style, style.id).look_id
        assert look_id is not None
        look_training.fail(session, look_id, "OutOfMemoryError")
    assert "The reason was: OutOfMemoryError." in words(browser.get(address).text)
    browser.post(f"{address}/again")
    with transaction(org) as session:
        assert session.get_one(Look, look_id).failure_code is None


def test_another_company_sees_nothing_of_a_look(address: str, browser: Any, org: UUID) -> None:
    judged(org, browser, address, upload())
    other = organizations.create("globex", "Globex")
    with transaction(other) as session:
        theirs = styles.save(session, StyleSpec(name="Theirs"), actor=audit.SYSTEM)
        readable = look_reading.read([picture(seed) for seed in range(look_pictures.LEAST)])
        pictures = [sealed(other, one, Kind.STYLE_PICTURE) for one in readable.usable]
        give_theirs = looks.give(session, theirs, readable, pictures, actor=audit.SYSTEM)
        theirs_id, their_picture = theirs.id, give_theirs.look.pictures[0]
    picture_id = kept(org)[0]
    assert browser.get(f"{address}/{picture_id}.jpg").status_code == 200
    assert browser.get(f"{address}/{their_picture}.jpg").status_code == 404
    for action in ("look", f"look/{their_picture}.jpg"):
        assert browser.get(f"/admin/styles/{theirs_id}/{action}").status_code == 404
    assert browser.post(f"/admin/styles/{theirs_id}/look/remove").status_code == 404
    with transaction(other) as session:
        assert session.scalars(select(Look.ended_at)).all() == [None]


def test_the_look_speaks_german(style: Style, address: str, browser: Any, org: UUID) -> None:
    german = {"query_string": {"lang": "de"}}

    def seen() -> None:
        for one in (address, f"/admin/styles/{style.id}"):
            page = browser.get(one, **german).text
            assert '<html lang="de">' in page
            assert english_in(page, "Warm", "Headshots") == []

    seen()
    for files, rights in ((upload(), False), (upload(4, ("klein.jpg", picture(size=(300, 300)))), True)):
        refused = give(browser, address, files, rights=rights, json=False).text
        assert english_in(refused, "Warm", "Headshots", "klein.jpg") == []
        seen()
        judge_pictures(org)
        seen()
    judged(org, browser, address, upload(5, ("a.txt", b"no picture")))
    seen()
    with transaction(org) as session:
        look_id = session.get_one(Style, style.id).look_id
        assert look_id is not None
        look_training.fail(session, look_id, "engine_off")
        styles.lock(session, session.get_one(Style, style.id))
    seen()
    with transaction(org) as session:
        look_training.store(
            session,
            look_id,
            sealed(org, b"weights", Kind.ADAPTER),
            base="klein",
            revision="1",
            rank=2,
            steps=8,
            seed=1,
            seconds=1.0,
            watt_hours=None,
        )
    seen()
