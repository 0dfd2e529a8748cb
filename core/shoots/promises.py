"""For how long a company keeps what is about its people, and that nobody's is kept longer than their consent page said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import ColumnElement, func, literal, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from core import audit
from core.clock import now
from core.errors import InvalidInput
from core.models import Organization, Participation, Shoot, State
from core.people import organizations
from core.words import N_


class Kept(StrEnum):
    """What has an end of its own. Measures of a face end with the photo or headshot that they were taken of."""

    SELFIES = "selfies"  # with previews and the numbers of faces on them: days after approval, or after the deadline
    MODELS = "models"  # of one person: as selfies, and never later
    HEADSHOTS = "headshots"  # days after the shoot has ended, or after a later approval
    DECLINERS = (
        "decliners"  # who declined, and what stands in for their headshot: days after the shoot has ended
    )
    LEAVERS = "leavers"  # everything of somebody who was locked out, names too: days after that


COLUMNS: Final[Mapping[Kept, InstrumentedAttribute[int]]] = {
    Kept.SELFIES: Organization.retention_days,
    Kept.MODELS: Organization.model_days,
    Kept.HEADSHOTS: Organization.headshot_days,
    Kept.DECLINERS: Organization.decliner_days,
    Kept.LEAVERS: Organization.leaver_days,
}
# A promise of no days cannot be kept, since a sweep comes once an hour.
LEAST_DAYS: Final = 1
# Three years are the end that BIPA (740 ILCS 14/15) sets to whatever was taken of a face; the rest has no purpose for
# as long as that: a year is one round of shoots.
MOST_DAYS: Final[Mapping[Kept, int]] = {
    Kept.SELFIES: 365,
    Kept.MODELS: 365,
    Kept.HEADSHOTS: 1095,
    Kept.DECLINERS: 365,
    Kept.LEAVERS: 365,
}
NAMES: Final[Mapping[Kept, str]] = {
    Kept.SELFIES: N_("Selfies, previews and numbers of faces"),
    Kept.MODELS: N_("Image models of one person"),
    Kept.HEADSHOTS: N_("Headshots, for download"),
    Kept.DECLINERS: N_("That somebody declined, and what stands in"),
    Kept.LEAVERS: N_("People who have left, with name and pictures"),
}
COUNTED: Final[Mapping[Kept, str]] = {
    Kept.SELFIES: N_("days after approval, or after the deadline"),
    Kept.MODELS: N_("days after approval, or after the deadline; never more than selfies"),
    Kept.HEADSHOTS: N_("days after the shoot has ended, or after a later approval"),
    Kept.DECLINERS: N_("days after the shoot has ended"),
    Kept.LEAVERS: N_("days after their access was turned off"),
}
_PROMISED: Final[Mapping[Kept, InstrumentedAttribute[int | None]]] = {
    Kept.SELFIES: Participation.promised_days,
    Kept.HEADSHOTS: Participation.promised_headshot_days,
}
_UNPROMISED: Final = (State.INVITED, State.OPENED)


def schedule(organization: Organization) -> dict[Kept, int]:
    """Return the company's days as they count: a model is never kept longer than the selfies it learned from."""
    days = {kept: int(getattr(organization, column.key)) for kept, column in COLUMNS.items()}
    days[Kept.MODELS] = min(days[Kept.MODELS], days[Kept.SELFIES])
    return days


def days_of(organization: Organization, participation: Participation, kept: Kept = Kept.SELFIES) -> int:
    """Return for how many days at most something of a person's is kept."""
    days = schedule(organization)[kept]
    promised: int | None = getattr(participation, _PROMISED[kept].key) if kept in _PROMISED else None
    return days if promised is None else min(promised, days)


def kept_days(organization: Organization, kept: Kept = Kept.SELFIES) -> ColumnElement[int]:
    """Return the same as SQL, for participations."""
    days = literal(schedule(organization)[kept])
    if kept is Kept.MODELS:
        return func.least(days, kept_days(organization))
    return func.least(days, func.coalesce(_PROMISED[kept], days)) if kept in _PROMISED else days


def headshot_ends(organization: Organization, participation: Participation, shoot: Shoot) -> datetime:
    """Return when a person's headshots end, as things stand; `compliance.schedule.headshot_ends` says the same in SQL."""
    ended = min(shoot.deadline, shoot.closed_at or shoot.deadline)
    length = timedelta(days_of(organization, participation, Kept.HEADSHOTS))
    return max(participation.approved_at or ended, ended) + length


def after_close(organization: Organization, shoot: Shoot) -> dict[Kept, datetime]:
    """Return when what comes of a shoot is deleted, if it ends now or has ended; sooner for whoever was promised less.

    For somebody who approves after that, selfies and headshots go as many days after their approval.
    """
    days = schedule(organization)
    ended = min(shoot.deadline, shoot.closed_at or now())
    begins = {Kept.SELFIES: shoot.deadline, Kept.HEADSHOTS: ended, Kept.DECLINERS: ended}
    return {kept: begin + timedelta(days=days[kept]) for kept, begin in begins.items()}


def promise(session: Session, participation: Participation, *, until: datetime | None = None) -> None:
    """Note what the consent page says at this moment; an earlier shorter promise stays.

    Args:
        session: bound to the organization.
        participation: whose.
        until: the day on which everything is destroyed, where the page names one.
    """
    organization = organizations.current(session)
    for kept, column in _PROMISED.items():
        setattr(participation, column.key, days_of(organization, participation, kept))
    if until is not None:
        participation.destroy_by = min(until, participation.destroy_by or until)


def latest(organization: Organization, shoot: Shoot) -> datetime:
    """Return the end that a release may name: of somebody who approves on the last day that there is anything to approve."""
    return shoot.deadline + timedelta(days=2 * schedule(organization)[Kept.SELFIES])


def change(session: Session, days: Mapping[Kept, int], *, actor: audit.Actor) -> None:
    """Keep things for so many days from now on; whoever was promised less is kept for less.

    Args:
        session: bound to the organization.
        days: of what is to change.
        actor: who changes it.

    Raises:
        InvalidInput: fewer than `LEAST_DAYS`, or more than `MOST_DAYS`; nothing was changed.
    """
    for kept, wanted in days.items():
        if not LEAST_DAYS <= wanted <= MOST_DAYS[kept]:
            raise InvalidInput(
                N_("Choose %(least)s to %(most)s days, not %(wanted)s. Nothing was changed."),
                least=LEAST_DAYS,
                most=MOST_DAYS[kept],
                wanted=wanted,
                kept=kept.value,
            )
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    before = {kept: int(getattr(organization, COLUMNS[kept].key)) for kept in days}
    changed = {kept: wanted for kept, wanted in days.items() if wanted != before[kept]}
    if not changed:
        return
    organization.schedule_version += 1
    for kept, wanted in changed.items():
        setattr(organization, COLUMNS[kept].key, wanted)
        if kept in _PROMISED:
            # Whoever agreed before promises were noted was promised what stood there until now.
            session.execute(
                update(Participation)
                .where(_PROMISED[kept].is_(None), Participation.state.not_in(_UNPROMISED))
                .values({_PROMISED[kept]: before[kept]})
            )
        audit.record(
            session,
            audit.Tag.RETENTION_CHANGED,
            actor=actor,
            kept=kept.value,
            before=before[kept],
            after=wanted,
            version=organization.schedule_version,
        )
    session.flush()
