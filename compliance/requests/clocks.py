"""By when a request is owed what: pure functions of when it came, under which law, and where the company is.

Numbers and where they come from: docs/requests.md. GDPR Art. 12(3); 11 CCR § 7021 (10 business days, 45 days, 90 at most); 15
business days for opting out and limiting, which counsel confirm. Each time ends with its day in the company's own
zone. A period of a month is not moved past a weekend, so it is never longer than any law has it.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo

from core.models import Right


class Law(StrEnum):
    """Whose clock counts."""

    GDPR = "gdpr"
    SWISS = "swiss"
    CCPA = "ccpa"


ACKNOWLEDGE_BUSINESS_DAYS: Final = 10
STOP_BUSINESS_DAYS: Final = 15
MONTHS: Final = 1
MONTHS_EXTENDED: Final = 3
# Without and with an extension. Switzerland: Art. 25(7) FADP, Art. 18 DPO; the longer time is ours, counsel confirm both.
DAYS: Final = {Law.CCPA: (45, 90), Law.SWISS: (30, 90)}
# Owed sooner, without proof of who asks, and never extended.
STOPS: Final = frozenset({Right.OPT_OUT, Right.LIMIT})
_SATURDAY: Final = 5


@dataclass(frozen=True)
class Place:
    """Where a company answers.

    Attributes:
        country: ISO 3166-1 alpha-2; empty where nobody has said, so that only weekends are no business days.
        zone: name of the zone database.
    """

    country: str = ""
    zone: str = "UTC"


def local_day(moment: datetime, place: Place) -> date:
    """Return which day it is at the company."""
    return moment.astimezone(ZoneInfo(place.zone)).date()


def begin_of(day: date, place: Place) -> datetime:
    """Return the moment at which a day begins at the company."""
    return datetime.combine(day, time(), ZoneInfo(place.zone)).astimezone(UTC)


def is_business_day(day: date, place: Place) -> bool:
    """Whether people work on a day: neither Saturday, Sunday nor a public holiday of the whole country."""
    return day.weekday() < _SATURDAY and day not in _holidays(place.country, day.year)


def countries() -> list[str]:
    """Return the countries whose public holidays are known."""
    import holidays  # here and below, where it is asked: 7 MB of every web process

    return sorted(one for one in holidays.list_supported_countries() if len(one) == 2)


def acknowledge_by(received: datetime, place: Place) -> datetime:
    """Return the last moment to confirm that a request came."""
    return _end_of(_business_days_after(local_day(received, place), ACKNOWLEDGE_BUSINESS_DAYS, place), place)


def due(received: datetime, right: Right, law: Law, place: Place) -> datetime:
    """Return the last moment to answer, without an extension."""
    day = local_day(received, place)
    if right in STOPS:
        return _end_of(_business_days_after(day, STOP_BUSINESS_DAYS, place), place)
    last = _months_after(day, MONTHS) if law is Law.GDPR else day + timedelta(days=DAYS[law][0])
    return _end_of(last, place)


def due_extended(received: datetime, right: Right, law: Law, place: Place) -> datetime | None:
    """Return the last moment to answer with an extension; `None` where the law has none."""
    day = local_day(received, place)
    if right in STOPS:
        return None
    last = _months_after(day, MONTHS_EXTENDED) if law is Law.GDPR else day + timedelta(days=DAYS[law][1])
    return _end_of(last, place)


def days_left(due_at: datetime, moment: datetime, place: Place) -> int:
    """Return how many days there are until the day on which something is due; negative once it is over."""
    return (local_day(due_at, place) - local_day(moment, place)).days


def _months_after(day: date, months: int) -> date:
    """Return the same day some months later, or the last of that month where it is shorter."""
    years, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + years, month + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _business_days_after(day: date, count: int, place: Place) -> date:
    while count:
        day += timedelta(days=1)
        count -= is_business_day(day, place)
    return day


def _end_of(day: date, place: Place) -> datetime:
    """Return the last second of a day at the company: the one before the next begins, whatever the clocks do that night."""
    return begin_of(day + timedelta(days=1), place) - timedelta(seconds=1)


@cache
def _holidays(country: str, year: int) -> frozenset[date]:
    import holidays

    return frozenset(holidays.country_holidays(country, years=year)) if country else frozenset()
