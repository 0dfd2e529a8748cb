"""Letting the company put photos in: asked apart from every consent, taken back at any time, and what came is theirs."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member
from sqlalchemy import select

from compliance import consent as consents
from compliance import withdrawals
from compliance.reports import portability
from compliance.requests import export
from core import audit
from core.clock import now
from core.db import transaction
from core.models import AuditEvent, Consent, Member, Participation, Photo, Shoot, State
from core.people import data_links
from core.portraits import on_behalf, photos
from core.shoots import shoots


@pytest.fixture
def ready(ada: Any) -> Any:
    """Somebody who may upload."""
    ada.accept().consent(photo="yes", likeness="yes")
    return ada


@pytest.fixture
def hannah(org: UUID) -> Member:
    """Somebody from HR."""
    return add_member(org, "Hannah")


def part_of(person: Any) -> Participation:
    with transaction(person.org_id) as session:
        return session.get_one(Participation, person.participation_id)


def put_in(person: Any, hannah: Member, key: str = "key-00000001") -> Photo:
    """Put a photo in as HR's page does."""
    sealed = photos.seal(person.org_id, person.member.id, b"\xff\xd8\xff" + key.encode() * 99, "image/jpeg")
    with transaction(person.org_id) as session:
        part = session.get_one(Participation, person.participation_id)
        consent = consents.require(session, part.member_id)
        actor = audit.actor_for(session.get_one(Member, hannah.id))
        return on_behalf.put_in(session, part, sealed, upload_key=key, consent=consent, actor=actor).photo


def told(person: Any, tag: audit.Tag) -> list[dict[str, Any]]:
    with transaction(person.org_id) as session:
        found = select(AuditEvent).where(AuditEvent.tag == tag).order_by(AuditEvent.id)
        return [dict(one.facts) for one in session.scalars(found)]


def test_it_is_asked_after_the_consents_and_is_none_of_them(ready: Any, hannah: Member) -> None:
    page = ready.browser.get("/me/photos").text
    assert "Let Acme upload photos for me" in page
    assert "You need not allow it, and nothing else depends on it." in page
    assert part_of(ready).photos_by_company_at is None
    with pytest.raises(on_behalf.NotAllowed):
        put_in(ready, hannah)
    with transaction(ready.org_id) as session:
        before = session.scalars(select(Consent.id)).all()
    assert ready.post("/me/photos/company", "/me/photos").status_code == 303
    part = part_of(ready)
    assert part.photos_by_company_at is not None
    assert part.sent_by_company_at is None
    with transaction(ready.org_id) as session:
        assert session.scalars(select(Consent.id)).all() == before
        (event,) = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == audit.Tag.COMPANY_PHOTOS_ALLOWED)
        )
        assert (event.actor_id, event.subject_id) == (ready.member.id, ready.member.id)
        assert event.facts == {"participation": str(part.id), "sends": False}
    assert "✓ allowed on" in ready.browser.get("/me/photos").text


def test_sending_is_allowed_apart_and_may_be_taken_back_alone(ready: Any) -> None:
    ready.post("/me/photos/company", "/me/photos", sends="yes")
    first = part_of(ready)
    assert first.sent_by_company_at is not None
    ready.post("/me/photos/company", "/me/photos", sends="yes")
    ready.post("/me/photos/company", "/me/photos")
    second = part_of(ready)
    assert second.photos_by_company_at == first.photos_by_company_at
    assert second.sent_by_company_at is None
    assert [one["sends"] for one in told(ready, audit.Tag.COMPANY_PHOTOS_ALLOWED)] == [True, False]


