"""The only place that reads the time."""

from __future__ import annotations

from datetime import UTC, date, datetime, time


def now() -> datetime:
    """Return the current time, timezone-aware, in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the one reader of the clock


def end_of_day(day: date) -> datetime:
    """Return the last second of a day, UTC: of whatever ends with a day, the whole day still counts."""
    return datetime.combine(day, time(23, 59, 59), UTC)


def rfc3339(moment: datetime) -> str:
    """Format `moment` as RFC 3339 in UTC with whole seconds, e.g. `2026-11-23T10:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
