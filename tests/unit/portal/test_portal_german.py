"""Nobody who chose German meets English, wherever they stand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from conftest import forget_process_state
from flask import Flask
from flask.testing import FlaskClient
from reading import english_in

from core import audit, progress
from core.db import transaction
from core.models import EngineName, Member, Shoot, State
from core.people import data_links
from core.portraits.engines import Fallback
from core.shoots import letters, shoots
from portal import words

ROOT = Path(__file__).parents[3]
NAMES = ("Isle of Man", "the test machine", "Headshots")


def german(browser: FlaskClient, address: str, status: int = 200) -> str:
    """Open a page in German and return it, sure that it says nothing in English."""
    answer = browser.get(address, query_string={"lang": "de"})
    assert answer.status_code == status, address
    assert '<html lang="de">' in answer.text
    assert english_in(answer.text, *NAMES) == []
    return answer.text


@pytest.mark.parametrize(
    "address", ["/", "/verify", "/trust/acme", "/trust/acme/data", "/trust/acme/data/sent"]
)
def test_public_pages_speak_german(portal: Flask, org: Any, address: str) -> None:
    german(portal.test_client(), address)


@pytest.mark.parametrize(("address", "status"), [("/nowhere", 404), ("/me/photos", 401), ("/i/wrong", 404)])
def test_errors_speak_german(portal: Flask, org: Any, address: str, status: int) -> None:
    german(portal.test_client(), address, status)


def test_wrong_method_speaks_german(portal: Flask, org: Any) -> None:
    answer = portal.test_client().get("/me/submit?lang=de")
    assert answer.status_code == 405
    assert english_in(answer.text, *NAMES) == []


def test_invitation_names_its_deadline_as_germans_write_dates(ada: Any) -> None:
    page = german(ada.browser, ada.link())
    assert "Einladung von Acme" in page
    assert any(f". {month} 20" in page for month in MONTHS)


MONTHS = (
    "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()  # noqa: SIM905
)


def test_way_to_a_headshot_is_german(ada: Any) -> None:
    ada.accept()
    assert "Deine Fotos, deine Entscheidung" in german(ada.browser, "/me/consent")
    ada.consent()
    german(ada.browser, "/me/photos")
    photo = ada.upload().json["id"]
    issues = ({"code": "dark", "severity": "warn"},)
    ada.judge(photo, issues=issues)
    assert "Dein Gesicht ist auf diesem Foto dunkel" in german(ada.browser, "/me/photos")
    group = ada.upload(key="key-00000002").json["id"]
    ada.judge_group(group)
    assert "Wer davon bist du?" in german(ada.browser, "/me/photos")
    assert "zugestimmt am" in german(ada.browser, "/me/privacy")
    ada.fetch("/me/submit")
    german(ada.browser, "/me/progress")
    ada.set_state(State.FAILED, failure_code="no_usable_photo")
    german(ada.browser, "/me/progress")


def test_waiting_for_an_image_model_and_its_stand_in_are_german(
    ada: Any, shoot: Shoot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEADSHOTS_DIFFUSION_BASE", "klein")
    forget_process_state()
    with transaction(ada.org_id) as session:
        session.get_one(Shoot, shoot.id).engine = EngineName.DIFFUSION
    ada.accept().consent(photo="yes", likeness="yes", paint="yes", adapter="yes")
    for key in ("key-00000001", "key-00000002"):
        ada.judge(ada.upload(key=key).json["id"])
    ada.fetch("/me/submit")
    assert "läuft gerade nicht" in german(ada.browser, "/me/progress")
    progress.report(ada.participation_id, "train", 0.5, seconds_left=250)
    assert "noch etwa 5 Minuten für diesen Schritt" in german(ada.browser, "/me/progress")
    for code in (*Fallback, "RuntimeError"):
        ada.set_state(State.READY, fallback_code=code)
        assert "Aus deinem eigenen Foto" in german(ada.browser, "/me/result")


def test_declining_is_german(ada: Any) -> None:
    ada.accept().browser.get("/?lang=de")
    ada.post("/me/decline", "/me/consent", alternative="initials")
    german(ada.browser, "/me/declined")


def test_trying_other_photos_and_taking_the_first_consent_back_are_german(waiting: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    waiting.fetch("/me/approve", headshot_id=str(headshot))
    waiting.fetch("/me/more")
    assert "Dein freigegebenes Porträt bleibt" in german(waiting.browser, "/me/photos")
    assert "Das wird endgültig gelöscht" in german(waiting.browser, "/me/consent/withdraw")
    waiting.post("/me/consent/withdraw", "/me/consent/withdraw", purpose="photo", confirm="yes")
    assert "werden gerade entfernt" in german(waiting.browser, "/me/privacy")
    german(waiting.browser, "/me/declined")


def test_the_way_to_ones_data_is_german(ada: Any, shoot: Shoot) -> None:
    link = ada.link()
    with transaction(ada.org_id) as session:
        shoots.close(session, shoots.get(session, shoot.id), actor=audit.SYSTEM)
        found = data_links.link_of(session.get_one(Member, ada.member.id))
        member = session.get_one(Member, ada.member.id)
        member.language = "de"
        mail = letters.data(session, member)
    assert "Ein Link zu deinen Daten" in mail.text
    german(ada.browser, link, 410)
    german(ada.browser, urlsplit(found).path)
    ada.post(urlsplit(found).path, urlsplit(found).path)
    german(ada.browser, "/me/privacy")


def test_refusal_of_a_photo_is_german(ada: Any) -> None:
    ada.accept().browser.get("/?lang=de")
    ada.consent()
    answer = ada.upload(b"not a photo" * 400)
    assert answer.json["error"]["message"].startswith("Das ist kein Foto")


def test_limit_is_filled_in_after_its_translation(ada: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from core.portraits import photos

    monkeypatch.setattr(photos, "MAX_PHOTOS", 0)
    ada.accept().browser.get("/?lang=de")
    ada.consent()
    assert ada.upload().json["error"]["message"].startswith("Du hast schon 0 Fotos")


def test_every_step_of_checking_evidence_has_a_name(portal: Flask) -> None:
    code = "".join(
        (ROOT / "compliance" / name).read_text() for name in ("verify.py", "pdf/seal.py", "pdf/signed.py")
    )
    names = set(re.findall(r"check(?:s\.add|s\.fail)?\(\s*\"([A-Za-z ]+)\"", code))
    assert {"entry in log", "whole file signed", "PAdES signature", "readable"} <= names
    with portal.test_request_context("/?lang=de"):
        assert [name for name in names if words.check(name) == name.capitalize()] == ["format"]
