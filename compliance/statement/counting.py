"""Counting what ended in a month, and looking for each of it again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.certificate.facts import Check
from compliance.certificate.readback import ReadBack
from compliance.statement.facts import Ended, Withdrawn
from core.grounds import Ground
from core.models import Artifact, Consent, Erasure
from core.vault import vault


@dataclass(frozen=True)
class Gone:
    """A file that ended: what it was, why, and where it lay."""

    id: UUID
    member_id: UUID
    kind: str
    ground: Ground
    object_name: str
    size: int
    own_key: bool


def bounds(month: str) -> tuple[datetime, datetime]:
    """Return when a month such as 2026-11 begins and when the next does, UTC."""
    year, number = map(int, month.split("-"))
    begins = datetime(year, number, 1, tzinfo=UTC)
    return begins, datetime(year + number // 12, number % 12 + 1, 1, tzinfo=UTC)


def ended_in(session: Session, month: str) -> list[Gone]:
    """Return the files of people that ended in a month; those of an erasure have their certificate.

    What ended before its reason was noted is nobody's to guess, and not counted.
    """
    begins, ends = bounds(month)
    rows = session.execute(
        select(
            Artifact.id,
            Artifact.member_id,
            Artifact.kind,
            Artifact.ended_because,
            Artifact.object_name,
            Artifact.size,
            Artifact.own_key,
        ).where(
            Artifact.member_id.is_not(None),
            Artifact.delete_requested_at >= begins,
            Artifact.delete_requested_at < ends,
            Artifact.ended_because.is_not(None),
            Artifact.ended_because != Ground.ERASURE,
        )
    )
    return [
        Gone(
            row.id, row.member_id, row.kind, Ground(row.ended_because), row.object_name, row.size, row.own_key
        )
        for row in rows
        if row.member_id is not None and row.ended_because is not None
    ]


def first_month(session: Session) -> str | None:
    """Return the first month in which something of a person ended for a reason that was noted, such as 2026-11; UTC."""
    asked = select(func.min(Artifact.delete_requested_at)).where(
        Artifact.member_id.is_not(None), Artifact.ended_because.is_not(None)
    )
    first = session.scalar(asked)
    return None if first is None else f"{first.astimezone(UTC):%Y-%m}"


def look_again(files: Sequence[Gone]) -> tuple[Ended, ...]:
    """Look for each file and its key again, outside of any transaction, and count by kind and reason.

    Raises:
        Unavailable: the storage does not answer.
    """
    groups: dict[tuple[str, Ground], list[Gone]] = {}
    for one in files:
        groups.setdefault((one.kind, one.ground), []).append(one)
    return tuple(_line(kind, ground, held) for (kind, ground), held in sorted(groups.items()))


def _line(kind: str, ground: Ground, held: Sequence[Gone]) -> Ended:
    looked = [
        ReadBack(
            Check.NOT_FOUND,
            [one.object_name for one in held],
            lambda names: [name for name in names if vault().store.exists(name)],
        )
    ]
    keys = {str(one.id): one.id for one in held if one.own_key}
    if keys:
        there = vault().keys.among(list(keys.values()))
        looked.append(
            ReadBack(Check.KEY_ABSENT, keys, lambda names: [name for name in names if keys[name] in there])
        )
    return Ended(
        category=kind,
        ground=ground,
        files=len(held),
        people=len({one.member_id for one in held}),
        bytes=sum(one.size for one in held),
        read=sum(len(one.places) for one in looked),
        left=sum(len(one.left) for one in looked),
    )


def withdrawn_in(session: Session, month: str) -> tuple[Withdrawn, ...]:
    """Return how many consents to each purpose were taken back in a month, but for those that ended with an erasure."""
    begins, ends = bounds(month)
    erased = select(Erasure.member_id).where(Erasure.created_at <= Consent.withdrawn_at).correlate(Consent)
    rows = session.execute(
        select(Consent.purpose, func.count())
        .where(Consent.withdrawn_at >= begins, Consent.withdrawn_at < ends, Consent.member_id.not_in(erased))
        .group_by(Consent.purpose)
        .order_by(Consent.purpose)
    )
    return tuple(Withdrawn(purpose=purpose, count=count) for purpose, count in rows)


def erasures_in(session: Session, month: str) -> int:
    """Return how many people were erased in a month."""
    begins, ends = bounds(month)
    asked = select(func.count()).where(Erasure.created_at >= begins, Erasure.created_at < ends)
    return session.scalar(asked) or 0
