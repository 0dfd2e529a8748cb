"""A headshot a little closer or wider, lighter or darker, where the style allows that."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from conftest import add_shoot
from portraits import photo_path
from sqlalchemy import select
from work import do_jobs

from core.db import transaction
from core.models import Headshot, Participation, Shoot, State, Style
from core.portraits import edits, headshots
from core.queue import JobName
from core.style.outputs import NAMED_OUTPUTS
from core.style.spec import StyleSpec, Variants

ALLOWING = StyleSpec(variants=Variants(edits=True), outputs=(NAMED_OUTPUTS["teams"],))


def _allow(org: UUID, shoot: Shoot, spec: StyleSpec = ALLOWING) -> None:
    with transaction(org) as session:
        session.get_one(Style, shoot.style_id).spec = spec.model_dump(mode="json")


def _rows(org: UUID) -> list[Headshot]:
    with transaction(org) as session:
        return list(headshots.of_participation(session, session.scalars(select(Participation.id)).one()))


@pytest.mark.photos
def test_the_studio_makes_it_again_as_asked_and_measures_it(ada: Any, shoot: Shoot) -> None:
    _allow(ada.org_id, shoot)
    ada.accept().consent()
    assert ada.upload(photo_path("barack/portrait.jpg").read_bytes()).status_code == 201
    do_jobs(ada.org_id, JobName.INTAKE)
    ada.fetch("/me/submit")
    do_jobs(ada.org_id, JobName.RENDER)
    [first] = _rows(ada.org_id)
    assert "Change it a little" in ada.browser.get(f"/me/result/{first.id}").text
    with transaction(ada.org_id) as session:  # the shoot has another style by now, which allows nothing
        session.get_one(Shoot, shoot.id).style_id = add_shoot(ada.org_id).style_id
    answer = ada.fetch(f"/me/headshots/{first.id}/edit", closer="1", lighter="1")
    assert answer.json["next"] == "/me/progress"
    do_jobs(ada.org_id, JobName.RENDER)
    assert ada.state() is State.READY
    kept, edited = _rows(ada.org_id)
    assert (kept.id, kept.run, edited.run, edited.photo_id) == (first.id, 1, 2, first.photo_id)
    assert edited.style_id == first.style_id, "an edit is of this headshot, and changes nothing else of it"
    assert edited.gates["notes"][:2] == ["variant_closer", "variant_lighter"]
    assert edited.gates["passed"] is True
    figures = [one.gates["figures"] for one in (kept, edited)]
    heads = [one["head_height_fraction"] for one in figures]
    assert heads[1] / heads[0] == pytest.approx(1.06, abs=0.02)
    assert figures[1]["skin_lightness"] > figures[0]["skin_lightness"] + 1
    page = ada.browser.get("/me/result").text
    above, below = page.split("Earlier results")
    assert str(edited.id) in above
    assert str(kept.id) in below
    assert "A little lighter, as you asked." in above
    assert "Change it a little" not in ada.browser.get(f"/me/result/{edited.id}").text
    assert ada.fetch(f"/me/headshots/{edited.id}/edit", closer="1").status_code == 409, "edits do not add up"


@pytest.fixture
def one(waiting: Any, shoot: Shoot) -> tuple[Any, UUID]:
    """Somebody with one headshot, in a style that allows edits."""
    _allow(waiting.org_id, shoot)
    headshot = waiting.render(shoot)
    waiting.set_state(State.READY)
    return waiting, headshot


def test_what_the_style_does_not_allow_is_neither_offered_nor_made(
    one: tuple[Any, UUID], shoot: Shoot
) -> None:
    ada, headshot = one
    _allow(ada.org_id, shoot, StyleSpec())
    assert "Change it a little" not in ada.browser.get(f"/me/result/{headshot}").text
    assert ada.fetch(f"/me/headshots/{headshot}/edit", closer="1").status_code == 409
    assert ada.state() is State.READY


@pytest.mark.parametrize("wanted", [{}, {"closer": "0", "lighter": "0", "right": "0"}, {"closer": "much"}])
def test_nothing_is_made_of_nothing(one: tuple[Any, UUID], wanted: dict[str, str]) -> None:
    ada, headshot = one
    assert ada.fetch(f"/me/headshots/{headshot}/edit", **wanted).status_code == 409
    assert ada.state() is State.READY


def test_no_step_is_larger_than_the_style_allows(one: tuple[Any, UUID]) -> None:
    ada, headshot = one
    assert (
        ada.fetch(f"/me/headshots/{headshot}/edit", closer="-9", lighter="99", right="5").status_code == 200
    )
    with transaction(ada.org_id) as session:
        asked = edits.asked(session, ada.participation_id)
    assert asked is not None
    assert asked.gates["edit"] == {
        "closer": pytest.approx(-0.06),
        "lighter": pytest.approx(1 / 3),
        "aside": pytest.approx(0.04),
    }


def test_who_goes_on_with_something_else_waits_for_no_edit_any_more(one: tuple[Any, UUID]) -> None:
    ada, headshot = one
    ada.fetch(f"/me/headshots/{headshot}/edit", lighter="-1")
    ada.set_state(State.FAILED, failure_code="worker_died")
    assert ada.fetch("/me/keep").status_code == 200
    assert [row.id for row in _rows(ada.org_id)] == [headshot]
    assert ada.state() is State.READY
    with transaction(ada.org_id) as session:
        assert edits.asked(session, ada.participation_id) is None
    assert "held back" not in ada.browser.get("/me/result").text
