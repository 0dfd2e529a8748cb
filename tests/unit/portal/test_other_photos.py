"""Trying other photos: what was approved stays until another is, and every page leads back to it."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

import pytest
from origins import read
from sealing import opened

from core import audit
from core.db import transaction
from core.models import Headshot, Participation, Shoot, State
from core.people import organizations
from core.portraits import downloads, rejections, reviews
from core.shoots import dashboard, reminding, shoots


@pytest.fixture
def approved(waiting: Any, shoot: Shoot) -> tuple[Any, UUID]:
    """Somebody who approved a headshot, and the headshot."""
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    waiting.fetch("/me/approve", headshot_id=str(headshot))
    return waiting, headshot


def _given(person: Any) -> bytes | None:
    """Return the picture that the company's ZIP has of the person."""
    with transaction(person.org_id) as session:
        shoot = shoots.get(session, session.get_one(Participation, person.participation_id).shoot_id)
        try:
            (planned,) = downloads.plan(session, shoot, actor=audit.SYSTEM)
        except downloads.NothingToDownload:
            return None
        picture = downloads.picture(session, planned)
        if picture is None or not downloads.handed(session, planned, is_master=True, actor=audit.SYSTEM):
            return None
        return opened(picture.held)


def _counts(person: Any) -> dict[State, int]:
    with transaction(person.org_id) as session:
        shoot_id = session.get_one(Participation, person.participation_id).shoot_id
        return {
            state: count for state, count in dashboard.counts(session, shoot_id).by_state.items() if count
        }


def _more_photos(person: Any) -> None:
    assert person.fetch("/me/more").json == {"next": "/me/photos"}
    assert person.state() is State.UPLOADING


def test_the_company_keeps_the_approved_one_on_every_step_with_other_photos(approved: Any) -> None:
    ada, headshot = approved
    before = _given(ada)
    assert before is not None
    _more_photos(ada)
    for state, address in (
        (State.UPLOADING, "/me/photos"),
        (State.SUBMITTED, "/me/progress"),
        (State.RENDERING, "/me/progress"),
        (State.FAILED, "/me/progress"),
        (State.READY, "/me/result"),
    ):
        ada.set_state(state)
        assert _given(ada) == before, state
        assert ada.state() is state, "the company's download changes nothing for who tries on"
        assert _counts(ada) == {State.APPROVED: 1}
        page = ada.browser.get(address).text
        assert "Your approved headshot stays" in page, state
        assert 'action="/me/keep"' in page
        address = f"/me/headshots/{headshot}/square.jpg"
        assert f'href="{address}"' in page
        assert ada.browser.get(address).status_code == 200


@pytest.mark.parametrize(
    "state", [State.UPLOADING, State.SUBMITTED, State.RENDERING, State.FAILED, State.READY]
)
def test_one_tap_leads_back_to_the_approved_one(approved: Any, state: State) -> None:
    ada, headshot = approved
    _more_photos(ada)
    ada.set_state(state)
    answer = ada.post("/me/keep", "/me/privacy")
    assert answer.location == "/me/result"
    assert ada.state() is State.APPROVED
    page = ada.browser.get("/me/result").text
    assert f"/me/headshots/{headshot}/square.jpg" in page
    assert ada.fetch("/me/keep").status_code == 200, "twice is fine"


def test_another_approved_one_replaces_it_and_only_then(approved: Any, shoot: Shoot) -> None:
    ada, first = approved
    before = _given(ada)
    _more_photos(ada)
    second = ada.render(shoot, rank=1)
    ada.set_state(State.READY)
    assert _given(ada) == before
    assert ada.browser.get(f"/me/headshots/{second}/square.jpg").status_code == 409
    assert ada.fetch("/me/approve", headshot_id=str(second)).status_code == 200
    after = _given(ada)
    assert after not in (None, before)
    assert ada.browser.get(f"/me/headshots/{first}/square.jpg").status_code == 409


def _named(page: str) -> list[str]:
    """The results that a page shows, as it names them, in its order."""
    return re.findall(r'class="after"[^>]* alt="([^"]*)"', page)


def test_a_page_shows_the_newest_run_and_apart_from_it_the_earlier_ones(approved: Any, shoot: Shoot) -> None:
    ada, first = approved
    second = ada.render(shoot, rank=1)
    _more_photos(ada)
    new = [ada.render(shoot, rank=rank, run=2) for rank in range(3)]
    ada.set_state(State.READY)
    page = ada.browser.get("/me/result").text
    above, below = page.split("Earlier results")
    assert _named(above) == ["Headshot 1", "Headshot 2", "Headshot 3"]
    assert [str(one) in above for one in new] == [True] * 3
    assert str(second) not in above
    assert _named(below) == ["Earlier headshot 2"], "the approved one is above, on a card of its own"
    assert "Earlier headshot 1" in ada.browser.get(f"/me/result/{first}").text
    assert "Headshot 3" in ada.browser.get(f"/me/result/{new[2]}").text
    ada.fetch("/me/approve", headshot_id=str(new[1]))
    page = ada.browser.get("/me/result").text
    above, below = page.split("Earlier results")
    assert _named(above) == ["Headshot 1", "Headshot 3"]
    assert 'id="approved">Headshot 2 ' in above
    assert _named(below) == ["Earlier headshot 1", "Earlier headshot 2"]


