"""Which law a request is answered under, and where: the one place that the desk asks."""

from __future__ import annotations

from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from compliance.requests.clocks import Law, Place, countries
from core import audit
from core.errors import InvalidInput
from core.models import Member
from core.people import organizations
from core.regimes import AMERICAN, Regime
from core.words import N_


def regime_of(session: Session, member: Member | None) -> Regime:
    """Return the law of where who asks works; the company's for somebody who is not known."""
    return organizations.regime_for(session, member.place if member else None)


def law_of(regime: str) -> Law:
    """Return whose clock counts under a regime: in the United States California's, whose states have none nearer at hand."""
    if regime == Regime.SWISS:
        return Law.SWISS
    return Law.CCPA if regime in AMERICAN else Law.GDPR


def set_place(session: Session, country: str, zone: str, *, actor: audit.Actor) -> None:
    """Say where the session's company answers; what is owed already stays due when it was.

    Raises:
        InvalidInput: there is no such country or zone.
    """
    if (country and country not in countries()) or zone not in available_timezones():
        raise InvalidInput(N_("Choose a country and a time zone of the lists. Nothing was changed."))
    organization = organizations.current(session)
    if (organization.country, organization.time_zone) == (country, zone):
        return
    organization.country, organization.time_zone = country, zone
    audit.record(session, audit.Tag.PLACE_CHANGED, actor=actor, country=country, zone=zone)
    session.flush()


def place_of(session: Session) -> Place:
    """Return where the session's company answers."""
    organization = organizations.current(session)
    return Place(organization.country, organization.time_zone)
