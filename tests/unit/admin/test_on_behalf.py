"""Putting photos in for somebody: only once they allowed it, as theirs, and without a look at any picture."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, add_participation
from reading import english_in
from sealing import sealed
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from compliance import consent
from compliance.consent import leaving
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.grounds import Ground
from core.ids import new_id
from core.models import (
    Alternative,
    Artifact,
    AuditEvent,
    Invite,
    Kind,
    Member,
    Outbox,
    Participation,
    Photo,
    Role,
    State,
)
from core.people import access
from core.portraits import on_behalf, photos, verdicts
from core.settings import settings
from core.shoots import participations, shoots

JPEG = b"\xff\xd8\xff\xe0" + bytes(500)


class Place:
    """Somebody whose photos HR has, and HR's page about that."""

    def __init__(self, org: UUID, browser: Any, part: Participation) -> None:
        self.org, self.browser, self.part = org, browser, part
        self.here = f"/admin/people/{part.member_id}/photos/{part.id}"

    def allow(self, *, sends: bool = False) -> Place:
        with transaction(self.org) as session:
            on_behalf.allow(session, self.row(session), sends=sends, actor=self.actor(session))
        return self

    def row(self, session: Any) -> Participation:
        return session.get_one(Participation, self.part.id)

    def actor(self, session: Any) -> audit.Actor:
        return audit.actor_for(session.get_one(Member, self.part.member_id))

    def put_in(self, content: bytes = JPEG, key: str = "key-00000001", name: str = "a.jpg") -> TestResponse:
        return self.browser.post(
            self.here, {"upload_key": key, "photo": (io.BytesIO(content), name, "image/jpeg")}
        )

    def own(self, key: str = "key-00000001") -> UUID:
        """Let the person send a photo themselves."""
        kept = photos.seal(self.org, self.part.member_id, JPEG, "image/jpeg")
        with transaction(self.org) as session:
            proof = consent.require(session, self.part.member_id)
            return photos.store(session, self.row(session), kept, upload_key=key, consent=proof).photo.id

    def judge(self, photo_id: UUID | str, *codes: str, accepted: bool = True, **more: object) -> None:
        """Record a verdict as the intake job does."""
        severity = "warn" if accepted else "block"
        verdict = {
            "accepted": accepted,
            "issues": [{"code": one, "severity": severity, "advice": ""} for one in codes],
            "measures": {},
            "score": 0.9,
            **more,
        }
        with transaction(self.org) as session:
            photo = session.get_one(Photo, UUID(str(photo_id)))
            small = sealed(self.org, JPEG, Kind.PHOTO, photo.member_id)
            verdicts.record_verdict(session, photo, verdict, stripped=small)

    def kept(self) -> int:
        with transaction(self.org) as session:
            return session.scalar(select(func.count()).select_from(Photo)) or 0

    def state(self) -> str:
        with transaction(self.org) as session:
            return self.row(session).state


@pytest.fixture
def ada(org: UUID, browser: Any) -> Place:
    """Somebody who agreed to a headshot and has allowed nothing else."""
    return Place(org, browser, add_participation(org, add_member(org, "Ada"), State.CONSENTED))


def test_nothing_is_put_in_before_it_is_allowed_and_the_page_leads_to_the_link(ada: Place) -> None:
    answer = ada.put_in()
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "not_allowed_by_person")
    assert ada.kept() == 0
    with transaction(ada.org) as session:
        assert session.scalar(select(func.count()).select_from(Artifact)) == 0
    page = ada.browser.get(ada.here).text
    assert "They have not allowed it yet." in page
    assert 'type="file"' not in page
    assert ada.here in ada.browser.get(f"/admin/people/{ada.part.member_id}").text
    assert ada.browser.post(f"{ada.here}/link").status_code == 200
    with transaction(ada.org) as session:
        assert session.scalar(select(func.count()).select_from(Invite)) == 1


def test_a_photo_put_in_is_the_persons_and_names_who_put_it_in(ada: Place) -> None:
    ada.allow()
    answer = ada.put_in()
    assert answer.status_code == 201
    with transaction(ada.org) as session:
        photo = session.get_one(Photo, UUID(answer.json["id"]))
        hr = session.scalars(select(Member).where(Member.role == Role.HR_ADMIN)).one()
        assert (photo.member_id, photo.put_in_by) == (ada.part.member_id, hr.id)
        assert session.get_one(Artifact, photo.artifact_id).member_id == ada.part.member_id
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == "intake")).all()
        assert owed == [photo.id]
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == audit.Tag.PHOTO_UPLOADED)).one()
        assert (event.actor_id, event.subject_id) == (hr.id, ada.part.member_id)
    assert ada.state() == State.UPLOADING


