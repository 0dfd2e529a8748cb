"""New photos by a company's rule: who is due, who never is, and that each is asked once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread
from uuid import UUID

import pytest
from conftest import add_member, add_participation, add_shoot
from sqlalchemy import func, select

from core import audit, locks
from core.clock import now
from core.db import transaction
from core.models import EngineName, Invite, Member, Participation, Role, Shoot, State, Style
from core.people import organizations
from core.shoots import participations, renewal, shoots
from core.shoots.renewal import Rule, RuleUnusable, months_before

LONG_AGO = timedelta(days=800)


def ruled(org: UUID, shoot: Shoot | None = None, **values: object) -> Rule:
    """Let the company ask by a rule."""
    given = {"name": "Team", "months": 24, "joiners": True, "wait": 0, "days": 21} | values
    rule = Rule.model_validate({"like": (shoot or add_shoot(org)).id} | given)
    with transaction(org) as session:
        renewal.set_rule(session, rule, actor=audit.SYSTEM)
    return rule


def photographed(org: UUID, name: str, state: State = State.DELIVERED, ago: timedelta = LONG_AGO) -> Member:
    """Somebody who was asked, and answered, so long ago."""
    member = add_member(org, name)
    row = add_participation(org, member, state)
    with transaction(org) as session:
        kept = session.get_one(Participation, row.id)
        kept.created_at = kept.changed_at = now() - ago
        kept.approved_at = now() - ago if state in (State.APPROVED, State.DELIVERED) else None
        shoot = session.get_one(Shoot, row.shoot_id)
        shoot.deadline = now() - ago + timedelta(days=14)
    return member


def asked_now(org: UUID) -> set[str | None]:
    """Who has a link to this month's shoot."""
    with transaction(org) as session:
        query = (
            select(Member)
            .join(Participation, Participation.member_id == Member.id)
            .join(Shoot, Shoot.id == Participation.shoot_id)
            .join(Invite, Invite.participation_id == Participation.id)
            .where(Shoot.renews.is_not(None))
        )
        return {one.first_name for one in session.scalars(query)}


def test_joiners_and_whoever_was_photographed_long_ago_are_asked_once(org: UUID) -> None:
    add_member(org, "Joiner")
    photographed(org, "Long")
    photographed(org, "Unanswered", State.EXPIRED)
    photographed(org, "Lately", ago=timedelta(days=300))
    photographed(org, "Declined", State.DECLINED)
    for name, field in (("Off", "disabled_at"), ("Restricted", "restricted_at")):
        gone = photographed(org, name)
        with transaction(org) as session:
            setattr(session.get_one(Member, gone.id), field, now())
    rule = ruled(org)
    with transaction(org) as session:
        found = renewal.due(session, rule)
    assert (found.joiners, found.again) == (1, 2)
    assert (renewal.begin_due(org), renewal.begin_due(org)) == (3, 0)
    assert asked_now(org) == {"Joiner", "Long", "Unanswered"}


def test_whoever_declined_is_not_due_after_that_was_forgotten(org: UUID) -> None:
    for state in (State.DECLINED, State.EXPIRED):
        member = photographed(org, state.value.title(), state)
        with transaction(org) as session:
            locks.person(session, member.id)
            (row,) = session.scalars(select(Participation).where(Participation.member_id == member.id))
            if state is State.DECLINED:
                participations.forget_declined(session, [row], actor=audit.SYSTEM)
            assert row.state == State.EXPIRED
    rule = ruled(org, joiners=False)
    with transaction(org) as session:
        assert renewal.due(session, rule).people == 1
    renewal.begin_due(org)
    assert asked_now(org) == {"Expired"}


def test_nobody_is_invited_into_a_shoot_that_is_being_closed(org: UUID) -> None:
    add_member(org, "One")
    ruled(org)
    renewal.begin_due(org)
    add_member(org, "Two")
    late = Thread(target=renewal.begin_due, args=(org,))
    with transaction(org) as session:
        (shoot,) = session.scalars(select(Shoot).where(Shoot.renews.is_not(None)))
        shoots.close(session, shoots.get(session, shoot.id, lock=True), actor=audit.SYSTEM)
        late.start()
        late.join(timeout=1)
        assert late.is_alive(), "it waits for the shoot"
    late.join()
    assert asked_now(org) == {"One"}


def test_who_finished_lately_or_is_still_in_an_open_shoot_is_not_due(org: UUID) -> None:
    late = photographed(org, "Late")  # asked long ago, and approved a picture a month ago
    open_still = photographed(org, "Open", State.OPENED)
    with transaction(org) as session:
        rows = {row.member_id: row for row in session.scalars(select(Participation))}
        rows[late.id].approved_at = now() - timedelta(days=30)
        session.get_one(Shoot, rows[open_still.id].shoot_id).deadline = now() + timedelta(days=3)
    ruled(org)
    assert renewal.begin_due(org) == 0


