"""The company sees what people approved, and nothing else; it downloads single files, and asks for another picture."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_shoot
from lxml import html
from PIL import Image
from sealing import put
from sqlalchemy import select
from unit.admin.test_download import finish, opened, pictures, png

from compliance import erasure, recall
from compliance.erasure import ErasureReason
from core import audit
from core.checks.sureness import mixed_of_ten
from core.clock import now
from core.db import transaction
from core.models import AuditEvent, Headshot, Kind, Member, Outbox, Participation, Role, Shoot, State
from core.people import organizations
from core.portraits import downloads, reviews, submission
from core.style.outputs import Output
from core.style.spec import StyleSpec

TWO_SIZES = StyleSpec(
    outputs=(Output(name="square", width=512, height=512), Output(name="slack", width=128, height=128))
)


@dataclass(frozen=True)
class Place:
    """Grace's approved picture in a shoot."""

    org: UUID
    shoot: Shoot
    grace: Member
    part: UUID

    @property
    def page(self) -> str:
        return f"/admin/shoots/{self.shoot.id}/pictures/{self.part}"

    def headshot(self) -> Headshot:
        with transaction(self.org) as session:
            row = session.scalars(select(Headshot).where(Headshot.participation_id == self.part)).one()
            assert isinstance(row.gates, dict)
            return row

    def participation(self) -> Participation:
        with transaction(self.org) as session:
            return session.get_one(Participation, self.part)

    def change(self, **values: Any) -> None:
        with transaction(self.org) as session:
            row = session.get_one(Headshot, self.headshot().id)
            for name, value in values.items():
                setattr(row, name, value)

    def review(self) -> None:
        with transaction(self.org) as session:
            session.get_one(Shoot, self.shoot.id).reviewed = True

    def events(self, tag: str) -> list[AuditEvent]:
        with transaction(self.org) as session:
            return list(
                session.scalars(select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id))
            )


@pytest.fixture
def place(org: UUID) -> Place:
    shoot = add_shoot(org, TWO_SIZES)
    grace = add_member(org, "Grace", department="Sales", employee_id="=1+1")
    return Place(org, shoot, grace, finish(org, shoot, grace, "red"))


def test_only_approved_pictures_are_seen_and_a_close_look_is_noted_once(place: Place, browser: Any) -> None:
    ada = add_member(place.org, "Ada")
    waits = finish(place.org, place.shoot, ada, "blue")
    with transaction(place.org) as session:
        row = session.get_one(Participation, waits)
        row.state, row.chosen_headshot_id = State.READY, None
    gallery = browser.get(f"/admin/shoots/{place.shoot.id}/pictures").text
    assert "Grace Example" in gallery
    assert "Ada Example" not in gallery
    hidden = f"/admin/shoots/{place.shoot.id}/pictures/{waits}"
    assert [browser.get(hidden + end).status_code for end in ("", "/view.webp", "/files/square")] == [404] * 3
    small = browser.get(f"{place.page}/view.webp?width=96")
    with Image.open(io.BytesIO(small.data)) as picture:
        assert (picture.format, picture.size) == ("WEBP", (96, 96))
        assert picture.convert("RGB").getpixel((48, 48))[0] > 240
    assert small.headers["Cache-Control"] == "no-store"
    assert place.events("headshot.seen") == []
    for _ in range(2):
        assert browser.get(f"{place.page}/view.webp?width=1280").status_code == 200
    (seen,) = place.events("headshot.seen")
    assert seen.subject_id == place.grace.id
    with transaction(place.org) as session:
        session.get_one(Member, place.grace.id).restricted_at = now()
    assert [browser.get(place.page + end).status_code for end in ("", "/view.webp", "/files/square")] == [
        404
    ] * 3


