"""Sealing what somebody typed under a release, and opening it: AES-256-GCM under their key, bound to the row it lies in."""

from __future__ import annotations

from uuid import UUID

from core.vault.crypto import open_sealed, seal
from core.vault.vault import vault


def sealed(member_id: UUID, consent_id: UUID, said: bytes) -> bytes:
    """Return it under the person's key.

    Raises:
        KeyErased: the person has been erased.
    """
    return seal(vault().keys.data_key(member_id), said, _associated(member_id, consent_id))


def opened(member_id: UUID, consent_id: UUID, content: bytes) -> bytes:
    """Return what `sealed` sealed.

    Raises:
        KeyErased: the person has been erased.
        CannotOpen: it is another row's, or was changed.
    """
    return open_sealed(vault().keys.data_key(member_id), content, _associated(member_id, consent_id))


def _associated(member_id: UUID, consent_id: UUID) -> bytes:
    return member_id.bytes + consent_id.bytes + b"consents"