def test_taking_it_back_deletes_nothing_and_offers_to_remove(ready: Any, hannah: Member) -> None:
    ready.post("/me/photos/company", "/me/photos", sends="yes")
    own = ready.upload(key="key-00000009").json["id"]
    for number in range(2):
        put_in(ready, hannah, f"key-0000000{number}")
    answer = ready.fetch("/me/photos/company/end")
    assert "2 photos that it put in are still here" in answer.json["message"]
    part = part_of(ready)
    assert (part.photos_by_company_at, part.sent_by_company_at) == (None, None)
    assert told(ready, audit.Tag.COMPANY_PHOTOS_ENDED) == [{"participation": str(part.id)}]
    with pytest.raises(on_behalf.NotAllowed):
        put_in(ready, hannah, "key-00000003")
    assert ready.fetch("/me/photos/company/end").status_code == 200  # twice is fine
    assert len(told(ready, audit.Tag.COMPANY_PHOTOS_ENDED)) == 1
    page = ready.browser.get("/me/photos").text
    assert page.count("Put in by your company") == 2
    assert "Remove all that Acme put in" in page
    assert ready.fetch("/me/photos/company/remove").json["removed"] == 2
    assert [one["id"] for one in ready.browser.get("/me/photos.json").json["photos"]] == [own]
    assert "Remove all that" not in ready.browser.get("/me/photos").text


def test_each_photo_says_who_brought_it_and_its_person_removes_it(ready: Any, hannah: Member) -> None:
    ready.post("/me/photos/company", "/me/photos")
    own, theirs = ready.upload(key="key-00000009").json["id"], put_in(ready, hannah)
    listed = {one["id"]: one for one in ready.browser.get("/me/photos.json").json["photos"]}
    assert (listed[own]["by_company"], listed[str(theirs.id)]["by_company"]) == (False, True)
    assert theirs.put_in_by == hannah.id
    assert theirs.member_id == ready.member.id
    with transaction(ready.org_id) as session:
        sent = session.scalars(
            select(AuditEvent).where(AuditEvent.tag == audit.Tag.PHOTO_UPLOADED).order_by(AuditEvent.id)
        ).all()
        assert [(one.actor_id, one.subject_id) for one in sent] == [
            (ready.member.id, ready.member.id),
            (hannah.id, ready.member.id),
        ]
    ready.fetch(f"/me/photos/{theirs.id}/remove")
    assert [one["id"] for one in ready.browser.get("/me/photos.json").json["photos"]] == [own]


def test_the_pages_after_sending_say_how_many_the_company_put_in(
    ready: Any, hannah: Member, shoot: Shoot
) -> None:
    ready.post("/me/photos/company", "/me/photos")
    ready.judge(str(put_in(ready, hannah).id))
    ready.fetch("/me/submit")
    words = "1 of your photos was put in by your company, as you allowed."
    assert words in ready.browser.get("/me/progress").text
    headshot = ready.render(shoot)
    ready.set_state(State.READY)
    assert words in ready.browser.get("/me/result").text
    assert ready.fetch("/me/approve", headshot_id=str(headshot)).status_code == 200
    assert part_of(ready).chosen_headshot_id == headshot


@pytest.mark.parametrize("state", [State.INVITED, State.SUBMITTED, State.READY, State.DECLINED])
def test_it_is_allowed_only_while_photos_are_added(ready: Any, state: State) -> None:
    ready.set_state(state)
    answer = ready.fetch("/me/photos/company")
    assert answer.status_code == 409
    assert part_of(ready).photos_by_company_at is None


def test_in_a_shoot_that_has_ended_it_is_not_allowed_but_taken_back(ready: Any, shoot: Shoot) -> None:
    ready.post("/me/photos/company", "/me/photos")
    with transaction(ready.org_id) as session:
        shoots.close(session, shoots.get(session, shoot.id, lock=True), actor=audit.SYSTEM)
    assert ready.post("/me/photos/company", "/me/privacy", sends="yes").status_code == 410
    assert part_of(ready).sent_by_company_at is None
    assert ready.post("/me/photos/company/end", "/me/privacy").status_code == 303
    assert part_of(ready).photos_by_company_at is None


