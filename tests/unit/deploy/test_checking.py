"""What `headshots drill check` opens."""

from __future__ import annotations

from uuid import UUID

import pytest

from core.db import transaction
from core.models import Kind, Member
from core.vault import Held, Vault, vault
from deploy.backup import checking


@pytest.fixture
def photo(org: UUID, member: Member) -> Held:
    sealed = vault().seal(org, b"x", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
    with transaction(org) as session:
        return vault().find(session, vault().keep(session, sealed).id)


def test_an_object_that_is_lost_is_a_fault(photo: Held) -> None:
    assert checking.check().opened == 1
    vault().store.delete(photo.object_name)
    found = checking.check()
    assert found.opened == 0
    assert f"object of artifact {photo.id} cannot be opened: ArtifactGone" in found.problems


def test_an_object_that_is_deleted_while_the_check_goes_on_is_none(
    org: UUID, photo: Held, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Vault.open

    def deleted_before(self: Vault, held: Held) -> bytes:
        with transaction(org) as session:
            self.delete(session, [held.id])
        self.store.delete(held.object_name)
        return real(self, held)

    monkeypatch.setattr(Vault, "open", deleted_before)
    found = checking.check()
    assert (found.opened, found.problems) == (0, [])
