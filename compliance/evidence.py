"""This installation's evidence keys and the names of its logs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from cryptography import x509

from compliance.origin.signer import known as known_signers
from compliance.signing import SigningKeys, log_origin
from core.db import Lookup
from core.errors import ConfigurationError
from core.settings import settings


@cache
def signing_keys() -> SigningKeys:
    """Return the process's signing keys."""
    authorities()  # without them nobody could check the times that are asked for
    return replace(SigningKeys.load(settings().signing_path), timestamp_url=settings().timestamp_url)


@cache
def authorities() -> tuple[x509.Certificate, ...]:
    """Return the certificates that vouch for timestamp authorities, those of earlier ones included.

    Raises:
        ConfigurationError: an authority is named without them, or the file holds none.
    """
    path = settings().timestamp_certificates
    if path is None:
        if settings().timestamp_url:
            raise ConfigurationError(
                "Set HEADSHOTS_TIMESTAMP_CERTIFICATES too: without the authority's certificates nobody could check its times."
            )
        return ()
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path} (HEADSHOTS_TIMESTAMP_CERTIFICATES) holds no certificates in PEM."
        ) from error


def origin_of(org_id: UUID) -> str:
    """Return the name of an organization's log."""
    return log_origin(urlsplit(settings().base_url).netloc, org_id)


def published_keys(org_id: UUID) -> dict[str, Any]:
    """Return what an auditor of this organization downloads once and keeps."""
    return published_keys_of([org_id])


def published_keys_of(org_ids: Iterable[UUID]) -> dict[str, Any]:
    """Return the same for several organizations at once."""
    once = Lookup.signed_once(org_ids)
    origins = {origin_of(org_id): size + 1 if size else 0 for org_id, size in once.items()}
    return signing_keys().published_keys(origins, known_signers(), authorities())


def keys_address(org_id: UUID) -> str:
    """Return where an auditor downloads them; by id, since a printed address outlives a company's short name."""
    return f"{settings().base_url.rstrip('/')}/trust/{org_id}/keys.json"
