"""The versions of what a company states: the one that counts, a new one, and what came before."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.privacy.facts import PrivacyFacts
from core import audit
from core.brand import brands
from core.clock import now
from core.db import organization_of
from core.errors import Conflict
from core.ids import new_id
from core.models import Organization, PrivacyVersion
from core.people import organizations
from core.words import N_


class PublishedMeanwhile(Conflict):
    """Somebody else put another version live since the form was opened."""

    code = "published_meanwhile"


@dataclass(frozen=True)
class Live:
    """What counts now.

    Attributes:
        version: its number; 0 where nothing was ever put live on the page Privacy.
        since: since when; `None` for version 0.
        facts: what is stated.
    """

    version: int
    since: datetime | None
    facts: PrivacyFacts


@dataclass(frozen=True)
class Step:
    """One version of the history, with the names of what it states differently from the one before."""

    version: int
    at: datetime
    changed: tuple[str, ...]


def live(session: Session) -> Live:
    """Return what the session's company states now.

    Name, address and contact are read where certificates and letters read them, so both never differ.
    """
    return _live(organizations.current(session), _newest(session))


def publish(session: Session, facts: PrivacyFacts, *, base: int, actor: audit.Actor) -> Live:
    """Put another version live; the same facts again change nothing.

    Args:
        session: bound to the company.
        facts: all of what it states from now on.
        base: the version that was live when they were written down.
        actor: who does it.

    Raises:
        PublishedMeanwhile: another version is live by now; nothing was changed.
    """
    organization = organizations.current(session)
    session.refresh(organization, with_for_update={"key_share": True})
    before = _live(organization, _newest(session))
    if before.version != base:
        raise PublishedMeanwhile(
            N_(
                "Version %(version)s was put live in the meantime. Nothing was changed: open the page again and compare."
            ),
            version=before.version,
        )
    changed = facts.unlike(before.facts)
    if not changed:
        return before
    brands.name_entity(session, legal_name=facts.legal_name, postal_address=facts.postal_address, actor=actor)
    organization.contact_email = facts.contact_email
    row = PrivacyVersion(
        id=new_id(),
        org_id=organization_of(session),
        created_at=now(),
        version=before.version + 1,
        facts=json.loads(facts.canonical()),
        facts_sha256=facts.sha256,
    )
    session.add(row)
    audit.record(
        session,
        audit.Tag.PRIVACY_CHANGED,
        actor=actor,
        version=row.version,
        changed=", ".join(changed),
        facts_sha256=row.facts_sha256,
    )
    session.flush()
    return Live(row.version, row.created_at, facts)


def history(session: Session) -> list[Step]:
    """Return the versions, the newest first."""
    rows = session.scalars(select(PrivacyVersion).order_by(PrivacyVersion.version)).all()
    steps, before = [], PrivacyFacts()
    for row in rows:
        facts = PrivacyFacts.model_validate(row.facts)
        steps.append(Step(row.version, row.created_at, tuple(facts.unlike(before))))
        before = facts
    return steps[::-1]


def _newest(session: Session) -> PrivacyVersion | None:
    return session.scalars(select(PrivacyVersion).order_by(PrivacyVersion.version.desc()).limit(1)).first()


def _live(organization: Organization, row: PrivacyVersion | None) -> Live:
    stated = PrivacyFacts.model_validate(row.facts) if row is not None else PrivacyFacts()
    facts = stated.model_copy(
        update={
            "legal_name": organization.legal_name,
            "postal_address": organization.postal_address,
            "contact_email": organization.contact_email,
        }
    )
    return Live(row.version if row else 0, row.created_at if row else None, facts)
