"""Which law a request is answered under, and where: the one place that the desk asks."""

from __future__ import annotations

from sqlalchemy.orm import Session

from compliance.consent.texts import Regime
from compliance.requests.clocks import Law, Place
from core.models import Member
from core.people import organizations


def regime_of(session: Session, member: Member | None) -> Regime:  # noqa: ARG001 - each person's own follows
    """Return the law of who asks; the company's, also for somebody who is not known."""
    return Regime(organizations.current(session).regime)


def law_of(regime: str) -> Law:
    """Return whose clock counts under a regime: Illinois has none of its own, and California's is the stricter at hand."""
    return Law.GDPR if regime == Regime.GDPR else Law.CCPA


def place_of(session: Session) -> Place:
    """Return where the session's company answers."""
    organization = organizations.current(session)
    return Place(organization.country, organization.time_zone)
