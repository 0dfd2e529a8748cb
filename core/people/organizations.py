"""Creating and reading organizations."""

from __future__ import annotations

import re
import zoneinfo
from uuid import UUID

from sqlalchemy.orm import Session

from core import audit
from core.db import organization_of, transaction
from core.errors import InvalidInput
from core.ids import new_id
from core.models import Organization
from core.people import places
from core.regimes import Regime, regime_of
from core.settings import settings
from core.vault import vault
from core.words import N_

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def create(slug: str, name: str, *, contact_email: str = "", language: str = "en") -> UUID:
    """Create an organization with its own key for brand assets; return its id.

    Raises:
        InvalidInput: the slug cannot stand in an address, the name is empty, or a value too long.
    """
    if not SLUG.fullmatch(slug):
        raise InvalidInput("Use small letters, digits and hyphens for the short name, e.g. acme-labs.")
    if not name.strip():
        raise InvalidInput("Please give the company's name.")
    org_id = new_id()
    made = Organization(
        id=org_id,
        slug=slug,
        name=name,
        contact_email=contact_email,
        language=language,
        retention_days=settings().retention_days,
    )
    vault().keys.create([org_id])
    with transaction(org_id) as session:
        session.add(made)
        session.flush()
        audit.record(session, audit.Tag.ORGANIZATION_CREATED, actor=audit.SYSTEM)
    return org_id


def current(session: Session) -> Organization:
    """Return the session's organization."""
    return session.get_one(Organization, organization_of(session))


def settle(session: Session, *, country: str, time_zone: str, actor: audit.Actor) -> None:
    """Say where the company is: by that its days and public holidays count.

    Args:
        session: bound to the organization.
        country: an ISO 3166 code such as `DE`; empty to say nothing.
        time_zone: as the IANA names it, such as `Europe/Berlin`.
        actor: who says so.

    Raises:
        InvalidInput: there is no such country or time zone; nothing was changed.
    """
    if country and (len(country) != 2 or places.code(country) != country):
        raise InvalidInput(
            N_("There is no country “%(country)s”. Give its code, such as DE. Nothing was changed."),
            country=country[:40],
        )
    if time_zone not in zoneinfo.available_timezones():
        raise InvalidInput(
            N_(
                "There is no time zone “%(zone)s”. Give it as the IANA names it, such as Europe/Berlin. "
                "Nothing was changed."
            ),
            zone=time_zone[:64],
        )
    organization = current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    if (organization.country, organization.time_zone) == (country, time_zone):
        return
    organization.country, organization.time_zone = country, time_zone
    audit.record(session, audit.Tag.ORGANIZATION_SETTLED, actor=actor, country=country, time_zone=time_zone)
    session.flush()


def choose_regime(session: Session, regime: Regime, *, actor: audit.Actor) -> None:
    """Say whose law's words count for people of whom nobody knows where they work."""
    organization = current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    if organization.regime == regime:
        return
    audit.record(
        session,
        audit.Tag.REGIME_CHANGED,
        actor=actor,
        before=organization.regime,
        after=regime.value,
    )
    organization.regime = regime
    session.flush()


def regime_for(session: Session, place: str | None) -> Regime:
    """Return whose law's words count for somebody of the session's organization who works there."""
    return regime_of(place, Regime(current(session).regime))
