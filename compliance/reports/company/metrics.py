"""How requests about data were answered, as the register counts them (11 CCR §7102), for the page to be signed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC

from compliance.reports.company.company import Company
from compliance.reports.document import Section, table
from compliance.requests.metrics import Figures, of_year
from core.clock import now

YEARS = 2  # the calendar year that is over, and this one so far


def sections(company: Company) -> Iterator[Section]:
    """Yield a section for each calendar year (UTC); without consents taken back, by which HR could tell whose it was."""
    say, this = company.say, now().astimezone(UTC).year
    for year in range(this, this - YEARS, -1):
        yield Section(
            f"year_{year}",
            say("metrics.year" if year < this else "metrics.so_far", year=year),
            "11 CCR §7102(a)",
            tables=table(
                say.table("metrics.columns"),
                [_line(company, one) for one in of_year(company.session, year, of_people=False)],
            ),
        )


def _line(company: Company, one: Figures) -> tuple[str, ...]:
    say = company.say
    counts = (one.received, one.complied, one.denied)
    days = ("–" if value is None else say.number(value) for value in (one.median_days, one.mean_days))
    return (say(f"metrics.right.{one.right.value}"), *map(say.number, counts), *days)