def test_nothing_that_comes_from_comparing_faces_is_shown(place: Place, browser: Any) -> None:
    """The consent pages say that no person sees it; and whether there is such a figure would tell who agreed."""
    gates = {
        "likeness": {"value": 0.4321, "limit": 0.6, "unit": "", "passed": True, "why": ""},
        "edge": {"value": 3.25, "limit": 5.0, "unit": "", "passed": True, "why": ""},
    }
    place.change(gates={"gates": gates})
    place.review()
    with_it = [browser.get(place.page).text, browser.get(f"/admin/shoots/{place.shoot.id}/review").text]
    assert all("3.25" in page for page in with_it)
    assert not any("0.43" in page for page in with_it)
    place.change(gates={"gates": {"edge": gates["edge"]}})
    assert checked(browser.get(place.page).text) == checked(with_it[0])


def held_out(encoders: int | None) -> dict[str, Any]:
    gate = {"value": 0.31, "limit": 0.4, "unit": "dlib distance", "passed": True, "why": ""}
    return {"held_out": gate if encoders is None else {**gate, "encoders": encoders}}


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        (held_out(1), f"lets about {mixed_of_ten()} through"),
        (held_out(None), "often not people who look alike"),
        (held_out(2), ""),
        ({}, f"lets about {mixed_of_ten()} through"),
    ],
)
def test_of_a_made_face_the_page_says_how_sure_the_check_is(
    place: Place, browser: Any, gates: dict[str, Any], said: str
) -> None:
    place.change(engine="diffusion", gates={"gates": gates})
    page = checked(browser.get(place.page).text)
    assert said in page
    assert ("An image model made this face" in page) is bool(said)
    assert "0.31" not in page
    place.change(engine="studio")
    assert "An image model made this face" not in browser.get(place.page).text


def test_that_somebody_cannot_be_told_apart_is_the_person_s_alone_to_know(place: Place, browser: Any) -> None:
    """They were told that only the program compares; so the company reads the same of everybody."""
    pages = (place.page, f"/admin/shoots/{place.shoot.id}/review")
    read = []
    for notes in ([], ["look_alike"]):
        place.change(engine="diffusion", gates={"gates": held_out(2), "notes": notes})
        place.review()
        read.append([html.fromstring(browser.get(page).text).text_content() for page in pages])
    assert read[0] == read[1]


def checked(page: str) -> str:
    """Return what a page says of what was measured."""
    return page.partition('id="measured"')[2].partition("</section>")[0]


