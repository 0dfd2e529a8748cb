"""What a person takes along: the copy with its report, the report alone, and what they provided themselves."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import Any

import pypdf
from jsonschema import Draft202012Validator
from sealing import put

from compliance.reports import portability
from core import audit
from core.db import transaction
from core.models import Kind, Member, Organization, Photo, Shoot, State
from core.people import facts
from core.people.facts import Fact


def _archive(person: Any, address: str) -> zipfile.ZipFile:
    answer = person.browser.get(address)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return zipfile.ZipFile(io.BytesIO(answer.data))


def test_the_report_lists_each_file_of_its_archive_by_the_bytes_that_were_sent(
    waiting: Any, shoot: Shoot
) -> None:
    waiting.render(shoot)
    waiting.set_state(State.READY)
    archive = _archive(waiting, "/me/export.zip")
    report = json.loads(archive.read("report.json"))
    manifest = report["sections"][-1]
    assert manifest["id"] == "manifest"
    listed = {name: sha256 for name, _, sha256 in manifest["tables"][0]["rows"]}
    sent = [name for name in archive.namelist() if not name.startswith("report.")]
    assert listed == {name: hashlib.sha256(archive.read(name)).hexdigest() for name in sent}
    pdf = pypdf.PdfReader(io.BytesIO(archive.read("report.pdf")))
    said = "\n".join(page.extract_text() for page in pdf.pages)
    assert "Ada Lovelace" in said
    assert listed["photos/01.jpg"] in said.replace("\n", "")
    assert json.loads(pdf.attachments["report.json"][0]) == report


def test_the_report_alone_is_in_the_language_of_the_page(ada: Any) -> None:
    ada.accept()
    answer = ada.browser.get("/me/report.pdf?lang=de")
    assert answer.mimetype == "application/pdf"
    assert "Auskunft über deine" in pypdf.PdfReader(io.BytesIO(answer.data)).pages[0].extract_text()


def test_what_one_provided_follows_its_schema_and_holds_nothing_that_was_made_of_it(
    waiting: Any, shoot: Shoot
) -> None:
    waiting.render(shoot)
    waiting.set_state(State.READY)
    with transaction(waiting.org_id) as session:
        put(session, b"[]", kind=Kind.LIKENESS, media_type="application/json", member_id=waiting.member.id)
        photo = session.query(Photo).one()
        photo.subject_x, photo.subject_y = 0.25, 0.5
    archive = _archive(waiting, "/me/provided.zip")
    schema = waiting.browser.get("/schemas/portability-1.json").json
    said = json.loads(archive.read("provided.json"))
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(said)
    assert json.loads(archive.read("portability-1.schema.json")) == schema
    assert archive.namelist() == ["provided.json", "portability-1.schema.json", "photos/01.jpg"]
    assert said["photos"][0]["my_face_at"] == [0.25, 0.5]
    assert [one["purpose"] for one in said["consents"] if one["granted"]] == ["photo"]
    words = archive.read("provided.json").decode()
    assert not any(one in words for one in ("verdict", "gates", "Lovelace", "ada@"))


def test_name_and_address_are_provided_by_whoever_signed_up_with_them(ada: Any) -> None:
    schema = json.loads(portability.SCHEMA)

    def said() -> dict[str, Any]:
        with transaction(ada.org_id) as session:
            member = session.get_one(Member, ada.member.id)
            found: dict[str, Any] = json.loads(portability.package(session, member).content)
        Draft202012Validator(schema).validate(found)
        return found

    assert "signed_up" not in said(), "the company gave them"
    with transaction(ada.org_id) as session:
        member = session.get_one(Member, ada.member.id)
        audit.record(session, audit.Tag.MEMBER_JOINED, actor=audit.SYSTEM, subject=member)
    kept = said()["signed_up"]
    assert (kept["email"], kept["first_name"], kept["last_name"]) == ("ada@acme.example", "Ada", "Lovelace")
    with transaction(ada.org_id) as session:
        member = session.get_one(Member, ada.member.id)
        facts.change(session, member, {Fact.LAST_NAME: "King"}, by="admin", actor=audit.SYSTEM)
    assert "signed_up" not in said(), "the company said it otherwise since"


def test_whoever_is_under_californian_law_gets_no_numbers_of_a_face(waiting: Any) -> None:
    with transaction(waiting.org_id) as session:
        session.get_one(Organization, waiting.org_id).regime = "ccpa"
        put(session, b"[1]", kind=Kind.LIKENESS, media_type="application/json", member_id=waiting.member.id)
    archive = _archive(waiting, "/me/export.zip")
    assert archive.namelist() == ["data.json", "photos/01.jpg", "report.json", "report.pdf"]
    assert json.loads(archive.read("report.json"))["format"] == "headshots.know-report/1"


def test_the_page_says_what_is_in_each_download(ada: Any) -> None:
    page = ada.accept().browser.get("/me/privacy").text
    for address in ("/me/export.zip", "/me/report.pdf", "/me/provided.zip", "/schemas/portability-1.json"):
        assert f'href="{address}' in page
    assert "Nothing that was measured or made of it." in page
