"""How long a company keeps selfies and working data, and that nobody is kept longer than their consent page said."""

from __future__ import annotations

from typing import Final

from sqlalchemy import ColumnElement, func, literal, update
from sqlalchemy.orm import Session

from core import audit
from core.errors import InvalidInput
from core.models import Organization, Participation, State
from core.people import organizations
from core.words import N_

# As the setting that new companies begin with: a promise of none cannot be kept, one of years is none.
LEAST_DAYS: Final = 1
MOST_DAYS: Final = 365
_UNPROMISED: Final = (State.INVITED, State.OPENED)


def days_of(organization: Organization, participation: Participation) -> int:
    """Return for how many days at most a person's selfies are kept."""
    promised = participation.promised_days
    return organization.retention_days if promised is None else min(promised, organization.retention_days)


def kept_days(organization: Organization) -> ColumnElement[int]:
    """Return the same as SQL, for participations."""
    days = literal(organization.retention_days)
    return func.least(days, func.coalesce(Participation.promised_days, days))


def promise(session: Session, participation: Participation) -> None:
    """Note what the consent page says at this moment; an earlier shorter promise stays."""
    participation.promised_days = days_of(organizations.current(session), participation)


def change(session: Session, days: int, *, actor: audit.Actor) -> None:
    """Keep selfies for so many days from now on; whoever was promised less is kept for less.

    Raises:
        InvalidInput: fewer than `LEAST_DAYS`, or more than `MOST_DAYS`.
    """
    if not LEAST_DAYS <= days <= MOST_DAYS:
        raise InvalidInput(
            N_("Selfies are kept for %(least)s to %(most)s days after approval. Nothing was changed."),
            least=LEAST_DAYS,
            most=MOST_DAYS,
        )
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    before, organization.retention_days = organization.retention_days, days
    if before == days:
        return
    # Whoever agreed before promises were noted was promised what stood there until now.
    session.execute(
        update(Participation)
        .where(Participation.promised_days.is_(None), Participation.state.not_in(_UNPROMISED))
        .values(promised_days=before)
    )
    audit.record(session, audit.Tag.RETENTION_CHANGED, actor=actor, before=before, after=days)
    session.flush()
