"""What must happen once only, kept in Redis: open sign-in requests and assertions already used.

A SAML response is posted by the identity provider's page, so it arrives cross-site and without our
`SameSite=Lax` session cookie. What was asked is therefore kept here under the request's id, and a cookie
of its own binds the browser (`sso.login`). Nothing here is about a person: slugs, paths and hashes.
Redis failing means no sign-in: `Unavailable`, never a skipped check.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from core import clock
from core.errors import Unavailable

REQUEST_LIFETIME = timedelta(minutes=10)  # long enough for a second factor, short enough to forget
# How far the identity provider's clock may be off, both ways and for every time in a message. Five minutes
# are what Kerberos, and so Active Directory, allows (RFC 4120 §3.1.3).
CLOCK_SKEW = timedelta(seconds=300)


@dataclass(frozen=True)
class PendingRequest:
    """A sign-in under way."""

    request_id: str
    return_path: str
    browser: str  # SHA-256, hex, of the cookie that the asking browser holds


class PendingRequests:
    """Open sign-in requests, each answered at most once and forgotten after `REQUEST_LIFETIME`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def remember(self, org: str, pending: PendingRequest) -> None:
        """Keep `pending` until it is answered or too old.

        Raises:
            Unavailable: Redis does not answer.
        """
        with _unavailable():
            self._redis.set(
                _request_key(org, pending.request_id), json.dumps(asdict(pending)), ex=REQUEST_LIFETIME
            )

    def take(self, org: str, request_id: str) -> PendingRequest | None:
        """Return and forget the request; None where it is unknown, used, too old or another company's.

        Raises:
            Unavailable: Redis does not answer.
        """
        with _unavailable():
            # redis-py types every answer as possibly awaitable; this client is not.
            kept: Any = self._redis.getdel(_request_key(org, request_id))
        return PendingRequest(**json.loads(kept)) if kept else None


class ReplayCache:
    """Messages already used, each remembered until it would be refused as expired anyway."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def first_use(self, idp_entity_id: str, message_id: str, expires: datetime) -> bool:
        """Mark the message as used; False where it was before. Atomic over all processes.

        Args:
            idp_entity_id: Who wrote it; ids of two identity providers may meet.
            message_id: The assertion's or logout request's `ID`.
            expires: End of the message's own validity.

        Raises:
            Unavailable: Redis does not answer.
        """
        seconds = max(1, int((expires - clock.now() + CLOCK_SKEW).total_seconds()) + 1)
        with _unavailable():
            return bool(self._redis.set(_used_key(idp_entity_id, message_id), b"1", nx=True, ex=seconds))


def _request_key(org: str, request_id: str) -> str:
    return f"sso:request:{org}:{_digest(request_id)}"


def _used_key(idp_entity_id: str, message_id: str) -> str:
    return f"sso:used:{_digest(idp_entity_id)}:{_digest(message_id)}"


def _digest(value: str) -> str:
    # An id from a message not yet verified may be of any length and content.
    return hashlib.sha256(value.encode("utf-8")).hexdigest()


@contextmanager
def _unavailable() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise Unavailable(
            "Signing in is not possible for the moment. Please try again in a minute."
        ) from error