def test_privacy_shows_it_and_takes_it_back_whatever_the_step(ready: Any) -> None:
    assert "Your company may put photos in for you" not in ready.browser.get("/me/privacy").text
    ready.post("/me/photos/company", "/me/photos", sends="yes")
    ready.set_state(State.SUBMITTED)
    page = ready.browser.get("/me/privacy").text
    assert "Your company may put photos in for you" in page
    assert "It may also send them to the studio." in page
    assert ready.post("/me/photos/company/end", "/me/privacy").status_code == 303
    assert part_of(ready).photos_by_company_at is None


def test_a_link_to_ones_data_takes_it_back_and_never_allows_it(ready: Any, portal: Any) -> None:
    ready.post("/me/photos/company", "/me/photos")
    with transaction(ready.org_id) as session:
        link = data_links.link_of(session.get_one(Member, ready.member.id))
    ready.browser = portal.test_client()
    address = "/" + link.split("/", 3)[3]
    ready.post(address, address)
    assert ready.post("/me/photos/company", "/me/privacy").status_code == 403
    assert ready.post("/me/photos/company/end", "/me/privacy").status_code == 303
    assert part_of(ready).photos_by_company_at is None


def test_whoever_declines_or_takes_the_first_consent_back_is_asked_anew(ready: Any, hannah: Member) -> None:
    ready.post("/me/photos/company", "/me/photos", sends="yes")
    photo = put_in(ready, hannah)
    ready.post("/me/consent/withdraw", "/me/consent/withdraw", purpose="photo", confirm="yes")
    assert ready.state() is State.DECLINED
    with transaction(ready.org_id) as session:
        assert session.get_one(Photo, photo.id).removed_at is not None
    part = part_of(ready)
    assert (part.photos_by_company_at, part.sent_by_company_at) == (None, None)


def test_nobody_allows_it_for_somebody_else(ready: Any, invited: Any) -> None:
    other = invited("Grace")
    other.accept().consent()
    other.post(f"/me/photos/company?shoot={ready.participation_id}", "/me/photos")
    assert part_of(ready).photos_by_company_at is None


def test_what_was_taken_back_is_taken_back_again_after_a_restore(ready: Any) -> None:
    ready.post("/me/photos/company", "/me/photos")
    since = part_of(ready).photos_by_company_at
    ready.fetch("/me/photos/company/end")
    ready.set_state(
        State.CONSENTED, photos_by_company_at=since, sent_by_company_at=since
    )  # as a backup had it
    assert withdrawals.brought_back(now().replace(year=now().year - 1))
    assert withdrawals.replay() == 1
    part = part_of(ready)
    assert (part.photos_by_company_at, part.sent_by_company_at) == (None, None)
    ready.post("/me/photos/company", "/me/photos")  # given anew
    assert withdrawals.replay() == 0
    assert part_of(ready).photos_by_company_at is not None


def test_the_copy_of_ones_data_says_who_brought_what(ready: Any, hannah: Member) -> None:
    ready.post("/me/photos/company", "/me/photos", sends="yes")
    own, theirs = ready.upload(key="key-00000009").json["id"], put_in(ready, hannah)
    with transaction(ready.org_id) as session:
        member = session.get_one(Member, ready.member.id)
        copy = json.loads(export.plan(session, member).records)
        provided = json.loads(portability.package(session, member).content)
        files = [artifact for _name, artifact in portability.package(session, member).files]
    assert [(one["id"], one["put_in_by_the_company"]) for one in copy["photos"]] == [
        (own, False),
        (str(theirs.id), True),
    ]
    assert copy["shoots"][0]["company_may_put_photos_in_since"]
    assert len(provided["photos"]) == 1  # what one provided oneself, and not what the company did
    assert theirs.artifact_id not in files
    assert ("company_photos", "and_sends") in [(one["what"], one["value"]) for one in provided["choices"]]
    whole = zipfile.ZipFile(io.BytesIO(ready.browser.get("/me/export.zip").data))
    assert len([name for name in whole.namelist() if name.startswith("photos/")]) == 2
