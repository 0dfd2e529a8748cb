"""The page that a watermark leads to: how a picture was made, of nobody, until it is erased."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from work import do_all_work

from compliance import erasure
from compliance.erasure import ErasureReason
from core import audit
from core.db import transaction
from core.models import EngineName, Headshot, Member, Shoot, State
from core.portraits import marks

MARK = 2**44 + 5


def _marked(person: Any, shoot: Shoot, engine: str) -> None:
    headshot = person.render(shoot)
    person.set_state(State.READY)
    with transaction(person.org_id) as session:
        row = session.get_one(Headshot, headshot)
        row.engine, row.mark = engine, MARK


def test_it_says_how_a_picture_was_made_and_of_nobody(waiting: Any, shoot: Shoot) -> None:
    _marked(waiting, shoot, EngineName.DIFFUSION)
    stranger = waiting.browser.application.test_client()
    answer = stranger.get(f"/origin/{marks.written(MARK)}")
    assert answer.status_code == 200
    assert "painted by an image model" in answer.text
    assert not any(word in answer.text for word in ("Ada", "Example", "Acme", "acme"))


def test_after_the_erasure_it_says_the_same_as_for_a_picture_that_never_was(
    waiting: Any, shoot: Shoot
) -> None:
    _marked(waiting, shoot, EngineName.WARDROBE)
    stranger = waiting.browser.application.test_client()
    assert "has painted a part" in stranger.get(f"/origin/{marks.written(MARK)}").text
    with transaction(waiting.org_id) as session:
        erasure.request(
            session,
            session.get_one(Member, waiting.member.id),
            reason=ErasureReason.SELF_SERVICE,
            actor=audit.SYSTEM,
            language="en",
        )
    gone = stranger.get(f"/origin/{marks.written(MARK)}")
    never = stranger.get(f"/origin/{marks.written(7)}")
    assert (gone.status_code, never.status_code) == (404, 404)
    assert "Nothing is held of this picture" in gone.text
    assert gone.text.partition("<main")[2] == never.text.partition("<main")[2]
    assert stranger.get("/origin/nonsense").status_code == 404
    do_all_work()
    with transaction(waiting.org_id) as session:
        assert session.scalars(select(Headshot.mark)).all() == [None]


def test_the_studios_own_pictures_carry_no_number(waiting: Any, shoot: Shoot) -> None:
    headshot = waiting.render(shoot)
    with transaction(waiting.org_id) as session:
        assert session.get_one(Headshot, headshot).mark is None