def test_a_retry_finds_the_first_and_never_a_photo_of_the_persons_own(ada: Place) -> None:
    ada.allow()
    own = ada.own("key-00000001")
    first, again = ada.put_in(key="key-00000001"), ada.put_in(key="key-00000001")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"] != str(own)


def test_several_files_of_a_plain_form_are_taken_and_a_bad_one_is_named(ada: Place) -> None:
    ada.allow()
    files = [
        (io.BytesIO(one), name) for one, name in ((JPEG, "a.jpg"), (b"text", "notes.txt"), (JPEG, "b.jpg"))
    ]
    answer = ada.browser.post(ada.here, {"upload_key": "key-00000001", "photo": files}, json=False)
    assert answer.status_code == 303
    page = ada.browser.get(ada.here).text
    assert "Photo 2: " in page
    assert "notes.txt" not in page, "a file is often called like its person"
    assert page.count("Checking …") == 2
    assert ada.kept() == 2


def test_the_same_limits_hold_as_for_the_person(ada: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.allow()
    assert ada.put_in(b"no photo at all").json["error"]["code"] == "not_a_photo"
    assert ada.put_in(b"").status_code == 422
    assert ada.browser.post(ada.here, {"photo": (io.BytesIO(JPEG), "a.jpg")}).status_code == 422  # no key
    assert ada.browser.post(ada.here, {"upload_key": "key-00000001"}).status_code == 422
    with monkeypatch.context() as small:
        small.setattr(photos, "settings", lambda: settings().model_copy(update={"upload_max_bytes": 400}))
        assert ada.put_in().json["error"]["code"] == "file_too_large"
    monkeypatch.setattr(photos, "MAX_PHOTOS", 1)
    assert ada.put_in().status_code == 201
    full = ada.put_in(key="key-00000002")
    assert (full.status_code, full.json["error"]["code"]) == (409, "too_many_photos")
    assert ada.put_in().status_code == 200  # the first again
    assert ada.kept() == 1


def declined(session: Any, ada: Place) -> None:
    leaving.decline(session, ada.row(session), Alternative.INITIALS, actor=ada.actor(session))


def taken_back(session: Any, ada: Place) -> None:
    on_behalf.take_back(session, ada.row(session), actor=ada.actor(session))


def ended(session: Any, ada: Place) -> None:
    shoots.close(session, shoots.get(session, ada.part.shoot_id, lock=True), actor=audit.SYSTEM)


def expired(session: Any, ada: Place) -> None:
    participations.move(session, ada.row(session), State.EXPIRED, actor=audit.SYSTEM)


def shut(session: Any, ada: Place) -> None:
    access.disable(session, session.get_one(Member, ada.part.member_id), actor=audit.SYSTEM)


def restricted(session: Any, ada: Place) -> None:
    session.get_one(Member, ada.part.member_id).restricted_at = now()


def sent(session: Any, ada: Place) -> None:
    ada.row(session).state = State.SUBMITTED


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        (declined, 409, "takes_no_part"),
        (expired, 409, "takes_no_part"),
        (shut, 409, "takes_no_part"),
        (taken_back, 409, "not_allowed_by_person"),
        (ended, 409, "shoot_closed"),
        (restricted, 403, "restricted"),
        (sent, 409, "conflict"),
    ],
)
def test_refusals_say_why_and_keep_nothing(
    ada: Place, what: Callable[[Any, Place], None], status: int, code: str
) -> None:
    ada.allow(sends=True)
    with transaction(ada.org) as session:
        what(session, ada)
    asked = ada.put_in(), *(ada.browser.post(f"{ada.here}/{way}") for way in ("submit", f"{new_id()}/remove"))
    for answer in asked:
        assert (answer.status_code, answer.json["error"]["code"]) == (status, code)
    assert ada.kept() == 0
    with transaction(ada.org) as session:
        assert session.scalar(select(func.count()).select_from(Artifact)) == 0
    assert ada.browser.get(ada.here).status_code == 200


def test_without_the_first_consent_leave_to_put_photos_in_is_not_enough(ada: Place) -> None:
    ada.allow()
    with transaction(ada.org) as session:
        consent.withdraw(session, session.get_one(Member, ada.part.member_id), Purpose.PHOTO)
    assert ada.put_in().json["error"]["code"] == "consent_required"
    assert ada.kept() == 0


def test_a_part_of_somebody_else_is_not_found(ada: Place) -> None:
    other = add_participation(ada.org, add_member(ada.org, "Grace"), State.CONSENTED)
    mixed = f"/admin/people/{ada.part.member_id}/photos/{other.id}"
    assert ada.browser.get(mixed).status_code == 404
    assert ada.browser.post(f"{mixed}/submit").status_code == 404


