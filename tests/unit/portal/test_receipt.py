"""The page that a receipt opens shows the final certificate, however close it follows the first."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from uuid import UUID

import pytest
from erasing import erase
from work import do_all_work

from compliance import erasure, opening
from compliance.certificate import issuing
from core.clock import now
from core.models import Member
from core.vault import vault
from portal.app import create_app

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def test_of_two_certificates_of_one_second_the_final_one_counts(
    org: UUID, member: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Certificates tell times to the second, and a turn may follow an erasure at once."""
    moment = now() + timedelta(minutes=1)  # after all of it
    monkeypatch.setattr(issuing, "now", lambda: moment)
    receipt = erase(org, member.id).receipt
    erasure.turn_epoch()
    do_all_work()
    page = create_app().test_client().get(f"/erased/{receipt}.json")
    assert page.json["status"] == "COMPLETE"
    hashed = hashlib.sha256(opening.split(receipt)[0].encode()).digest()
    kept = vault().keys.certificates.of_receipt(hashed)
    assert kept is not None
    assert kept.status == "COMPLETE"
