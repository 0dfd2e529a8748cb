"""Which law a request is answered under, and where: the one place that the desk asks."""

from __future__ import annotations

from zoneinfo import available_timezones

from sqlalchemy.orm import Session

from compliance.consent.texts import Regime
from compliance.requests.clocks import Law, Place, countries
from core import audit
from core.errors import InvalidInput
from core.models import Member
from core.people import organizations
from core.words import N_


def regime_of(session: Session, member: Member | None) -> Regime:  # noqa: ARG001 - each person's own follows
    """Return the law of who asks; the company's, also for somebody who is not known."""
    return Regime(organizations.current(session).regime)


def law_of(regime: str) -> Law:
    """Return whose clock counts under a regime: Illinois has none of its own, and California's is the stricter at hand."""
    return Law.GDPR if regime == Regime.GDPR else Law.CCPA


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


def place_of(session: Session) -> Place:
    """Return where the session's company answers."""
    organization = organizations.current(session)
    return Place(organization.country, organization.time_zone)
