"""By when requests are owed: over calendars, zones of time, leap years and public holidays."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as some

from compliance.requests import clocks
from compliance.requests.clocks import Law, Place
from core.models import Right

ANSWERED = [one for one in Right if one not in clocks.STOPS]
received = some.integers(0, 10 * 365 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
places = some.builds(
    Place,
    some.sampled_from(["", "DE", "US", "GB", "CH", "IL", "JP", "SA", "BR"]),
    some.sampled_from(sorted(available_timezones() - {"localtime", "Factory"})),
)


@given(received, places, some.sampled_from(ANSWERED))
def test_a_month_is_the_same_day_of_the_next_or_its_last(
    moment: datetime, place: Place, right: Right
) -> None:
    begun = clocks.local_day(moment, place)
    ends = clocks.local_day(clocks.due(moment, right, Law.GDPR, place), place)
    assert (ends.year * 12 + ends.month) - (begun.year * 12 + begun.month) == 1
    assert ends.day == begun.day or (ends.day < begun.day and (ends + timedelta(days=1)).day == 1)


@given(received, places, some.sampled_from(ANSWERED))
def test_california_counts_days_and_an_extension_adds_as_many(
    moment: datetime, place: Place, right: Right
) -> None:
    begun = clocks.local_day(moment, place)
    first = clocks.due(moment, right, Law.CCPA, place)
    last = clocks.due_extended(moment, right, Law.CCPA, place)
    assert last is not None
    assert (clocks.local_day(first, place) - begun).days == 45
    assert (clocks.local_day(last, place) - begun).days == 90


@given(received, places, some.sampled_from(list(Right)), some.sampled_from(list(Law)))
def test_whatever_is_owed_ends_with_a_day_at_the_company(
    moment: datetime, place: Place, right: Right, law: Law
) -> None:
    for due in (
        clocks.acknowledge_by(moment, place),
        clocks.due(moment, right, law, place),
        clocks.due_extended(moment, right, law, place),
    ):
        if due is not None:
            assert due > moment
            day = clocks.local_day(due, place)
            assert clocks.local_day(due + timedelta(seconds=1), place) > day
            assert clocks.days_left(due, due, place) == 0


@given(received, places)
def test_ten_business_days_hold_ten_days_on_which_people_work(moment: datetime, place: Place) -> None:
    day, ends = clocks.local_day(moment, place), clocks.local_day(clocks.acknowledge_by(moment, place), place)
    worked = [
        one
        for one in (day + timedelta(days=n) for n in range(1, (ends - day).days + 1))
        if clocks.is_business_day(one, place)
    ]
    assert len(worked) == 10
    assert worked[-1] == ends
    assert all(one.weekday() < 5 for one in worked)


@given(received, places, some.sampled_from(sorted(clocks.STOPS)), some.sampled_from(list(Law)))
def test_stopping_is_owed_in_business_days_and_never_later(
    moment: datetime, place: Place, right: Right, law: Law
) -> None:
    assert clocks.due_extended(moment, right, law, place) is None
    assert clocks.due(moment, right, law, place) > clocks.acknowledge_by(moment, place)


@pytest.mark.parametrize(
    ("came", "due", "extended"),
    [
        ("2028-01-31", "2028-02-29", "2028-04-30"),  # a leap year
        ("2027-01-31", "2027-02-28", "2027-04-30"),
        ("2026-11-30", "2026-12-30", "2027-02-28"),
        ("2026-12-15", "2027-01-15", "2027-03-15"),
    ],
)
def test_months_that_are_shorter_end_sooner(came: str, due: str, extended: str) -> None:
    place = Place("DE", "Europe/Berlin")
    moment = datetime.fromisoformat(came).replace(hour=12, tzinfo=UTC)
    later = clocks.due_extended(moment, Right.ACCESS, Law.GDPR, place)
    assert later is not None
    assert clocks.local_day(clocks.due(moment, Right.ACCESS, Law.GDPR, place), place).isoformat() == due
    assert clocks.local_day(later, place).isoformat() == extended


def test_public_holidays_are_those_of_the_country_and_days_those_of_the_zone() -> None:
    late = datetime(2026, 12, 22, 23, 30, tzinfo=UTC)  # the 23rd in Berlin
    berlin = Place("DE", "Europe/Berlin")
    # 24, 28–31 December, 4–8 January: neither 25 December nor New Year, and no weekend.
    assert clocks.local_day(clocks.acknowledge_by(late, berlin), berlin) == date(2027, 1, 8)
    assert clocks.local_day(clocks.acknowledge_by(late, Place()), Place()) == date(2027, 1, 5)
    assert not clocks.is_business_day(date(2026, 7, 3), Place("US", "America/Los_Angeles"))
    assert clocks.is_business_day(date(2026, 7, 3), berlin)
    assert clocks.due(late, Right.ACCESS, Law.GDPR, berlin) == datetime(
        2027, 1, 23, 23, 59, 59, tzinfo=ZoneInfo("Europe/Berlin")
    )


def test_every_country_that_can_be_chosen_has_its_holidays() -> None:
    assert {"DE", "US", "GB", "FR", "CH"} <= set(clocks.countries())
    assert all(
        clocks.is_business_day(date(2027, 1, 6), Place(one)) in (True, False)
        for one in clocks.countries()[:20]
    )
