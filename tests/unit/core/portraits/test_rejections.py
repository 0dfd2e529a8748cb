"""What people say is wrong with a headshot: kept, counted without names, gone with its person."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from conftest import add_participation, add_shoot
from seen import add_headshot, add_photo, add_seen
from sqlalchemy import select

from compliance.erasure import rows
from core import audit
from core.clock import now
from core.consent import Purpose
from core.db import transaction
from core.models import AuditEvent, EngineName, Headshot, Member, Participation, Shoot, State
from core.portraits import headshots, rejections, submission
from core.portraits.rejections import FEWEST, IsApproved, Reason


@pytest.fixture
def shoot(org: UUID) -> Shoot:
    return add_shoot(org)


def _say(org: UUID, headshot: Headshot, reason: Reason, *, days_ago: int = 1) -> None:
    with transaction(org) as session:
        row = session.get_one(Headshot, headshot.id)
        part = session.get_one(Participation, row.participation_id)
        actor = audit.actor_for(session.get_one(Member, row.member_id))
        rejections.reject(session, part, row, reason, actor=actor)
        row.rejected_at = now() - timedelta(days=days_ago)


def _counted(org: UUID, shoot: Shoot) -> dict[Reason, int]:
    with transaction(org) as session:
        return rejections.counted(session, shoot.id)


def test_the_log_hears_that_something_was_said_and_not_what(org: UUID, shoot: Shoot) -> None:
    headshot = add_seen(org, shoot, "Ada")
    _say(org, headshot, Reason.SKIN)
    with transaction(org) as session:
        event = session.scalars(select(AuditEvent).where(AuditEvent.tag == "headshot.rejected")).one()
        assert event.facts == {"headshot": str(headshot.id)}
        assert b"skin" not in event.leaf
        assert session.get_one(Headshot, headshot.id).rejected_code == "skin"


def test_the_approved_headshot_is_not_rejected(org: UUID, shoot: Shoot) -> None:
    headshot = add_seen(org, shoot, "Ada")
    with transaction(org) as session:
        session.get_one(Participation, headshot.participation_id).chosen_headshot_id = headshot.id
    with pytest.raises(IsApproved):
        _say(org, headshot, Reason.SKIN)


def test_a_reason_is_counted_only_where_nobody_stands_out(org: UUID, shoot: Shoot) -> None:
    seen = [add_seen(org, shoot, f"P{number}") for number in range(2 * FEWEST)]
    for headshot in seen[: FEWEST - 1]:
        _say(org, headshot, Reason.HAIR)
    assert _counted(org, shoot) == {}, "four of ten"
    _say(org, seen[FEWEST - 1], Reason.HAIR, days_ago=0)
    assert _counted(org, shoot) == {}, "who acts today is not seen in a number that changes"
    _say(org, seen[FEWEST - 1], Reason.HAIR)
    assert _counted(org, shoot) == {Reason.HAIR: FEWEST}
    _say(org, seen[FEWEST], Reason.HAIR)
    assert _counted(org, shoot) == {}, "all but four said it, so most of them are known"
    add_seen(org, shoot, "Last")
    assert _counted(org, shoot) == {Reason.HAIR: FEWEST}, "six of eleven are told as five at least"
    assert _counted(org, add_shoot(org)) == {}


def test_one_person_counts_once_however_often_they_say_it(org: UUID, shoot: Shoot) -> None:
    seen = [add_seen(org, shoot, f"P{number}") for number in range(2 * FEWEST)]
    with transaction(org) as session:
        first = session.get_one(Participation, seen[0].participation_id)
    for run in range(2, FEWEST + 1):
        photo = add_photo(org, first, f"key-{run}")
        _say(org, add_headshot(org, first, shoot.style_id, photo, run=run), Reason.LIGHT)
    for headshot in seen[: FEWEST - 1]:
        _say(org, headshot, Reason.LIGHT)
    assert _counted(org, shoot) == {}, "eight times, by four people"


def test_erasure_destroys_what_a_person_said(org: UUID, shoot: Shoot) -> None:
    headshot = add_seen(org, shoot, "Ada")
    _say(org, headshot, Reason.NOT_ME)
    with transaction(org) as session:
        rows.clear(session, headshot.member_id)
        assert rows.left(session, headshot.member_id) == []
    with transaction(org) as session:
        row = session.get_one(Headshot, headshot.id)
        assert (row.rejected_code, row.rejected_at) == (None, None)


def test_headshots_that_are_deleted_take_what_was_said_with_them(org: UUID, shoot: Shoot) -> None:
    headshot = add_seen(org, shoot, "Ada")
    _say(org, headshot, Reason.NOT_ME)
    with transaction(org) as session:
        headshots.delete_all(session, [session.get_one(Participation, headshot.participation_id)])
    with transaction(org) as session:
        row = session.get_one(Headshot, headshot.id)
        assert (row.rejected_code, row.rejected_at) == (None, None)


def test_another_try_takes_photos_that_were_not_tried_then_those_that_were_liked(
    org: UUID, member: Member
) -> None:
    part = add_participation(org, member, State.READY)
    with transaction(org) as session:
        style_id = session.get_one(Shoot, part.shoot_id).style_id
    shown, same, liked, fresh = (
        add_photo(org, part, key, phash=sign)
        for key, sign in (("a", "0" * 16), ("b", "0" * 16), ("c", "f" * 16), ("d", "0f" * 8))
    )
    bad, _good = (add_headshot(org, part, style_id, photo) for photo in (shown, liked))

    def over() -> set[UUID]:
        with transaction(org) as session:
            return rejections.passed_over(session, session.get_one(Participation, part.id))

    assert over() == set(), "nobody has said anything"
    _say(org, bad, Reason.EXPRESSION)
    with transaction(org) as session:
        found = rejections.untried(session, session.get_one(Participation, part.id))
    assert [photo.id for photo in found] == [fresh.id], "the same shot is no other try"
    assert over() == {shown.id, same.id, liked.id}
    worse = add_headshot(org, part, style_id, fresh, run=2)
    assert over() == {shown.id}
    for headshot in (worse, _good, add_headshot(org, part, style_id, same, run=3)):
        _say(org, headshot, Reason.EXPRESSION)
    assert over() == set(), "nothing else is left, so the same photos may do"


def test_a_model_learns_from_all_photos_so_none_is_another_try(org: UUID, member: Member) -> None:
    part = add_participation(org, member, State.READY, engine=EngineName.DIFFUSION, purposes=list(Purpose))
    add_photo(org, part)
    with transaction(org) as session:
        assert not submission.has_another(session, session.get_one(Participation, part.id))
    other = add_participation(org, member, State.READY, purposes=list(Purpose))
    add_photo(org, other)
    with transaction(org) as session:
        assert submission.has_another(session, session.get_one(Participation, other.id))
