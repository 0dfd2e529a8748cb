"""Deletion certificates, kept beside the keys as long as a backup from before them can be restored.

They name nobody, and whoever was given one finds it again although the main database has gone back in time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from core.vault.key_tables import KeptCertificate


@dataclass(frozen=True)
class Kept:
    """A certificate as it was handed out; `receipt_sha256` is the hash of the secret in its person's link."""

    id: UUID
    org_id: UUID
    erasure_id: UUID
    receipt_sha256: bytes
    status: str
    created_at: datetime
    pdf: bytes


class KeptCertificates:
    """Keeps certificates.

    Args:
        engine: the key store's database.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def keep(self, one: Kept) -> None:
        """Keep a certificate; one that is kept already stays as it is."""
        with Session(self._engine) as session, session.begin():
            session.execute(insert(KeptCertificate).values(vars(one)).on_conflict_do_nothing())

    def find(self, org_id: UUID, certificate_id: UUID) -> Kept | None:
        """Return a company's certificate."""
        return self._first(KeptCertificate.id == certificate_id, KeptCertificate.org_id == org_id)

    def of_receipt(self, receipt_sha256: bytes) -> Kept | None:
        """Return the newest certificate that a hashed receipt leads to."""
        return self._first(KeptCertificate.receipt_sha256 == receipt_sha256)

    def ids(self, org_id: UUID) -> set[UUID]:
        """Return which of a company's certificates are kept."""
        with Session(self._engine) as session:
            return set(session.scalars(select(KeptCertificate.id).where(KeptCertificate.org_id == org_id)))

    def without(self, org_id: UUID, known: Collection[UUID], most: int) -> list[tuple[UUID, datetime, str]]:
        """Return (id, time, status) of a company's newest certificates that are none of `known`."""
        rows = (
            select(KeptCertificate.id, KeptCertificate.created_at, KeptCertificate.status)
            .where(KeptCertificate.org_id == org_id)
            .order_by(KeptCertificate.created_at.desc())
        )
        with Session(self._engine) as session:
            return [
                (row.id, row.created_at, row.status) for row in session.execute(rows) if row.id not in known
            ][:most]

    def forget_before(self, moment: datetime) -> None:
        """Forget certificates that every backup which can be restored has."""
        with Session(self._engine) as session, session.begin():
            session.execute(delete(KeptCertificate).where(KeptCertificate.created_at < moment))

    def _first(self, *conditions: ColumnElement[bool]) -> Kept | None:
        newest = (
            select(KeptCertificate)
            .where(*conditions)
            # Of one second, which is as exact as a certificate's time is, the final one is the newer.
            .order_by(KeptCertificate.created_at.desc(), (KeptCertificate.status == "COMPLETE").desc())
            .limit(1)
        )
        with Session(self._engine) as session:
            row = session.scalar(newest)
            if row is None:
                return None
            return Kept(
                row.id, row.org_id, row.erasure_id, row.receipt_sha256, row.status, row.created_at, row.pdf
            )
