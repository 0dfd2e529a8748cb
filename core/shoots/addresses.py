"""Addresses in mails that prove themselves: they sign nobody in, need no row and outlive every link."""

from __future__ import annotations

import hashlib
import hmac
from typing import Final
from uuid import UUID

from core import tokens
from core.vault import derive

# Of HMAC-SHA256; the shortest that NIST SP 800-107 §5.3.4 has for messages of any kind is 8.
_PROOF_BYTES: Final = 16
_TOKEN_BYTES: Final = 2 * 16 + _PROOF_BYTES


def token_of(purpose: str, org_id: UUID, subject_id: UUID) -> str:
    """Return the token that stands for a row of an organization, for this purpose and no other."""
    who = org_id.bytes + subject_id.bytes
    return tokens.encode(who + _proof(purpose, who))


def find(purpose: str, token: str) -> tuple[UUID, UUID] | None:
    """Return the organization and the row that `token` stands for; `None` if we never made it."""
    content = tokens.decode(token)
    if content is None:
        return None
    who, proof = content[:32], content[32:]
    if len(content) != _TOKEN_BYTES or not hmac.compare_digest(proof, _proof(purpose, who)):
        return None
    return UUID(bytes=who[:16]), UUID(bytes=who[16:])


def _proof(purpose: str, who: bytes) -> bytes:
    return hmac.new(derive(purpose), who, hashlib.sha256).digest()[:_PROOF_BYTES]
