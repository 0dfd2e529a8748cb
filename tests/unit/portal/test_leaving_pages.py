"""Declining, taking consent back, taking data along, erasing."""

from __future__ import annotations

import io
import json
import re
import zipfile
from typing import Any

import pytest
from lxml import html
from PIL import Image
from sqlalchemy import select
from werkzeug.http import parse_options_header
from work import do_all_work, judge_pictures

from core.db import transaction
from core.models import Artifact, Consent, Erasure, Kind, Member, Outbox, Shoot, State


def _held(person: Any) -> list[Artifact]:
    with transaction(person.org_id) as session:
        return list(session.scalars(select(Artifact).where(Artifact.delete_requested_at.is_(None))))


def _size(content: bytes) -> tuple[int, int]:
    return Image.open(io.BytesIO(content)).size


def test_declining_gives_initials_in_the_brand_and_no_consent(ada: Any) -> None:
    answer = ada.accept().post("/me/decline", "/me/consent", alternative="initials")
    assert answer.location == "/me/declined"
    assert ada.state() is State.DECLINED
    image = ada.browser.get("/me/avatar-512.png")
    assert _size(image.data) == (512, 512)
    assert Image.open(io.BytesIO(image.data)).convert("RGB").getpixel((5, 5)) == (0x2F, 0x4B, 0x6E)
    saved = ada.browser.get("/me/avatar-256.png?download=1")
    assert "attachment" in saved.headers["Content-Disposition"]
    assert ada.browser.get("/me/avatar-99999.png").status_code == 404
    with transaction(ada.org_id) as session:
        assert session.scalars(select(Consent)).all() == []


def test_declining_after_an_upload_deletes_what_was_uploaded(ada: Any) -> None:
    ada.accept().consent()
    ada.judge(ada.upload().json["id"])
    assert ada.fetch("/me/decline", alternative="initials").status_code == 422, "it asks before it deletes"
    assert ada.post("/me/decline", alternative="initials").location == "/me/consent/withdraw"
    assert len(_held(ada)) == 2
    assert ada.fetch("/me/decline", alternative="initials", confirm="yes").status_code == 200
    assert _held(ada) == []


def test_ones_own_picture_is_kept_without_its_metadata(ada: Any) -> None:
    from PIL.ExifTags import Base

    source = io.BytesIO()
    exif = Image.Exif()
    exif[Base.Make] = "Camera"
    exif[Base.Orientation] = 6
    Image.new("RGB", (400, 300), "orange").save(source, "JPEG", exif=exif)
    ada.accept().fetch("/me/decline", alternative="own_picture")
    answer = ada.fetch("/me/own-picture", picture=(io.BytesIO(source.getvalue()), "cat.jpg"))
    assert answer.status_code == 200
    assert ada.browser.get("/me/own-picture.jpg").status_code == 404
    assert ada.browser.get("/me/own-picture.json").json["standing"] == "checking"
    judge_pictures(ada.org_id)
    assert ada.browser.get("/me/own-picture.json").json["standing"] == "kept"
    kept = ada.browser.get("/me/own-picture.jpg")
    assert _size(kept.data) == (300, 400)
    assert not Image.open(io.BytesIO(kept.data)).getexif()
    ada.fetch("/me/own-picture", picture=(io.BytesIO(source.getvalue()), "cat.jpg"))
    assert sorted(one.kind for one in _held(ada)) == [Kind.OWN_PICTURE, Kind.UPLOAD]
    judge_pictures(ada.org_id)
    assert [one.kind for one in _held(ada)] == [Kind.OWN_PICTURE]
    ada.fetch("/me/alternative")
    assert _held(ada) == []


def test_who_declines_reads_what_the_company_gets_before_giving_a_picture_and_after(ada: Any) -> None:
    asked = ada.accept().browser.get("/me/consent").text
    assert "gets the initials or the picture that you choose" in asked
    ada.fetch("/me/decline", alternative="own_picture")
    before = ada.browser.get("/me/declined").text
    assert "Nothing about your face is kept." in before
    assert "Acme gets this picture in place of a headshot." in before
    assert "Use this picture and give it to Acme" in before
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "orange").save(picture, "JPEG")
    ada.fetch("/me/own-picture", picture=(io.BytesIO(picture.getvalue()), "cat.jpg"))
    assert "Your picture is being checked." in ada.browser.get("/me/declined").text
    judge_pictures(ada.org_id)
    after = ada.browser.get("/me/declined").text
    assert "Nothing about your face is kept." not in after
    assert "Your own picture stands in for a headshot, and Acme gets it." in after
    ada.fetch("/me/reconsider")
    ada.fetch("/me/decline", alternative="initials")
    assert "Nothing about your face is kept." in ada.browser.get("/me/declined").text
    assert _held(ada) == []


