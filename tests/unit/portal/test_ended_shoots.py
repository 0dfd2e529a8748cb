"""What still works in a shoot that the company has closed, and what does not."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from compliance import consent
from compliance.consent.texts import notice
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import Alternative, Participation, Photo, Shoot, State
from core.people import consents
from core.shoots import participations, shoots


def _close(person: Any, shoot: Shoot) -> None:
    with transaction(person.org_id) as session:
        shoots.close(session, shoots.get(session, shoot.id), actor=audit.SYSTEM)


@pytest.fixture
def gone(ada: Any, shoot: Shoot) -> Any:
    """Ada, who agreed, took it back, and stands with her initials in a shoot that was closed since."""
    ada.accept().consent(photo="yes")
    ada.fetch("/me/consent/withdraw", purpose="photo", confirm="yes")
    _close(ada, shoot)
    return ada


def _stands_in(person: Any) -> bool:
    with transaction(person.org_id) as session:
        row = session.get_one(Participation, person.participation_id)
        agreed = consents.agreed(session, person.member.id)
        return (row.state, row.alternative, agreed) == (State.DECLINED, Alternative.INITIALS, frozenset())


def test_a_used_link_says_that_the_shoot_has_ended_and_leads_to_what_is_there(gone: Any) -> None:
    page = gone.browser.get(gone.link())
    assert page.status_code == 200
    assert "“Spring” has ended" in page.text
    assert "is open until" not in page.text
    assert "/data" in page.text, "the way to one's data"
    answer = gone.post(f"{gone.link()}/accept")
    assert answer.location == "/me/declined"
    shown = gone.browser.get("/me/declined").text
    assert "/me/reconsider" not in shown
    assert "“Spring” has ended" in shown
    assert gone.browser.get("/me/privacy").status_code == 200
    assert _stands_in(gone)


def test_a_used_link_of_a_closed_shoot_leads_to_the_result(ada: Any, shoot: Shoot) -> None:
    ada.accept().consent(photo="yes")
    ada.set_state(State.READY)
    _close(ada, shoot)
    assert "Open my headshot" in ada.browser.get(ada.link()).text
    assert ada.post(f"{ada.link()}/accept").location == "/me/result"


@pytest.mark.parametrize(
    ("state", "verb"),
    [
        (State.DECLINED, "/me/reconsider"),
        (State.OPENED, "/me/consent"),
        (State.CONSENTED, "/me/photos"),
        (State.UPLOADING, "/me/submit"),
        (State.READY, "/me/more"),
        (State.FAILED, "/me/more"),
    ],
)
def test_no_verb_that_begins_something_works(ada: Any, shoot: Shoot, state: State, verb: str) -> None:
    ada.accept()
    mark = re.search(r'name="text_version" value="([^"]+)"', ada.browser.get("/me/consent").text)
    assert mark
    if state is not State.OPENED:
        ada.consent(photo="yes")
    _close(ada, shoot)
    ada.set_state(state)
    form: dict[str, Any] = {"csrf_token": ada.token("/me/privacy"), "text_version": mark[1]}
    picture = io.BytesIO()
    Image.new("RGB", (640, 800), "teal").save(picture, "JPEG")
    photo = (io.BytesIO(picture.getvalue()), "photo.jpg") if verb == "/me/photos" else "yes"
    form |= {"upload_key": "key-00000001", "photo": photo}
    answer = ada.browser.post(verb, data=form, headers={"X-Requested-With": "fetch"})
    assert (answer.status_code, answer.json["error"]["code"]) == (410, "shoot_closed")
    assert ada.state() is state
    with transaction(ada.org_id) as session:
        assert (consents.agreed(session, ada.member.id) == set()) is (state is State.OPENED)
        assert session.scalars(select(Photo)).all() == []


def test_reconsidering_is_answered_with_a_page_that_leads_to_ones_data(gone: Any) -> None:
    answer = gone.post("/me/reconsider")
    assert answer.status_code == 410
    assert "Your company has ended this shoot" in answer.text
    assert "/me/privacy" in answer.text
    assert _stands_in(gone)


@pytest.mark.parametrize("state", [State.OPENED, State.CONSENTED, State.UPLOADING])
def test_whoever_had_begun_again_reads_that_it_has_ended(gone: Any, state: State) -> None:
    gone.set_state(state)
    page = gone.browser.get("/me/consent" if state is State.OPENED else "/me/photos")
    assert page.status_code == 410
    assert "Your company has ended this shoot" in page.text
    assert "/me/privacy" in page.text
    ended = gone.browser.get(gone.link())
    assert (ended.status_code, "shoot has ended" in ended.text) == (410, True)


@pytest.mark.parametrize("to", [State.OPENED, State.CONSENTED, State.UPLOADING, State.SUBMITTED])
def test_no_move_begins_anything(ada: Any, shoot: Shoot, to: State) -> None:
    before = next(state for state, after in participations.MOVES.items() if to in after)
    _close(ada, shoot)
    ada.set_state(before)
    with transaction(ada.org_id) as session:
        row = session.get_one(Participation, ada.participation_id)
        with pytest.raises(participations.ShootEnded):
            participations.move(session, row, to, actor=audit.SYSTEM)
    assert ada.state() is before


def test_no_consent_is_kept(gone: Any) -> None:
    words = notice(
        "gdpr",
        "en",
        company="Acme",
        processor="P",
        region="EU",
        retention_days=30,
        headshot_days=30,
        leaver_days=90,
        latest=now().date(),
        today=now().date(),
    )
    with transaction(gone.org_id) as session:
        row = session.get_one(Participation, gone.participation_id)
        with pytest.raises(participations.ShootEnded):
            consent.give(session, row, {Purpose.PHOTO: True}, words)
    assert _stands_in(gone)


def test_whoever_waited_for_the_closing_begins_nothing(ada: Any, shoot: Shoot) -> None:
    ada.accept().fetch("/me/decline")
    with transaction(ada.org_id) as slow:
        row = slow.get_one(Participation, ada.participation_id)
        assert slow.get_one(Shoot, shoot.id).closed_at is None
        _close(ada, shoot)
        with pytest.raises(participations.ShootEnded):
            participations.move(slow, row, State.OPENED, actor=audit.SYSTEM)
