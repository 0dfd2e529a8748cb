"""Pages for everybody: the start, the promises, the keys, checking evidence."""

from __future__ import annotations

import io
import json
import re
import time
from typing import Any
from uuid import UUID

import numpy as np
import pypdf
import pytest
from conftest import add_member, add_participation
from erasing import erase
from lxml import html
from sealing import put
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from compliance import public_truth, schedule
from compliance.evidence import origin_of
from compliance.log import sequencer
from compliance.origin.credentials import sign
from compliance.origin.making import Making
from compliance.origin.signer import signer
from compliance.verify import MAX_BYTES, Kind, verify_file
from core.clock import now
from core.db import transaction
from core.ids import new_id
from core.models import Certificate, Member, Photo, State
from core.models import Kind as Sealed
from core.people import organizations
from core.settings import settings
from core.shoots.promises import Kept
from core.style.outputs import OutputFormat
from core.style.spec import StyleSpec
from workers.studio.encode import encode


@pytest.fixture
def browser(portal: Any, org: UUID) -> Any:
    """Somebody who is not signed in."""
    del org
    return portal.test_client()


def _check(browser: Any, content: bytes) -> Any:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/verify").text)[1]  # type: ignore[index]
    form = {"csrf_token": token, "file": (io.BytesIO(content), "evidence")}
    return browser.post("/verify", data=form, headers={"X-Requested-With": "fetch"})


def test_the_start_says_where_the_link_is_and_leads_hr_on(browser: Any) -> None:
    page = browser.get("/").text
    assert "/admin" in page
    assert "mail" in page


def test_the_promises_name_days_places_and_keys(browser: Any, org: UUID) -> None:
    page = browser.get("/trust/acme").text
    for promise in ("30 days", "the test machine", "privacy@acme.example", "AES-256", origin_of(org)):
        assert promise in page
    for way in (
        "Studio (the default)",
        "Image model,",
        "Image model, trained",
        "Other clothes",
        "company’s look",
    ):
        assert way in page
    published = browser.get("/trust/acme/keys.json")
    keys = published.json
    assert "Content-Disposition" not in published.headers, "programs and people read it as it is"
    saved = browser.get(html.fromstring(page).xpath("//a[contains(@href, 'keys.json')]/@href")[0])
    assert saved.headers["Content-Disposition"] == 'attachment; filename="keys.json"'
    assert keys["logs"][0]["origin"] == origin_of(org)
    for address in ("/trust/nobody", "/trust/nobody/keys.json", "/trust/nobody/checkpoint"):
        assert browser.get(address).status_code == 404


def test_the_address_printed_on_a_certificate_gives_the_keys_that_it_is_checked_with(
    browser: Any, org: UUID
) -> None:
    member = add_member(org)
    erase(org, member.id)
    with transaction(org) as session:
        content = session.scalars(select(Certificate.pdf)).one()
    pages = pypdf.PdfReader(io.BytesIO(content)).pages
    notes = [note.get_object() for page in pages for note in page.get("/Annots", [])]
    printed = [note["/A"]["/URI"] for note in notes if note["/Subtype"] == "/Link"]
    assert printed[0] in "".join(page.extract_text() for page in pages).replace("\n", "")
    answer = browser.get(printed[0].removeprefix(settings().base_url))
    assert answer.status_code == 200
    assert verify_file(content, answer.json).ok
    assert browser.get(f"/trust/{new_id()}/keys.json").status_code == 404


def test_the_newest_checkpoint_is_public_and_passes_our_own_check(browser: Any, org: UUID) -> None:
    assert browser.get("/trust/acme/checkpoint").status_code == 404
    with transaction(org) as session:
        sequencer.sequence(session)
    note = browser.get("/trust/acme/checkpoint")
    assert note.mimetype == "text/plain"
    good = _check(browser, note.data)
    assert good.json["ok"] is True
    changed = _check(browser, note.data.replace(b"\n1\n", b"\n2\n"))
    assert changed.status_code == 200
    assert changed.json["ok"] is False


@pytest.mark.parametrize(
    "content", [b"", b"%PDF-1.7 nothing", b"\x00" * 1000], ids=["empty", "no PDF", "zeros"]
)
def test_what_is_no_evidence_is_a_finding_and_never_an_error_of_ours(browser: Any, content: bytes) -> None:
    answer = _check(browser, content)
    assert answer.status_code in (200, 422)
    assert not answer.json.get("ok")


@pytest.mark.parametrize(
    ("file", "status", "said"),
    [
        ((b"", ""), 422, "choose the file to check first"),
        ((b"", "certificate.pdf"), 422, "This file is empty"),
        ((b"%PDF-1.7 nothing", "certificate.pdf"), 422, "Do not rely on this file"),
        ((bytes(MAX_BYTES + 1), "film.mov"), 413, "never this large"),
        ((bytes(42_000_000), "film.mov"), 413, "never this large"),
    ],
    ids=["none", "empty", "wrong", "large", "larger than any request"],
)
def test_a_file_that_cannot_be_checked_leads_to_the_form_again(
    browser: Any, file: tuple[bytes, str], status: int, said: str
) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/verify").text)[1]  # type: ignore[index]
    form = {"csrf_token": token, "file": FileStorage(io.BytesIO(file[0]), file[1])}
    boundary, body = encode_multipart(form)
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    page = browser.post("/verify", data=body, headers=headers)
    assert page.status_code == status
    assert said in page.text
    assert '<input id="file" type="file"' in page.text