def test_a_damaged_picture_of_ones_own_is_refused_and_the_one_before_stays(ada: Any) -> None:
    picture = io.BytesIO()
    Image.effect_noise((400, 300), 90).convert("RGB").save(picture, "PNG")
    ada.accept().fetch("/me/decline", alternative="own_picture")
    for content in (picture.getvalue(), picture.getvalue()[:9_000]):
        ada.fetch("/me/own-picture", picture=(io.BytesIO(content), "cat.png"))
        judge_pictures(ada.org_id)
    assert "damaged" in ada.browser.get("/me/declined").text
    assert [one.kind for one in _held(ada)] == [Kind.OWN_PICTURE]


def test_who_goes_back_to_their_initials_is_given_no_picture_by_a_late_check(ada: Any) -> None:
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "orange").save(picture, "JPEG")
    for leave in ("/me/alternative", "/me/reconsider"):
        ada.accept().fetch("/me/decline", alternative="own_picture")
        ada.fetch("/me/own-picture", picture=(io.BytesIO(picture.getvalue()), "cat.jpg"))
        ada.fetch(leave)
        judge_pictures(ada.org_id)
        assert _held(ada) == []


def test_a_picture_that_cannot_be_read_is_named_on_the_page(ada: Any) -> None:
    ada.accept().fetch("/me/decline")
    answer = ada.post("/me/own-picture", "/me/declined", picture=(io.BytesIO(b"x" * 500), "x.jpg"))
    assert answer.location == "/me/declined"
    assert "not a photo" in ada.browser.get("/me/declined").text


def test_changing_ones_mind_leads_back_to_the_question(ada: Any) -> None:
    ada.accept().fetch("/me/decline")
    assert ada.fetch("/me/reconsider").json == {"next": "/me/consent"}
    ada.consent()
    assert ada.state() is State.CONSENTED


def test_taking_back_the_likeness_changes_nothing_else(ada: Any) -> None:
    ada.accept().consent(photo="yes", likeness="yes")
    ada.upload()
    ada.fetch("/me/consent/withdraw", purpose="likeness")
    assert ada.state() is State.UPLOADING
    assert len(_held(ada)) == 1
    page = ada.browser.get("/me/privacy").text
    assert "taken back" in page


@pytest.mark.parametrize("state", [State.UPLOADING, State.RENDERING, State.READY, State.DELIVERED])
def test_taking_back_the_first_consent_ends_everything_from_any_state(ada: Any, state: State) -> None:
    ada.accept().consent()
    ada.upload()
    ada.set_state(state)
    assert ada.fetch("/me/consent/withdraw", purpose="photo", confirm="yes").status_code == 200
    assert ada.state() is State.DECLINED
    assert _held(ada) == []
    assert ada.fetch("/me/consent/withdraw", purpose="everything").status_code == 422


def _ledger(page: str) -> dict[str, int]:
    rows = re.findall(r"<li><span>([^<]+)</span> <strong>(\d+)</strong>", page)
    return {what: int(count) for what, count in rows}


