"""A style that changed: headshots made again, of which each person chooses, with the earlier ones kept."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from conftest import add_shoot
from portraits import photo_path
from sqlalchemy import func, select
from work import do_jobs

from core import audit
from core.db import transaction
from core.models import BulkItem, Headshot, Outbox, Participation, Shoot, State, Style
from core.people.filters import Filter
from core.portraits import headshots
from core.queue import JobName
from core.shoots import bulk_steps, changes
from core.shoots.bulk import Kind
from core.style.spec import Crop, StyleSpec
from workers.pipeline import assignment
from workers.pipeline.render import RenderResult, Withheld

SAID = "has changed its style and asks you to choose"


def _another_style(org: UUID, shoot: Shoot, spec: StyleSpec | None = None) -> UUID:
    style_id = add_shoot(org, spec).style_id
    with transaction(org) as session:
        row = session.get_one(Shoot, shoot.id)
        changes.change(
            session,
            row,
            name=row.name,
            style=session.get_one(Style, style_id),
            file_name=row.file_name,
            actor=audit.SYSTEM,
        )
    return style_id


def _make_again(org: UUID, shoot: Shoot) -> None:
    wanted = Filter(shoot_id=shoot.id)
    with transaction(org) as session:
        seen = bulk_steps.preview(session, Kind.RESTYLE, wanted)
        bulk_steps.start(session, Kind.RESTYLE, wanted, target=None, seen=seen.seal, actor=audit.SYSTEM)
    do_jobs(org, JobName.BULK)
    with transaction(org) as session:
        outcome = session.scalars(select(BulkItem.outcome).order_by(BulkItem.id.desc())).first()
    assert outcome == "done"


def _rows(ada: Any) -> list[Headshot]:
    with transaction(ada.org_id) as session:
        return list(headshots.of_participation(session, ada.participation_id))


def _chosen(ada: Any) -> UUID | None:
    with transaction(ada.org_id) as session:
        return session.get_one(Participation, ada.participation_id).chosen_headshot_id


@pytest.mark.photos
def test_a_new_result_in_the_new_style_waits_beside_the_approved_one_until_its_person_chooses(
    ada: Any, shoot: Shoot
) -> None:
    ada.accept().consent()
    assert ada.upload(photo_path("barack/portrait.jpg").read_bytes()).status_code == 201
    do_jobs(ada.org_id, JobName.INTAKE)
    ada.fetch("/me/submit")
    do_jobs(ada.org_id, JobName.RENDER)
    [first] = _rows(ada)
    assert ada.fetch("/me/approve", headshot_id=str(first.id)).status_code == 200
    assert SAID not in ada.browser.get("/me/result").text
    style_id = _another_style(ada.org_id, shoot, StyleSpec(crop=Crop(head_height=0.5)))
    _make_again(ada.org_id, shoot)
    assert ada.state() is State.SUBMITTED
    do_jobs(ada.org_id, JobName.RENDER)
    assert ada.state() is State.READY
    kept, made = _rows(ada)
    assert (kept.id, kept.style_id, kept.run) == (first.id, shoot.style_id, 1)
    assert (made.style_id, made.run, made.photo_id) == (style_id, 2, first.photo_id)
    heights = [one.gates["figures"]["head_height_fraction"] for one in (kept, made)]
    assert heights[1] < heights[0] - 0.02, "it is made in the style of now"
    assert _chosen(ada) == first.id, "the company keeps the approved one meanwhile"
    page = ada.browser.get("/me/result").text
    assert SAID in page
    approved, new = page.index(f"{kept.id}/view"), page.index(f"{made.id}/view")
    assert page.index("Your approved headshot stays") < new, "both are looked at on one page"
    assert approved < new
    assert "Keep my approved headshot" in page
    with transaction(ada.org_id) as session:
        mails = select(func.count()).select_from(Outbox).where(Outbox.job == JobName.READY_MAIL)
        assert session.scalar(mails) == 2
    assert ada.fetch("/me/approve", headshot_id=str(made.id)).status_code == 200
    assert _chosen(ada) == made.id
    assert SAID not in ada.browser.get("/me/result").text


@pytest.fixture
def approved(waiting: Any, shoot: Shoot) -> Any:
    """Somebody with an approved headshot, whose shoot has another style by now."""
    do_jobs(waiting.org_id, JobName.RENDER)  # the photo shows no face, so nothing comes of it
    headshot = waiting.render(shoot, run=2)
    waiting.render(shoot, rank=1, run=2)
    waiting.set_state(State.READY)
    assert waiting.fetch("/me/approve", headshot_id=str(headshot)).status_code == 200
    _another_style(waiting.org_id, shoot)
    return waiting


def _nothing_passes(ada: Any) -> None:
    """Keep what the studio hands in whose every picture is held back."""
    with transaction(ada.org_id) as session:
        planned = assignment.begin(session, ada.participation_id)
    assert planned is not None
    work = assignment.read(planned)
    held = tuple(Withheld(source, "gates", None) for source, _content in work.photos)
    result = RenderResult((), held, {}, {})
    with transaction(ada.org_id) as session:
        assert assignment.keep(session, work, result, [], engine="studio", seconds=1.0)
        assignment.finished(session, ada.participation_id, result)


def test_where_nothing_new_passes_who_did_not_ask_for_it_stands_as_before(
    approved: Any, shoot: Shoot
) -> None:
    before = _chosen(approved)
    _make_again(approved.org_id, shoot)
    _nothing_passes(approved)
    assert approved.state() is State.APPROVED
    assert _chosen(approved) == before
    approved.fetch("/me/more")  # now the person tries on their own
    approved.fetch("/me/submit")
    assert approved.state() is State.SUBMITTED
    _nothing_passes(approved)
    assert approved.state() is State.FAILED, "who asked themselves reads why"


def test_who_tries_other_photos_themselves_is_not_told_that_the_company_asked(
    approved: Any, shoot: Shoot
) -> None:
    approved.fetch("/me/more")
    approved.fetch("/me/submit")
    approved.render(shoot, run=4)
    approved.set_state(State.READY)
    page = approved.browser.get("/me/result").text
    assert SAID not in page
    assert "Made before the style changed" not in page
    assert "Made before you sent other photos" in page


def test_the_earlier_ones_lie_open_below_the_new_ones_and_can_still_be_chosen(
    approved: Any, shoot: Shoot
) -> None:
    _make_again(approved.org_id, shoot)
    made = approved.render(shoot, run=4)
    approved.set_state(State.READY)
    page = approved.browser.get("/me/result").text
    assert SAID in page
    above, below = page.split('<details class="earlier" open>')
    assert str(made) in above
    assert "Made before the style changed" in below
    [other] = [one.id for one in _rows(approved) if (one.run, one.rank) == (2, 1)]
    assert str(other) in below
    assert approved.fetch("/me/approve", headshot_id=str(other)).status_code == 200
    assert _chosen(approved) == other