def test_hr_reads_verdicts_of_what_it_put_in_and_sees_no_picture_nor_a_comparison(ada: Place) -> None:
    ada.allow()
    bad, doubted, group = (ada.put_in(key=f"key-0000000{number}").json["id"] for number in range(3))
    own = ada.own("key-00000009")
    ada.judge(bad, "no_face", accepted=False)
    ada.judge(doubted, "may_be_someone_else")
    ada.judge(group, "several_people", accepted=False, asks="which_face", faces=[])
    ada.judge(own, "dark")
    page = ada.browser.get(ada.here).text
    assert "✗ Cannot be used" in page
    assert page.count("Waits for them") == 2  # in the same words, whatever is asked
    assert "somebody else" not in page.replace("one of somebody else", "")
    assert str(own) not in page
    assert "/preview" not in page
    assert "<img" not in page.split("<main")[1].split("</main")[0]
    listed = ada.browser.get(ada.here, headers={"Accept": "application/json"}).json
    assert [one["id"] for one in listed["photos"]] == [bad, doubted, group]
    assert listed["photos"][1]["advice"] == listed["photos"][2]["advice"]


def test_hr_removes_what_it_put_in_and_nothing_else(ada: Place) -> None:
    ada.allow()
    theirs, own = ada.put_in().json["id"], ada.own("key-00000009")
    assert ada.browser.post(f"{ada.here}/{own}/remove").status_code == 404
    assert ada.browser.post(f"{ada.here}/{new_id()}/remove").status_code == 404
    assert ada.browser.post(f"{ada.here}/{theirs}/remove").status_code == 200
    with transaction(ada.org) as session:
        assert session.get_one(Photo, own).removed_at is None
        gone = session.get_one(Photo, UUID(theirs))
        assert gone.removed_at is not None
        file = session.get_one(Artifact, gone.artifact_id)
        assert file.ended_because == Ground.WORK, "not as if its person had removed it"


def test_once_the_leave_is_taken_back_what_was_put_in_is_the_persons_to_remove(ada: Place) -> None:
    ada.allow()
    photo = ada.put_in().json["id"]
    with transaction(ada.org) as session:
        taken_back(session, ada)
    assert f"{photo}/remove" not in ada.browser.get(ada.here).text
    assert ada.browser.post(f"{ada.here}/{photo}/remove").json["error"]["code"] == "not_allowed_by_person"
    with transaction(ada.org) as session:
        assert session.get_one(Photo, UUID(photo)).removed_at is None


def test_handing_in_is_the_persons_unless_they_allowed_it(ada: Place) -> None:
    ada.allow()
    ada.judge(ada.put_in().json["id"])
    assert "Send to the studio" not in ada.browser.get(ada.here).text
    answer = ada.browser.post(f"{ada.here}/submit")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "not_allowed_by_person")
    assert ada.state() == State.UPLOADING
    ada.allow(sends=True)
    assert "Send to the studio" in ada.browser.get(ada.here).text
    assert ada.browser.post(f"{ada.here}/submit").status_code == 200
    assert ada.state() == State.SUBMITTED
    with transaction(ada.org) as session:
        moved = select(AuditEvent).where(AuditEvent.tag == audit.Tag.PARTICIPATION_MOVED)
        last = session.scalars(moved.order_by(AuditEvent.id.desc())).first()
        assert last is not None
        hr = session.scalars(select(Member).where(Member.role == Role.HR_ADMIN)).one()
        assert (last.actor_id, last.facts["after"]) == (hr.id, State.SUBMITTED)


@pytest.mark.parametrize(
    ("judged", "words"),
    [
        (None, "still being checked"),
        ({"codes": ("no_face",), "accepted": False}, "No photo can be used yet"),
        ({"codes": ("may_be_someone_else",)}, "before they have answered"),
    ],
)
def test_handing_in_waits_for_a_photo_that_can_be_used(
    ada: Place, judged: dict[str, Any] | None, words: str
) -> None:
    ada.allow(sends=True)
    photo = ada.put_in().json["id"]
    if judged is not None:
        ada.judge(photo, *judged["codes"], accepted=judged.get("accepted", True))
    answer = ada.browser.post(f"{ada.here}/submit")
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "not_sent")
    assert words in answer.json["error"]["message"]
    assert ada.state() == State.UPLOADING


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_its_words_in_german(ada: Place, state: State) -> None:
    ada.allow(sends=True)
    ada.judge(ada.put_in().json["id"], "dark")
    with transaction(ada.org) as session:
        ada.row(session).state = state
    for address in (ada.here, f"/admin/people/{ada.part.member_id}"):
        page = ada.browser.get(f"{address}?lang=de")
        assert page.status_code == 200
        assert (
            english_in(
                page.text, "Headshots", "Isle of Man", "District of Columbia", "Robin", "Example", "Spring"
            )
            == []
        )
