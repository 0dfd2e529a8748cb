"""How requests about data were answered, counted from the register (11 CCR §7102): numbers alone, and of nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from statistics import mean, median

from sqlalchemy import select

from compliance.reports.company.company import Company
from compliance.reports.document import Section, table
from core.clock import now
from core.models import Right, Stage, SubjectRequest

YEARS = 2  # the calendar year that is over, and this one so far


def sections(company: Company) -> Iterator[Section]:
    """Yield a section for each calendar year (UTC): by right how many came, and what became of them."""
    say, this = company.say, now().astimezone(UTC).year
    for year in range(this, this - YEARS, -1):
        begins, ends = (datetime(one, 1, 1, tzinfo=UTC) for one in (year, year + 1))
        rows = company.session.scalars(
            select(SubjectRequest).where(
                SubjectRequest.received_at >= begins, SubjectRequest.received_at < ends
            )
        ).all()
        yield Section(
            f"year_{year}",
            say("metrics.year" if year < this else "metrics.so_far", year=year),
            "11 CCR §7102(a)",
            tables=table(
                say.table("metrics.columns"),
                [_line(company, right, [row for row in rows if row.type == right]) for right in Right],
            ),
        )


def _line(company: Company, right: Right, rows: Sequence[SubjectRequest]) -> tuple[str, ...]:
    say = company.say
    days = [(row.decided_at - row.received_at).total_seconds() / 86_400 for row in rows if row.decided_at]

    def decided(*stages: Stage) -> str:
        return say.number(sum(row.decision in stages for row in rows))

    return (
        say(f"metrics.right.{right.value}"),
        say.number(len(rows)),
        decided(Stage.FULFILLED),
        decided(Stage.PARTLY),
        decided(Stage.DENIED),
        say.number(round(median(days), 1)) if days else "–",
        say.number(round(mean(days), 1)) if days else "–",
    )
