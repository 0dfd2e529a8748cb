"""Certificates beside the keys: kept right after their commit, and again every hour, should the key store have been away."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from core.clock import now
from core.db import Lookup, transaction
from core.logs import logger
from core.models import Certificate, Erasure
from core.settings import settings
from core.vault import vault
from core.vault.kept import Kept

MARGIN = timedelta(days=2)  # a backup that is due to be removed may lie there a little longer
AT_ONCE = 20  # certificates in memory


def keep_after_commit(session: Session, row: Certificate, erasure: Erasure) -> None:
    """Keep a certificate beside the keys as soon as the transaction that stores it has ended well."""
    kept = _kept(row, erasure)

    @event.listens_for(session, "after_commit", once=True)
    def keep(_: Session) -> None:
        try:
            vault().keys.certificates.keep(kept)
        except Exception as error:  # noqa: BLE001 - the certificate stands; the next hour keeps it
            logger().error("certificate_not_kept", certificate=str(kept.id), exc_info=error)


def keep_all() -> None:
    """Keep what the hook missed, and forget what every backup that can be restored has."""
    since = now() - timedelta(days=settings().backup_days) - MARGIN
    for org_id in Lookup.organizations():
        there = vault().keys.certificates.ids(org_id)
        with transaction(org_id) as session:
            missing = sorted(
                set(session.scalars(select(Certificate.id).where(Certificate.created_at >= since))) - there
            )
        for start in range(0, len(missing), AT_ONCE):
            with transaction(org_id) as session:
                rows = session.execute(
                    select(Certificate, Erasure)
                    .join(Erasure, Erasure.id == Certificate.erasure_id)
                    .where(Certificate.id.in_(missing[start : start + AT_ONCE]))
                )
                found = [_kept(row, erasure) for row, erasure in rows]
            for one in found:
                vault().keys.certificates.keep(one)
    vault().keys.certificates.forget_before(since)


def _kept(row: Certificate, erasure: Erasure) -> Kept:
    return Kept(row.id, row.org_id, erasure.id, erasure.receipt_sha256, row.status, row.created_at, row.pdf)
