"""Certificates beside the keys: what the hook missed is kept within the hour, and forgotten when no backup lacks it."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from conftest import forget_process_state
from erasing import erase
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from compliance.certificate import keeping
from core.db import transaction
from core.models import Certificate, Member
from core.vault import vault
from core.vault.key_tables import KeptCertificate


def test_each_certificate_is_kept_once_and_forgotten_in_time(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    erase(org, member.id)
    with transaction(org) as session:
        (row,) = session.scalars(select(Certificate))
    kept = vault().keys.certificates.find(org, row.id)
    assert kept is not None
    assert (kept.pdf, kept.erasure_id) == (row.pdf, row.erasure_id)

    with Session(vault().keys._engine) as session, session.begin():  # as if the key store had been away
        session.execute(delete(KeptCertificate))
    keeping.keep_all()
    keeping.keep_all()
    assert vault().keys.certificates.ids(org) == {row.id}
    other = UUID(int=1)
    assert vault().keys.certificates.find(other, row.id) is None

    monkeypatch.setenv("HEADSHOTS_BACKUP_DAYS", "0")
    forget_process_state()
    monkeypatch.setattr(keeping, "MARGIN", -timedelta(seconds=5))
    keeping.keep_all()
    assert vault().keys.certificates.ids(org) == set()
