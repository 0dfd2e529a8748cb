"""By which clock somebody lives: that of where they work, else that of their company."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from babel.core import get_global

# Countries with several zones where nearly everybody lives in one.
_MOSTLY: Final = {
    "AR": "America/Argentina/Buenos_Aires", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin",
    "ES": "Europe/Madrid", "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon",
    "UA": "Europe/Kyiv", "UZ": "Asia/Tashkent",
}  # fmt: skip
# States of the United States, by the zone of most of their people.
_STATES: Final = {
    "America/New_York": "CT DC DE FL GA IN KY MA MD ME MI NC NH NJ NY OH PA RI SC VA VT WV",
    "America/Chicago": "AL AR IA IL KS LA MN MO MS ND NE OK SD TN TX WI",
    "America/Denver": "CO ID MT NM UT WY",
    "America/Phoenix": "AZ",
    "America/Los_Angeles": "CA NV OR WA",
    "America/Anchorage": "AK",
    "Pacific/Honolulu": "HI",
}  # fmt: skip
_BY_STATE: Final = {f"US-{state}": zone for zone, states in _STATES.items() for state in states.split()}


def zone_of(place: str | None, company: str) -> str:
    """Return the zone of somebody who works in `place`, an ISO 3166 code; the company's where that leaves it open."""
    if place is None:
        return company
    if place in _BY_STATE:
        return _BY_STATE[place]
    country = place.partition("-")[0]
    known = get_global("territory_zones").get(country, ())
    if len(known) == 1:
        return str(known[0])
    return company if company in known else _MOSTLY.get(country, company)


def until_day(moment: datetime, zone: str, quiet_from: int, quiet_until: int) -> timedelta:
    """Return how long it is still quiet at `moment` in a zone; nothing by day.

    Args:
        moment: when.
        zone: by whose clock.
        quiet_from: the hour of the day from which it is quiet; the same as `quiet_until` for never.
        quiet_until: the hour from which it is not.
    """
    local = moment.astimezone(ZoneInfo(zone))
    hours = (quiet_until - local.hour) % 24
    if (local.hour - quiet_from) % 24 >= (quiet_until - quiet_from) % 24:
        return timedelta(0)
    # By the wall: a night in which clocks are changed is an hour shorter or longer.
    morning = datetime.combine(local.date(), time(local.hour), local.tzinfo) + timedelta(hours=hours)
    return morning.astimezone(moment.tzinfo) - moment