def test_where_a_picture_comes_from_is_said_in_words_and_a_changed_one_is_refused(browser: Any) -> None:
    making = Making.of_headshot("studio", StyleSpec())
    pixels = np.full((64, 64, 3), 120, np.uint8)
    content = sign(encode(pixels, OutputFormat.JPEG), "image/jpeg", making, signer())
    assert _check(browser, content).json["kind"] == "picture"
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/verify").text)[1]  # type: ignore[index]
    form = {"csrf_token": token, "file": (io.BytesIO(content), "ada.jpg")}
    page = browser.post("/verify", data=form)
    assert page.status_code == 200
    assert "A real photo, edited without an image model." in page.text
    form = {"csrf_token": token, "file": (io.BytesIO(content[:-3] + b"x\xff\xd9"), "ada.jpg")}
    page = browser.post("/verify", data=form)
    assert page.status_code == 422
    assert "was changed since" in page.text


def test_public_pages_carry_strict_headers(browser: Any) -> None:
    for address in ("/", "/verify", "/trust/acme"):
        headers = browser.get(address).headers
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["Referrer-Policy"] == "same-origin"


def test_what_is_promised_and_what_is_held_stand_side_by_side_and_can_be_kept_signed(
    browser: Any, org: UUID
) -> None:
    page = html.fromstring(browser.get("/trust/acme").text)
    rows = page.xpath("//div[@id='truth']//tbody/tr")
    assert len(rows) == len(Kept) + 2  # what passes through, and the log
    assert "Nothing is held for longer than promised" in page.text_content()
    data = browser.get("/trust/acme/retention.json")
    assert data.mimetype == "application/ld+json"
    body = json.loads(data.text)
    assert body["format"] == "headshots.retention/1"
    days = {one["category"]: one["days"] for one in body["categories"]}
    assert days == {
        "selfies": 30,
        "models": 30,
        "headshots": 30,
        "decliners": 30,
        "leavers": 90,
        "passing": 1,
    }
    assert {one["overdue"] for one in body["categories"]} == {0}
    signed = browser.get("/trust/acme/retention.note").data
    keys = browser.get("/trust/acme/keys.json").json
    checked = verify_file(signed, keys)
    assert (checked.ok, checked.kind, checked.status) == (True, Kind.RETENTION, "KEPT")
    assert _check(browser, signed).json["status"] == "KEPT"
    for changed in (
        signed.replace(b'"overdue": 0', b'"overdue": 1', 1),
        signed.replace(b'"days": 30', b'"days": 31', 1),
        signed[:-8] + b"AAAAAA==",
    ):
        assert not verify_file(changed, keys).ok
    organizations.create("globex", "Globex")
    other = browser.get("/trust/globex/retention.note").data
    assert not verify_file(other, keys).ok, "another company's key vouches for nothing here"
    for address in ("retention.json", "retention.note"):
        assert browser.get(f"/trust/nobody/{address}").status_code == 404
    del org


def test_nobody_sees_from_outside_that_one_person_declined_or_was_locked_out(
    browser: Any, org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(public_truth, "TIMES", 0)
    empty = browser.get("/trust/acme/retention.json").json
    add_participation(org, add_member(org, "Ada"), State.DECLINED)
    locked_out = add_member(org, "Bea")
    with transaction(org) as session:
        session.get_one(Member, locked_out.id).disabled_at = now()
    body = browser.get("/trust/acme/retention.json").json
    page = html.fromstring(browser.get("/trust/acme").text)
    for one, before in zip(body["categories"], empty["categories"], strict=True):
        if one["category"] in ("decliners", "leavers"):
            assert one == before
            assert one["held_fewer_than"] == 5
    assert page.text_content().count("fewer than 5") == 2
    part = add_participation(org, add_member(org, "Cleo"), State.UPLOADING)
    with transaction(org) as session:
        selfie = put(session, b"jpeg", kind=Sealed.PHOTO, media_type="image/jpeg", member_id=part.member_id)
        session.add(
            Photo(
                id=new_id(),
                org_id=org,
                participation_id=part.id,
                member_id=part.member_id,
                artifact_id=selfie.id,
                upload_key="one",
            )
        )
    body = browser.get("/trust/acme/retention.json").json
    (selfies,) = [one for one in body["categories"] if one["category"] == "selfies"]
    assert selfies["held"] == 1
    assert selfies["oldest"].endswith("T00:00:00Z"), "the minute would tell who it was"


def test_asking_again_and_again_does_not_count_again_and_again(
    browser: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a large company a count takes seconds, and anybody may ask."""
    counted = []
    measure = schedule.measure

    def slowly(session: Session) -> schedule.Truth:
        counted.append(1)
        time.sleep(0.5)
        return measure(session)

    monkeypatch.setattr(schedule, "measure", slowly)
    times = {browser.get("/trust/acme/retention.json").json["measured_at"] for _ in range(5)}
    browser.get("/trust/acme")
    assert (len(counted), len(times)) == (1, 1)