def test_taking_back_the_first_consent_asks_and_names_what_ends(waiting: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    waiting.fetch("/me/approve", headshot_id=str(headshot))
    page = waiting.browser.get("/me/privacy").text
    assert 'action="/me/consent/withdraw"' not in page, "no tap on this page takes it back"
    assert 'href="/me/consent/withdraw"' in page
    held = _ledger(page)
    for answer in (
        waiting.fetch("/me/consent/withdraw", purpose="photo"),
        waiting.post("/me/consent/withdraw", "/me/privacy", purpose="photo"),
    ):
        assert (answer.status_code, answer.location) in ((422, None), (303, "/me/consent/withdraw"))
        assert waiting.state() is State.APPROVED
    asked = waiting.browser.get("/me/consent/withdraw").text
    assert _ledger(asked) == held
    assert list(held.values()) == [1, 1, 1], held
    assert "Acme loses your approved headshot" in asked
    assert "cannot be brought back" in asked
    assert "Keep everything as it is" in asked
    done = waiting.post("/me/consent/withdraw", "/me/consent/withdraw", purpose="photo", confirm="yes")
    assert done.location == "/me/privacy"
    assert waiting.state() is State.DECLINED


def test_after_taking_back_the_page_counts_what_it_holds_and_what_is_being_removed_apart(
    waiting: Any,
) -> None:
    waiting.post("/me/consent/withdraw", "/me/consent/withdraw", purpose="photo", confirm="yes")
    page = waiting.browser.get("/me/privacy").text
    assert _ledger(page) == {}
    assert "No pictures." in page
    assert "Nobody can open the files any more that rested on it." in page
    assert "3 files can no longer be opened by anybody and are being removed." in page, "and the one uploaded"
    do_all_work()
    assert "being removed" not in waiting.browser.get("/me/privacy").text
    assert "No file of yours is held" in waiting.browser.get("/me/consent/withdraw").text
    again = waiting.post("/me/consent/withdraw", "/me/consent/withdraw", purpose="photo", confirm="yes")
    assert again.status_code == 303
    assert "No file had to be deleted." in waiting.browser.get("/me/privacy").text


def test_the_export_holds_the_files_and_the_records(ada: Any) -> None:
    ada.accept().consent()
    ada.judge(ada.upload().json["id"])
    answer = ada.browser.get("/me/export.zip")
    assert answer.headers["Cache-Control"] == "no-store"
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert archive.testzip() is None
    assert archive.namelist() == ["data.json", "photos/01.jpg", "report.json", "report.pdf"]
    assert _size(archive.read("photos/01.jpg")) == (48, 60)
    records = json.loads(archive.read("data.json"))
    assert records["person"]["email"] == "ada@acme.example"
    assert [one["purpose"] for one in records["consents"] if one["granted"]] == ["photo"]
    assert records["photos"][0]["file"] == "photos/01.jpg"


def test_erasing_needs_the_tick(ada: Any) -> None:
    ada.accept()
    assert ada.fetch("/me/erase").status_code == 422
    assert ada.post("/me/erase", "/me/privacy").location == "/me/privacy"
    assert ada.state() is State.OPENED


def test_erasing_signs_out_everywhere_and_leaves_a_link_to_the_proof(ada: Any) -> None:
    ada.accept().consent()
    ada.upload()
    link = ada.link()
    answer = ada.post("/me/erase", "/me/privacy", confirm="yes")
    assert answer.status_code == 303
    assert answer.location.startswith("/erased/")
    assert ada.browser.get("/me/").status_code == 401
    assert ada.browser.get(link).status_code == 410
    stranger = ada.browser.application.test_client()
    page = stranger.get(answer.location)
    assert page.status_code == 200
    assert answer.location in page.text
    assert stranger.get(f"{answer.location}.json").json == {"status": "DESTROYING", "certificate_url": None}
    assert stranger.get(f"{answer.location}/certificate.pdf").status_code == 404
    assert stranger.get("/erased/guess").status_code == 404
    with transaction(ada.org_id) as session:
        member = session.get_one(Member, ada.member.id)
        assert (member.email, member.first_name) == (None, None)
        assert session.scalars(select(Erasure)).one().reason == "self_service"
        assert session.scalars(select(Outbox).where(Outbox.job == "erase")).all()


def test_the_command_on_the_page_names_the_files_as_its_links_save_them(ada: Any) -> None:
    ada.accept().consent()
    address = ada.post("/me/erase", "/me/privacy", confirm="yes").location
    stranger = ada.browser.application.test_client()
    named = re.compile(r"headshots verify (\S+) --keys (\S+)</code>")
    before = named.search(stranger.get(address).text)
    do_all_work()
    page = stranger.get(address).text
    command = named.search(page)
    keys = html.fromstring(page).xpath("//a[contains(@href, '/keys.json')]/@href")
    links = (f"{address}/certificate.pdf", *keys)
    saved = [stranger.get(link).headers.get("Content-Disposition", "") for link in links]
    assert command
    assert before
    assert before.groups() == command.groups()
    assert [parse_options_header(one) for one in saved] == [
        ("attachment", {"filename": name}) for name in command.groups()
    ]


def _nonces(answer: Any) -> set[str]:
    header = set(re.findall(r"'nonce-([^']*)'", answer.headers["Content-Security-Policy"]))
    return header | set(re.findall(r'nonce="([^"]*)"', answer.text))


def test_a_form_sent_after_the_session_was_lost_says_how_to_go_on_in_the_companys_look(ada: Any) -> None:
    ada.accept().consent()
    token = ada.token("/me/privacy")
    for cookie in (
        "portal_session",
        "portal_form",
    ):  # first the session alone ends, then both cookies are gone
        ada.browser.delete_cookie(cookie)
        answer = ada.browser.post("/me/consent/withdraw", data={"csrf_token": token, "purpose": "likeness"})
        assert answer.status_code == 401
        assert "last step was not sent" in answer.text
        assert "link in your invitation mail" in answer.text
        assert "reload" not in answer.text
        assert "Acme" in answer.text
        (nonce,) = _nonces(answer)
        assert len(nonce) > 16


def test_a_second_page_after_the_erasure_promises_nothing_that_is_gone(ada: Any) -> None:
    ada.accept().consent()
    ada.post("/me/erase", "/me/privacy", confirm="yes")
    page = ada.browser.get("/me/photos")
    assert page.status_code == 401
    assert "safe" not in page.text
    assert "nothing is left here" in page.text
    assert "Acme" in page.text
