"""The register's verbs: writing a breach down, deciding whom to tell and why, noting that they were told, closing it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from compliance.breaches.facts import BreachFacts, BreachUnusable, checked
from core import audit
from core.clock import now
from core.db import organization_of
from core.errors import Conflict, NotFound
from core.ids import new_id
from core.models import Breach, Told
from core.people import organizations
from core.words import N_

HOURS: Final = 72  # from becoming aware (Art. 33(1) GDPR)
# A day before that is a slip of the year.
LONGEST_AGO: Final = timedelta(days=3660)


class Whom(StrEnum):
    """Who may have to be told."""

    AUTHORITY = "authority"  # Art. 33
    PEOPLE = "people"  # Art. 34


class ChangedMeanwhile(Conflict):
    """Somebody else changed the entry since the form was opened."""

    code = "changed_meanwhile"


class NotYet(Conflict):
    """Something has to come first."""

    code = "not_yet"


def due_at(row: Breach) -> datetime:
    """Return when the 72 hours are over; hours of weekends and holidays count. Have counsel confirm."""
    # In UTC: a clock that is put back would add an hour to a time in its zone.
    return row.aware_at.astimezone(UTC) + timedelta(hours=HOURS)


def waits(row: Breach) -> bool:
    """Whether the clock runs: the authority is neither told nor decided not to be."""
    return row.closed_at is None and row.authority != Told.NO and row.authority_told_at is None


def listed(session: Session) -> Sequence[Breach]:
    """Return the register, the newest first."""
    return session.scalars(select(Breach).order_by(Breach.number.desc())).all()


def told_people(session: Session) -> int:
    """Return of how many breaches people were told."""
    question = select(func.count()).select_from(Breach).where(Breach.people_told_at.is_not(None))
    return session.scalars(question).one()


def undecided(session: Session) -> bool:
    """Whether a breach is open of which people may still have to be told."""
    question = select(Breach.id).where(
        Breach.closed_at.is_(None),
        Breach.people_told_at.is_(None),
        Breach.people.is_distinct_from(Told.NO.value),
    )
    return session.scalar(question.limit(1)) is not None


def get(session: Session, breach_id: UUID, *, lock: bool = False) -> Breach:
    """Return an entry.

    Raises:
        NotFound: the company has none of this number.
    """
    question = select(Breach).where(Breach.id == breach_id)
    row = session.scalar(question.with_for_update(key_share=True) if lock else question)
    if row is None:
        raise NotFound(N_("There is no such entry in the register."))
    return row


def facts_of(row: Breach) -> BreachFacts:
    """Return what is written down."""
    return BreachFacts.model_validate(row.facts)


def record(session: Session, facts: BreachFacts, *, aware_at: datetime, actor: audit.Actor) -> Breach:
    """Write a breach down; the 72 hours count from `aware_at`.

    Raises:
        BreachUnusable: that is in the future, or ten years ago.
    """
    if not now() - LONGEST_AGO <= aware_at <= now() + timedelta(minutes=1):
        raise BreachUnusable(
            N_("You cannot have learned of it then: give a time that is over. Nothing was changed."),
            field="aware_at",
        )
    # Two at once would get one number.
    session.refresh(organizations.current(session), with_for_update={"key_share": True})
    newest = session.scalars(select(func.coalesce(func.max(Breach.number), 0))).one()
    row = Breach(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        number=newest + 1,
        aware_at=aware_at,
        facts=facts.model_dump(mode="json"),
        revision=1,
        events=[],
    )
    session.add(row)
    _note(session, row, audit.Tag.BREACH_RECORDED, actor)
    return row


def change(session: Session, row: Breach, facts: BreachFacts, *, revision: int, actor: audit.Actor) -> None:
    """Write down what is known by now; the same again changes nothing.

    Raises:
        ChangedMeanwhile: somebody else did since `revision`; nothing was changed.
        NotYet: the entry is closed.
    """
    _demand_open(row)
    if row.revision != revision:
        raise ChangedMeanwhile(
            N_(
                "Somebody else changed this entry in the meantime. Nothing was changed: open it again and compare."
            )
        )
    if facts == facts_of(row):
        return
    _keep(row, facts)
    _note(session, row, audit.Tag.BREACH_CHANGED, actor)


def decide(
    session: Session, row: Breach, whom: Whom, decision: Told, *, reason: str, actor: audit.Actor
) -> None:
    """Decide whether somebody is told, and why; it can be decided otherwise until they were.

    Raises:
        BreachUnusable: no reason is given.
        NotYet: the entry is closed, or they were told already.
    """
    _demand_open(row)
    if getattr(row, f"{whom}_told_at") is not None:
        raise NotYet(N_("They were told already, so this is decided. Nothing was changed."))
    if not reason.strip():
        raise BreachUnusable(
            N_("Give the reason: the register has to show it. Nothing was changed."), field=f"{whom}_reason"
        )
    setattr(row, whom, decision.value)
    _keep(row, _with(row, f"{whom}_reason", reason))
    _note(session, row, audit.Tag.BREACH_DECIDED, actor, whom=whom.value, decision=decision.value)


def note_told(
    session: Session, row: Breach, whom: Whom, at: datetime, *, delay: str, actor: audit.Actor
) -> None:
    """Note when somebody was told.

    Args:
        session: bound to the company.
        row: the entry, locked.
        whom: who was told.
        at: when.
        delay: why so late, where the authority was told after the 72 hours.
        actor: who notes it.

    Raises:
        NotYet: it is not decided that they are told, or the entry is closed.
        BreachUnusable: they cannot have been told then, or a reason for the delay is missing.
    """
    _demand_open(row)
    if getattr(row, whom) != Told.YES:
        raise NotYet(N_("Decide first that they are told, and why. Nothing was changed."))
    if not row.aware_at <= at <= now() + timedelta(minutes=1):
        raise BreachUnusable(
            N_(
                "They cannot have been told then: give a time between learning of it and now. Nothing was changed."
            ),
            field=f"{whom}_at",
        )
    if whom is Whom.AUTHORITY and at > due_at(row):
        if not delay.strip():
            raise BreachUnusable(
                N_(
                    "That is after the 72 hours: give the reason for the delay (Art. 33(1)). Nothing was changed."
                ),
                field="delay_reason",
            )
        _keep(row, _with(row, "delay_reason", delay))
    setattr(row, f"{whom}_told_at", at)
    hours = int((at - row.aware_at).total_seconds() // 3600)
    _note(session, row, audit.Tag.BREACH_TOLD, actor, whom=whom.value, hours=hours)


def close(session: Session, row: Breach, *, actor: audit.Actor) -> None:
    """Close an entry: it stays as it is from now on.

    Raises:
        NotYet: something is not decided, or somebody who is to be told was not.
    """
    _demand_open(row)
    for whom in Whom:
        decision = getattr(row, whom)
        if decision is None or (decision == Told.YES and getattr(row, f"{whom}_told_at") is None):
            raise NotYet(
                N_(
                    "First decide about authority and people, and note when they were told. Nothing was changed."
                )
            )
    row.closed_at = now()
    _note(session, row, audit.Tag.BREACH_CLOSED, actor)


def _demand_open(row: Breach) -> None:
    if row.closed_at is not None:
        raise NotYet(N_("This entry is closed and stays as it is. Record what came up since as another one."))


def _with(row: Breach, name: str, value: str) -> BreachFacts:
    return checked({**row.facts, name: value})


def _keep(row: Breach, facts: BreachFacts) -> None:
    row.facts = facts.model_dump(mode="json")
    row.revision += 1


def _note(session: Session, row: Breach, tag: audit.Tag, actor: audit.Actor, **told: audit.Fact) -> None:
    event = audit.record(
        session, tag, actor=actor, subject=None, breach=row.number, facts_sha256=facts_of(row).sha256, **told
    )
    row.events = [*row.events, event.id]
    session.flush()