def test_a_single_file_is_a_copy_like_those_of_an_archive(place: Place, browser: Any) -> None:
    answer = browser.get(f"{place.page}/files/slack")
    assert "Example_Grace_slack.jpg" in answer.headers["Content-Disposition"]
    with Image.open(io.BytesIO(answer.data)) as picture:
        assert picture.size == (128, 128)
    assert place.participation().state == State.DELIVERED
    browser.get(f"/admin/shoots/{place.shoot.id}/download.zip?size=square&size=slack")
    browser.get(f"/admin/shoots/{place.shoot.id}/download.zip")
    with transaction(place.org) as session:
        asked = erasure.request(
            session,
            session.get_one(Member, place.grace.id),
            reason=ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
        del asked
        (row,) = recall.listed(session)
        files = recall.read(session, row.id).files
    assert sorted(f"{file.archive}{file.name}" for file in files) == [
        "=1+1_Example_Grace",
        "=1+1_Example_Grace_slack",
        "slack/=1+1_Example_Grace",
        "square/=1+1_Example_Grace",
    ]
    assert browser.get(place.page).status_code == 404


def test_what_was_chosen_no_more_when_it_was_read_is_not_handed_over(place: Place) -> None:
    with transaction(place.org) as session:
        read = downloads.picture(session, place.part)
        other = put(
            session, png("blue"), kind=Kind.HEADSHOT, media_type="image/png", member_id=place.grace.id
        )
    assert read is not None
    place.change(artifact_id=other.id)
    for held, is_there in ((read.held, False), (None, True)):
        with transaction(place.org) as session:
            assert is_there is downloads.handed(
                session, place.part, is_master=True, held=held, actor=audit.SYSTEM
            )
    assert len(place.events(audit.Tag.HEADSHOT_HANDED)) == 1


def test_another_picture_is_asked_for_without_erasing_anything(place: Place, browser: Any) -> None:
    before = place.headshot()
    refused = browser.post(f"{place.page}/again", {"headshot_id": before.id})
    assert refused.status_code == 422
    answer = browser.post(f"{place.page}/again", {"headshot_id": before.id, "flaw": "edge"})
    assert answer.status_code == 200, answer.text
    row = place.participation()
    assert (row.state, row.chosen_headshot_id) == (State.UPLOADING, None)
    after = place.headshot()
    assert (after.returned_code, after.artifact_id) == ("edge", before.artifact_id)
    with transaction(place.org) as session:
        jobs = session.scalars(select(Outbox.job).where(Outbox.subject_id == place.part)).all()
        assert reviews.asked_for(session, session.get_one(Participation, place.part)) == reviews.Flaw.EDGE
    assert jobs == ["again_mail"]
    (event,) = place.events("headshot.returned")
    assert "edge" not in str(event.facts)
    late = browser.post(f"{place.page}/again", {"headshot_id": before.id, "flaw": "edge"})
    assert late.status_code == 404
    with transaction(place.org) as session:  # it is right as it is, says its person
        part = session.get_one(Participation, place.part)
        submission.step_back(session, part, actor=audit.SYSTEM)
        assert part.state == State.READY


def test_where_a_review_is_asked_for_nothing_is_handed_over_before(
    place: Place, browser: Any, signed_in: Callable
) -> None:
    place.review()
    archive = f"/admin/shoots/{place.shoot.id}/download.zip"
    assert browser.get(archive, headers={"Accept": "application/json"}).status_code == 409
    assert browser.get(f"{place.page}/files/square").status_code == 409
    assert place.events("headshot.handed") == []
    reviewer = signed_in(Role.REVIEWER)
    assert "Grace Example" in reviewer.get(f"/admin/shoots/{place.shoot.id}/review").text
    assert reviewer.post(f"/admin/shoots/{place.shoot.id}/review", {"reviewed": "0"}).status_code == 403
    headshot = place.headshot()
    assert reviewer.post(f"{place.page}/approve", {"headshot_id": headshot.id}).status_code == 200
    (event,) = place.events("headshot.reviewed")
    assert place.headshot().reviewed_by == event.actor_id
    assert pictures(opened(browser.get(archive).data)) == ["=1+1_Example_Grace.jpg"]
    assert browser.get(f"{place.page}/files/square").status_code == 200


def test_nobody_reviews_a_picture_of_themselves(place: Place, browser: Any) -> None:
    place.review()
    with transaction(place.org) as session:
        robin = session.scalars(select(Member).where(Member.email == "hr_admin@acme.example")).one()
    part = finish(place.org, place.shoot, robin, "green")
    with transaction(place.org) as session:
        headshot_id = session.get_one(Participation, part).chosen_headshot_id
    for verb, more in (("approve", {}), ("again", {"flaw": "blur"})):
        address = f"/admin/shoots/{place.shoot.id}/pictures/{part}/{verb}"
        answer = browser.post(address, {"headshot_id": headshot_id, **more})
        assert (answer.status_code, answer.json["error"]["code"]) == (409, "own_picture")


def test_the_most_doubtful_come_first(place: Place) -> None:
    place.review()

    def gate(name: str, value: float, *, least: bool = False) -> dict[str, Any]:
        return {
            name: {"value": value, "limit": 1.0, "unit": "", "passed": True, "why": "", "at_least": least}
        }

    place.change(gates={"gates": gate("edge", 0.2) | gate("sharpness", 1.1, least=True)})
    other = finish(place.org, place.shoot, add_member(place.org, "Ada"), "blue")
    with transaction(place.org) as session:
        (row,) = session.scalars(select(Headshot).where(Headshot.participation_id == other))
        row.gates = {"gates": gate("edge", 0.6) | gate("likeness", 0.99)}
    firsts = {}
    with transaction(place.org) as session:
        for sort in reviews.Sort:
            found, waiting = reviews.queue(session, session.get_one(Shoot, place.shoot.id), sort)
            assert waiting == 2
            firsts[sort.value] = found[0].member.first_name
    assert firsts == {
        "worst": "Grace",
        "edge": "Ada",
        "style": "Grace",
        "sharpness": "Grace",
        "waiting": "Grace",
    }


def test_an_archive_of_chosen_sizes_and_departments_lists_itself(place: Place, browser: Any) -> None:
    finish(place.org, place.shoot, add_member(place.org, "Ada", department="Labs"), "blue")
    archive = f"/admin/shoots/{place.shoot.id}/download.zip"
    values = {"size": ["square", "slack"], "department": ["Sales"]}
    found = opened(browser.post(archive, values).data)
    assert pictures(found) == ["slack/=1+1_Example_Grace.jpg", "square/=1+1_Example_Grace.jpg"]
    lines = list(csv.DictReader(io.StringIO(found.read("manifest.csv").decode("utf-8-sig"))))
    assert [(one["size"], one["width"], one["department"]) for one in lines] == [
        ("square", "512", "Sales"),
        ("slack", "128", "Sales"),
    ]
    assert {one["employee_id"] for one in lines} == {"'=1+1"}
    assert browser.post(archive, {"size": "poster"}).status_code == 422


def test_only_what_no_archive_has_held_to_its_end_is_new(place: Place, browser: Any) -> None:
    archive = f"/admin/shoots/{place.shoot.id}/download.zip?new=1"
    broken = browser.get(archive, buffered=False)
    next(broken.iter_encoded())
    broken.close()
    assert pictures(opened(browser.get(archive).data)) == ["=1+1_Example_Grace.jpg"], "the first broke off"
    finish(place.org, place.shoot, add_member(place.org, "Ada"), "blue")
    assert pictures(opened(browser.get(archive).data)) == ["Example_Ada.jpg"]
    nothing = browser.get(archive, headers={"Accept": "application/json"})
    assert (nothing.status_code, nothing.json["error"]["code"]) == (409, "nothing_to_download")
    with transaction(place.org) as session:  # Grace chose another one
        session.get_one(Participation, place.part).approved_at = now()
    assert pictures(opened(browser.get(archive).data)) == ["=1+1_Example_Grace.jpg"]


def test_the_list_runs_in_no_spreadsheet(place: Place, browser: Any) -> None:
    as_csv = browser.get(f"/admin/shoots/{place.shoot.id}/status.csv").data.decode("utf-8-sig")
    (line,) = csv.DictReader(io.StringIO(as_csv))
    assert (line["Employee ID"], line["State"], line["Department"]) == ("'=1+1", "Approved", "Sales")
    book = browser.get(f"/admin/shoots/{place.shoot.id}/status.xlsx").data
    with zipfile.ZipFile(io.BytesIO(book)) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml")
        assert b"<f>" not in sheet
        assert b"=1+1" in parts.read("xl/sharedStrings.xml")
        days = re.findall(rb'<c r="[GHI]2" s="\d"><v>(\d+)</v>', sheet)
    assert [date(1899, 12, 30) + timedelta(days=int(one)) for one in days] == [now().date()]
    assert [one.facts["form"] for one in place.events("shoot.listed")] == ["csv", "xlsx"]


def test_every_page_of_a_shoot_is_closed_to_another_company(
    place: Place, app: Any, signed_in: Callable
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    other = organizations.create("globex", "Globex")
    foreign = add_shoot(other)
    theirs = finish(other, foreign, add_member(other, "Zoe"), "red")
    with transaction(other) as session:
        headshot = session.get_one(Participation, theirs).chosen_headshot_id
    client, tried = signed_in(Role.HR_ADMIN)._client, 0
    for rule in app.url_map.iter_rules():
        if "shoot_id" not in rule.arguments:
            continue
        values = dict.fromkeys(rule.arguments, theirs) | {"shoot_id": foreign.id, "output": "square"}
        with app.test_request_context():
            address = app.url_map.bind("localhost").build(rule.endpoint, values)
        for method in rule.methods & {"GET", "POST"}:
            form = {
                "headshot_id": headshot,
                "flaw": "edge",
                "participation": theirs,
                "deadline": "2030-01-01",
            }
            sent = {"data": form} if method == "POST" else {}
            answer = client.open(address, method=method, headers={"Accept": "application/json"}, **sent)
            assert answer.status_code in (404, 410, 422), (method, address, answer.status_code)
            assert b"Zoe" not in answer.data
            tried += 1
    assert tried > 20
