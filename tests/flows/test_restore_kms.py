"""`headshots restore` of an installation whose epoch keys a key service holds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from conftest import add_member, forget_process_state
from erasing import erase
from moto import mock_aws
from moto.core.exceptions import JsonRESTError
from moto.kms.models import KmsBackend, kms_backends
from restores import back_up, good, main_of, move_to, run
from sealing import got, put
from sqlalchemy import select

from compliance import erasure
from compliance.log import sequencer
from core.db import transaction
from core.models import Kind, Member
from core.vault import KeyErased, aws_client, aws_kms, vault
from deploy.backup import postgres
from deploy.local.services import Databases, LocalServices

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

REGION = "eu-central-1"
URL = f"awskms:///?region={REGION}"
AWAY = f"{URL}&endpoint=http://127.0.0.1:9"


def demand_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the played service do what AWS does and it does not: refuse to decrypt with a key that is not enabled."""
    real = KmsBackend.decrypt

    def decrypt(self: Any, ciphertext_blob: bytes, encryption_context: dict[str, str], key_id: str) -> Any:
        if self.keys[self.any_id_to_key_id(key_id)].key_state != "Enabled":
            raise JsonRESTError("KMSInvalidStateException", f"{key_id} is pending deletion.")
        return real(self, ciphertext_blob, encryption_context, key_id)

    monkeypatch.setattr(KmsBackend, "decrypt", decrypt)


@pytest.fixture
def aws(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An installation whose epoch keys AWS KMS holds, played in this process; yields its keys by id."""
    monkeypatch.setattr(aws_kms, "LOOK_EVERY", timedelta())
    aws_client._client.cache_clear()
    demand_enabled(monkeypatch)
    with mock_aws():
        move_to({"HEADSHOTS_KMS_URL": URL}, monkeypatch)
        erasure.turn_epoch()
        forget_process_state()
        yield kms_backends["123456789012"][REGION].keys
    aws_client._client.cache_clear()


def photo(org: UUID, member: Member) -> UUID:
    with transaction(org) as session:
        content = member.first_name.encode()
        return put(session, content, kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id).id


def test_a_lost_database_comes_back_without_whoever_was_erased_since(
    aws: Any,
    org: UUID,
    member: Member,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    grace = add_member(org, "Grace")
    photo(org, member)
    theirs = photo(org, grace)
    folder = back_up(tmp_path, "--objects")
    erase(org, member.id)
    erasure.turn_epoch()
    move_to(main_of(services, empty), monkeypatch)
    assert good("restore", str(folder))["erased_again"] == 1
    with transaction(org) as session:
        assert got(session, theirs) == b"Grace"
        assert session.scalars(select(Member.first_name).where(Member.id == member.id)).one() is None
    with pytest.raises(KeyErased):
        vault().keys.data_key(member.id)
    sequencer.sequence_all()
    assert run("drill", "check").exit_code == 0


def test_a_lost_key_store_comes_back_while_the_service_has_its_key_and_never_after(
    aws: Any,
    org: UUID,
    member: Member,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mine = photo(org, member)
    folder = back_up(tmp_path)
    elsewhere = services.environment(empty)

    # Away: nothing can be looked at, so nothing stays, and the next try finds empty places.
    aws_client._client.cache_clear()
    move_to(elsewhere | {"HEADSHOTS_KMS_URL": AWAY}, monkeypatch)
    assert run("restore", str(folder), "--key-store").exit_code != 0
    assert postgres.is_empty(empty.keys)
    assert postgres.is_empty(empty.owner)

    aws_client._client.cache_clear()
    move_to({"HEADSHOTS_KMS_URL": URL}, monkeypatch)
    good("restore", str(folder), "--key-store")
    with transaction(org) as session:
        assert got(session, mine) == b"Ada"

    # Turned since: the service has disabled the key that the backup's key store rests on.
    erasure.turn_epoch()
    later = services.fresh_databases("later")
    move_to(services.environment(later), monkeypatch)
    dead = run("restore", str(folder), "--key-store")
    assert dead.exit_code == 2
    assert "was not restored" in dead.stderr
    assert postgres.is_empty(later.keys)
    forget_process_state()
    services.drop_databases(later)
