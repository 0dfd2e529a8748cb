"""What a year's requests came to (11 CCR § 7102): received, met, refused, and how many days answers took."""

from __future__ import annotations

import statistics
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from core.models import Right, Stage, SubjectRequest


@dataclass(frozen=True)
class Figures:
    """Of one right in one year.

    Attributes:
        complied: in whole or in part.
        denied: in whole.
        mean_days: from receipt to answer; `None` where nothing was answered.
        median_days: the same.
    """

    right: Right
    received: int
    complied: int
    denied: int
    mean_days: float | None
    median_days: float | None


def of_year(session: Session, year: int, *, of_people: bool) -> list[Figures]:
    """Return the figures of requests that came in a year, UTC.

    Args:
        session: bound to the organization.
        year: of the calendar.
        of_people: whether consents that were taken back are counted, for somebody who may follow people: in a small
            company a count tells who it was.
    """
    began, ended = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    seconds = func.extract("epoch", SubjectRequest.decided_at - SubjectRequest.received_at)
    rows = session.execute(
        select(SubjectRequest.type, SubjectRequest.decision, seconds).where(
            SubjectRequest.received_at >= began,
            SubjectRequest.received_at < ended,
            SubjectRequest.state != Stage.UNCONFIRMED,
        )
    )
    found: dict[str, list[tuple[str | None, float | None]]] = defaultdict(list)
    for right, decision, took in rows:
        found[right].append((decision, None if took is None else float(took) / 86_400))
    return [_figures(right, found[right]) for right in Right if of_people or right is not Right.WITHDRAWAL]


def _figures(right: Right, rows: list[tuple[str | None, float | None]]) -> Figures:
    days = [took for decision, took in rows if took is not None and decision != Stage.CANCELLED]
    decisions = [decision for decision, _ in rows]
    return Figures(
        right=right,
        received=len(rows),
        complied=decisions.count(Stage.FULFILLED) + decisions.count(Stage.PARTLY),
        denied=decisions.count(Stage.DENIED),
        mean_days=round(statistics.fmean(days), 1) if days else None,
        median_days=round(statistics.median(days), 1) if days else None,
    )
