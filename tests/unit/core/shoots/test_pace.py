"""What the last week of a shoot says of the weeks to come."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from conftest import add_member, add_participation

from core.clock import now
from core.db import transaction
from core.models import MailState, Participation, Shoot, State
from core.shoots import dashboard
from core.shoots.dashboard import Counts, Pace, pace_of


def shoot_of(age: timedelta, ends_in: timedelta, *, closed: bool = False) -> tuple[Shoot, datetime]:
    moment = now()
    return Shoot(
        created_at=moment - age, deadline=moment + ends_in, closed_at=moment if closed else None
    ), moment


def counts_of(lately: int, left: int) -> Counts:
    states = dict.fromkeys(State, 0) | {State.APPROVED: lately, State.INVITED: left}
    return Counts(states, dict.fromkeys(MailState, 0), dict.fromkeys(State, 0), lately)


@pytest.mark.parametrize(
    ("age", "lately", "left", "days", "in_time"),
    [
        (30, 70, 70, 7, True),  # ten a day
        (30, 70, 150, 15, False),
        (2, 20, 40, 4, True),  # ten a day, of two days
        (0, 20, 20, 1, True),  # younger than a day is a day
        (30, 4, 8, None, True),  # too few
        (30, 70, 0, None, True),  # nobody is left
        (30, 5, 100_000, None, True),  # years
    ],
)
def test_a_pace_goes_on_as_the_last_week_went(
    age: int, lately: int, left: int, days: int | None, in_time: bool
) -> None:
    shoot, moment = shoot_of(timedelta(days=age), timedelta(days=14))
    found = pace_of(shoot, counts_of(lately, left), moment)
    assert found == Pace(lately, moment + timedelta(days=days) if days else None, in_time)


def test_a_closed_shoot_and_one_in_which_nobody_finishes_have_none() -> None:
    shoot, moment = shoot_of(timedelta(days=30), timedelta(days=14), closed=True)
    assert pace_of(shoot, counts_of(70, 70), moment) is None
    shoot, moment = shoot_of(timedelta(days=30), timedelta(days=14))
    assert pace_of(shoot, counts_of(0, 70), moment) is None


@pytest.mark.parametrize(
    ("state", "ago", "counts"),
    [
        (State.APPROVED, 1, 1),
        (State.DELIVERED, 6, 1),
        (State.APPROVED, 8, 0),
        (State.READY, 1, 0),  # chose, and took it back
        (State.INVITED, None, 0),
    ],
)
def test_only_who_finished_within_seven_days_counts(
    org: UUID, state: State, ago: int | None, counts: int
) -> None:
    row = add_participation(org, add_member(org), state)
    with transaction(org) as session:
        if ago is not None:
            session.get_one(Participation, row.id).approved_at = now() - timedelta(days=ago)
    with transaction(org) as session:
        assert dashboard.counts(session, row.shoot_id).lately == counts