def test_reasons_are_of_the_newest_run(approved: Any, shoot: Shoot) -> None:
    ada, _headshot = approved
    ada.render(shoot, "gates", rank=1)
    assert "Some results were held back" in ada.browser.get("/me/result").text
    ada.render(shoot, run=2)
    assert "Some results were held back" not in ada.browser.get("/me/result").text


def test_a_run_that_made_nothing_leaves_the_earlier_ones_where_they_were(waiting: Any, shoot: Shoot) -> None:
    made = waiting.render(shoot)
    waiting.render(shoot, "gates", run=2)
    waiting.set_state(State.READY)
    page = waiting.browser.get("/me/result").text
    assert _named(page) == ["Headshot 1"]
    assert str(made) in page
    assert "Earlier results" not in page


def test_the_close_up_of_the_approved_one_keeps_it(approved: Any, shoot: Shoot) -> None:
    ada, headshot = approved
    ada.render(shoot, rank=1)
    _more_photos(ada)
    ada.set_state(State.READY)
    assert "Keep my approved headshot" in ada.browser.get(f"/me/result/{headshot}").text


def test_who_has_approved_nothing_is_led_back_to_what_was_made(waiting: Any, shoot: Shoot) -> None:
    waiting.render(shoot)
    waiting.set_state(State.READY)
    _more_photos(waiting)
    page = waiting.browser.get("/me/photos").text
    assert "The headshots that were made of you are still here." in page
    assert waiting.post("/me/keep", "/me/privacy").location == "/me/result"
    assert waiting.state() is State.READY
    assert _given(waiting) is None


def test_without_any_headshot_nothing_leads_back(waiting: Any) -> None:
    assert waiting.fetch("/me/keep").status_code == 409
    waiting.set_state(State.UPLOADING)
    assert 'action="/me/keep"' not in waiting.browser.get("/me/photos").text
    assert waiting.fetch("/me/keep").status_code == 409
    assert waiting.state() is State.UPLOADING


@pytest.mark.parametrize("chosen", [True, False])
def test_closing_the_shoot_meanwhile_leads_back_and_takes_nothing(
    waiting: Any, shoot: Shoot, chosen: bool
) -> None:
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    if chosen:
        waiting.fetch("/me/approve", headshot_id=str(headshot))
    _more_photos(waiting)
    with transaction(waiting.org_id) as session:
        shoots.close(session, shoots.get(session, shoot.id), actor=audit.SYSTEM)
    assert waiting.state() is (State.APPROVED if chosen else State.READY)
    assert (_given(waiting) is not None) is chosen
    assert waiting.browser.get("/me/").location == "/me/result"


def test_nobody_who_approved_is_reminded_while_they_try_on(approved: Any, shoot: Shoot) -> None:
    ada, _headshot = approved
    _more_photos(ada)
    with transaction(ada.org_id) as session:
        assert reminding.remind_all(session, shoots.get(session, shoot.id), actor=audit.SYSTEM) == 0
        with pytest.raises(reminding.NotRemindable):
            reminding.remind(
                session, session.get_one(Participation, ada.participation_id), actor=audit.SYSTEM
            )


def test_declining_while_trying_on_ends_the_approved_one_too(approved: Any) -> None:
    ada, _headshot = approved
    _more_photos(ada)
    asked = ada.browser.get("/me/consent/withdraw").text
    assert "Acme loses your approved headshot" in asked
    ada.fetch("/me/consent/withdraw", purpose="photo", confirm="yes")
    with transaction(ada.org_id) as session:
        row = session.get_one(Participation, ada.participation_id)
        assert (row.state, row.chosen_headshot_id, row.approved_at) == (State.DECLINED, None, None)


def test_a_model_made_file_of_ones_own_has_the_companys_label_too(approved: Any) -> None:
    ada, headshot = approved
    said = {}
    for engine in ("studio", "diffusion"):
        with transaction(ada.org_id) as session:
            session.get_one(Headshot, headshot).engine = engine
            organizations.current(session).label_models = True
        found = read(ada.browser.get(f"/me/headshots/{headshot}/square.jpg").data, "image/jpeg")
        assert found is not None
        said[engine] = any("visible label" in one["description"] for one in found.actions)
    assert said == {"studio": False, "diffusion": True}


def test_whom_the_company_asks_for_another_reads_why_and_may_choose_the_same_again(approved: Any) -> None:
    ada, headshot = approved
    with transaction(ada.org_id) as session:
        part = session.get_one(Participation, ada.participation_id)
        reviews.ask_again(session, part, headshot, reviews.Flaw.EDGE, actor=audit.SYSTEM)
        assert rejections.passed_over(session, part) == set(), "of one photo alone a headshot is made again"
        ends = part.approved_at
    assert _given(ada) is None
    assert _counts(ada) == {State.UPLOADING: 1}
    page = ada.browser.get("/me/photos").text
    assert "asks for another headshot: A rest of the old background can be seen." in page
    assert ada.fetch("/me/keep").status_code == 200
    assert ada.state() is State.READY
    assert "A rest of the old background" in ada.browser.get("/me/result").text
    ada.fetch("/me/approve", headshot_id=str(headshot))
    assert ada.state() is State.APPROVED
    assert "A rest of the old background" not in ada.browser.get("/me/result").text
    assert _given(ada) is not None
    with transaction(ada.org_id) as session:
        again = session.get_one(Participation, ada.participation_id).approved_at
    assert ends is not None
    assert again is not None
    assert again > ends
