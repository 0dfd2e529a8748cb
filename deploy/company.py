"""Companies: created with the identity provider that they trust."""

from __future__ import annotations

from core.db import Lookup, transaction
from core.errors import InvalidInput
from core.people import organizations
from core.settings import settings
from core.vault import vault
from sso import connections
from sso.metadata import connection_from_metadata


def create_company(
    slug: str,
    name: str,
    contact: str,
    idp_metadata: bytes,
    *,
    admin_groups: frozenset[str],
    auditor_groups: frozenset[str],
) -> str:
    """Create a company that trusts the identity provider described by `idp_metadata`; return its sign-in address.

    Raises:
        InvalidInput: the slug cannot stand in an address, is taken, or the metadata is not usable.
    """
    if Lookup.organization(slug) is not None:
        raise InvalidInput(f"There is a company called {slug} already.")
    connection = connection_from_metadata(
        slug, settings().base_url, idp_metadata, admin_groups, auditor_groups
    )
    vault().keys.create_tables()
    org_id = organizations.create(slug, name, contact_email=contact)
    with transaction(org_id) as session:
        connections.save(session, connection)
    return f"{settings().base_url.rstrip('/')}/sso/{slug}/login"
