"""Which law a request is answered under, and where: the one place that the desk asks."""

from __future__ import annotations

from sqlalchemy.orm import Session

from compliance.requests.clocks import Law, Place
from core.models import Member
from core.people import organizations
from core.regimes import AMERICAN, Regime


def regime_of(session: Session, member: Member | None) -> Regime:
    """Return the law of where who asks works; the company's for somebody who is not known."""
    return organizations.regime_for(session, member.place if member else None)


def law_of(regime: str) -> Law:
    """Return whose clock counts under a regime: in the United States California's, whose states have none nearer at hand."""
    return Law.CCPA if regime in AMERICAN else Law.GDPR


def place_of(session: Session) -> Place:
    """Return where the session's company answers."""
    organization = organizations.current(session)
    return Place(organization.country, organization.time_zone)
