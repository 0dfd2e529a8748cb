"""The ledger of consents that were taken back: keyed hashes beside the ledger of erasures, in the key store."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Engine, String, any_, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.vault.key_tables import WithdrawnConsent


class Withdrawals:
    """Notes who took back what and when, under hashes that say neither.

    Args:
        engine: the key store's database.
        key: secret under which owners and purposes are hashed.
    """

    def __init__(self, engine: Engine, key: bytes) -> None:
        self._engine = engine
        self._key = key

    def _hash(self, owner_id: UUID, purpose: str) -> str:
        return hmac.new(self._key, owner_id.bytes + purpose.encode(), hashlib.sha256).hexdigest()

    def note(self, owner_id: UUID, purpose: str, at: datetime) -> None:
        """Note that the owner took a consent back; an earlier time than what is noted changes nothing."""
        noted = insert(WithdrawnConsent).values(consent_hash=self._hash(owner_id, purpose), withdrawn_at=at)
        with Session(self._engine) as session, session.begin():
            session.execute(
                noted.on_conflict_do_update(
                    index_elements=[WithdrawnConsent.consent_hash],
                    set_={"withdrawn_at": noted.excluded.withdrawn_at},
                    where=WithdrawnConsent.withdrawn_at < noted.excluded.withdrawn_at,
                )
            )

    def among(self, asked: Iterable[tuple[UUID, str]]) -> dict[tuple[UUID, str], datetime]:
        """Return which of these owners' purposes were ever taken back, and when last."""
        by_hash = {self._hash(*one): one for one in asked}
        if not by_hash:
            return {}
        wanted = WithdrawnConsent.consent_hash == any_(literal(list(by_hash), ARRAY(String)))
        with Session(self._engine) as session:
            found = session.execute(
                select(WithdrawnConsent.consent_hash, WithdrawnConsent.withdrawn_at).where(wanted)
            )
            return {by_hash[value]: at for value, at in found}
