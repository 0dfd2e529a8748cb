"""Creating and reading organizations."""

from __future__ import annotations

import re
from uuid import UUID

from sqlalchemy.orm import Session

from core import audit, formal
from core.db import organization_of, transaction
from core.errors import InvalidInput
from core.ids import new_id
from core.models import Organization
from core.regimes import Regime, regime_of
from core.settings import settings
from core.vault import vault

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


def spoken(session: Session, language: str) -> str:
    """Return the tag of how the session's company speaks to somebody in `language`; see `core.formal`."""
    return formal.spoken(language, formal=current(session).formal_german)


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