def test_joiners_wait_and_are_employees(org: UUID) -> None:
    new, early = add_member(org, "New"), add_member(org, "Early")
    auditor = add_member(org, "Auditor")
    with transaction(org) as session:
        for one in (early, auditor):
            session.get_one(Member, one.id).created_at = now() - timedelta(days=8)
        session.get_one(Member, auditor.id).role = Role.AUDITOR
        assert session.get_one(Member, new.id).created_at > now() - timedelta(days=1)
    ruled(org, wait=7)
    assert renewal.begin_due(org) == 1
    assert asked_now(org) == {"Early"}


def test_a_month_has_one_shoot_like_the_one_that_was_chosen(org: UUID) -> None:
    like = add_shoot(org)
    with transaction(org) as session:
        kept = session.get_one(Shoot, like.id)
        kept.reviewed, kept.reminder_days, kept.file_name = True, [5], "{last}.jpg"
        older = session.get_one(Style, kept.style_id)
        newer = Style(org_id=org, name=older.name, version=2, spec=older.spec)
        session.add(newer)
        organizations.current(session).language = "de"
    add_member(org, "One")
    ruled(org, like)
    renewal.begin_due(org)
    add_member(org, "Two")
    renewal.begin_due(org)
    with transaction(org) as session:
        (shoot,) = session.scalars(select(Shoot).where(Shoot.renews.is_not(None)))
        month = shoot.renews
        assert month is not None
        assert month.day == 1
        assert shoot.name.startswith("Team, ")
        assert shoot.name.endswith(str(month.year))
        assert (shoot.reviewed, shoot.reminder_days, shoot.file_name) == (True, [5], "{last}.jpg")
        assert session.get_one(Style, shoot.style_id).version == 2, "the newest version of the style"
        assert shoot.deadline - now() > timedelta(days=21), "joining late leaves as many days"
        assert all(invite.by_day for invite in session.scalars(select(Invite)))
    assert asked_now(org) == {"One", "Two"}


def test_a_month_s_shoot_that_was_closed_stays_closed(org: UUID) -> None:
    add_member(org, "One")
    rule = ruled(org)
    renewal.begin_due(org)
    with transaction(org) as session:
        (shoot,) = session.scalars(select(Shoot).where(Shoot.renews.is_not(None)))
        shoots.close(session, shoot, actor=audit.SYSTEM)
        assert renewal.problem(session, rule)
    add_member(org, "Two")
    assert renewal.begin_due(org) == 0


def test_what_made_the_portraits_may_be_gone(org: UUID) -> None:
    add_member(org)
    rule = ruled(org, add_shoot(org, engine=EngineName.DIFFUSION))
    assert renewal.begin_due(org) == 0
    with transaction(org) as session:
        assert "not set up here" in str(renewal.problem(session, rule))
        assert session.scalar(select(func.count()).select_from(Participation)) == 0


def test_two_at_once_ask_nobody_twice(org: UUID) -> None:
    for number in range(5):
        add_member(org, f"Joiner{number}")
    ruled(org)
    both = [Thread(target=renewal.begin_due, args=(org,)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    with transaction(org) as session:
        assert session.scalar(select(func.count()).select_from(Invite)) == 5
        assert session.scalar(select(func.count()).select_from(Shoot).where(Shoot.renews.is_not(None))) == 1


def test_no_rule_asks_nobody_and_its_end_is_on_record(org: UUID) -> None:
    add_member(org)
    assert renewal.begin_due(org) == 0
    rule = ruled(org)
    with transaction(org) as session:
        assert not renewal.set_rule(session, rule, actor=audit.SYSTEM), "the same again is no change"
        nothing = rule.model_copy(update={"joiners": False, "months": renewal.NEVER})
        assert renewal.set_rule(session, nothing, actor=audit.SYSTEM)
        assert renewal.rule_of(session) is None
    assert renewal.begin_due(org) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("months", 5),
        ("months", 61),
        ("days", 6),
        ("days", 91),
        ("wait", 91),
        ("name", "  "),
        ("name", "a" * 81),
    ],
)
def test_a_rule_out_of_range_is_refused(org: UUID, field: str, value: object) -> None:
    with pytest.raises(RuleUnusable) as refused:
        ruled(org, **{field: value})
    assert refused.value.details["field"] == field


@pytest.mark.parametrize(
    ("month", "day", "months", "expected"),
    [
        (3, 31, 1, (2026, 2, 28)),
        (1, 15, 1, (2025, 12, 15)),
        (12, 31, 12, (2025, 12, 31)),
        (2, 28, 24, (2024, 2, 28)),
    ],
)
def test_months_are_those_of_the_calendar(
    month: int, day: int, months: int, expected: tuple[int, int, int]
) -> None:
    found = months_before(datetime(2026, month, day, tzinfo=UTC), months)
    assert (found.year, found.month, found.day) == expected
