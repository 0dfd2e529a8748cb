"""The ledger of consents that were taken back: keyed hashes beside the ledger of erasures, in the key store."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, Engine, String, any_, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.vault.key_tables import WithdrawnConsent


class Withdrawals:
    """Notes which consents were taken back, under hashes that do not say which.

    Each consent is noted by itself. Whether one stands that somebody gave later is never a matter of times: two
    hosts' clocks do not agree on what is later.

    Args:
        engine: the key store's database.
        key: secret under which consents are hashed.
    """

    def __init__(self, engine: Engine, key: bytes) -> None:
        self._engine = engine
        self._key = key

    def hash(self, consent_id: UUID) -> str:
        """Return the keyed hash under which the ledger knows a consent."""
        return hmac.new(self._key, b"consent" + consent_id.bytes, hashlib.sha256).hexdigest()

    def note(self, consent_ids: Collection[UUID], at: datetime) -> None:
        """Note that these consents were taken back; noting one again changes nothing."""
        if not consent_ids:
            return
        rows = [{"consent_hash": self.hash(one), "withdrawn_at": at} for one in consent_ids]
        with Session(self._engine) as session, session.begin():
            session.execute(insert(WithdrawnConsent).values(rows).on_conflict_do_nothing())

    def since(self, since: datetime) -> set[str]:
        """Return the hashes of what was taken back at `since` or later."""
        with Session(self._engine) as session:
            lately = WithdrawnConsent.withdrawn_at >= since
            return set(session.scalars(select(WithdrawnConsent.consent_hash).where(lately)))

    def among(self, consent_ids: Collection[UUID]) -> set[UUID]:
        """Return which of these consents were taken back."""
        by_hash = {self.hash(one): one for one in consent_ids}
        if not by_hash:
            return set()
        wanted = WithdrawnConsent.consent_hash == any_(literal(list(by_hash), ARRAY(String)))
        with Session(self._engine) as session:
            return {
                by_hash[found]
                for found in session.scalars(select(WithdrawnConsent.consent_hash).where(wanted))
            }
