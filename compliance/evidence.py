"""This installation's evidence keys and the names of its logs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from compliance.origin.signer import known as known_signers
from compliance.signing import SigningKeys, log_origin
from core.settings import settings


@cache
def signing_keys() -> SigningKeys:
    """Return the process's signing keys."""
    return SigningKeys.load(settings().signing_path)


def origin_of(org_id: UUID) -> str:
    """Return the name of an organization's log."""
    return log_origin(urlsplit(settings().base_url).netloc, org_id)


def published_keys(org_id: UUID) -> dict[str, Any]:
    """Return what an auditor of this organization downloads once and keeps."""
    return published_keys_of([org_id])


def published_keys_of(org_ids: Iterable[UUID]) -> dict[str, Any]:
    """Return the same for several organizations at once."""
    return signing_keys().published_keys([origin_of(org_id) for org_id in org_ids], known_signers())


def keys_address(org_id: UUID) -> str:
    """Return where an auditor downloads them; by id, since a printed address outlives a company's short name."""
    return f"{settings().base_url.rstrip('/')}/trust/{org_id}/keys.json"
