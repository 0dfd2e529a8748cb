"""The demo company: an organization that trusts the development identity provider."""

from __future__ import annotations

import json

from compliance.evidence import published_keys
from core.db import Lookup, transaction
from core.errors import ConfigurationError
from core.people import organizations
from core.settings import settings
from deploy.local.stack import COMPANY_NAME, COMPANY_SLUG
from sso import connections
from sso.devidp.app import dev_connection


def seed_demo() -> None:
    """Create the demo company and its trust in the development identity provider; a second call changes nothing.

    Raises:
        ConfigurationError: there is no development identity provider in this environment.
    """
    config = settings()
    if config.is_production or config.development_idp_path is None:
        raise ConfigurationError("The demo company needs the development identity provider.")
    org_id = Lookup.organization(COMPANY_SLUG) or organizations.create(
        COMPANY_SLUG, COMPANY_NAME, contact_email="privacy@northwind.example"
    )
    base_url = config.base_url.rstrip("/")
    # Again at each start, since the address and so the provider's name may have changed.
    with transaction(org_id) as session:
        connections.save(
            session,
            dev_connection(COMPANY_SLUG, base_url, f"{base_url}/devidp", config.development_idp_path),
        )
    # Beside the home's other folders, for `headshots verify` on this machine.
    published = config.signing_path.parent / "published-keys.json"
    published.write_text(json.dumps(published_keys(org_id), indent=2) + "\n")
