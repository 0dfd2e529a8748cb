"""The vault: one door, sealed bytes, keys that die."""

from __future__ import annotations

from uuid import UUID

import pytest
import sealing
from conftest import add_member
from sqlalchemy import select

from core.clock import now
from core.db import InsideTransaction, transaction
from core.ids import new_id
from core.models import Artifact, Kind, Member, Outbox
from core.queue import JobName
from core.vault import ArtifactGone, KeyErased, Marked, vault
from core.vault import keys as keys_module
from core.vault.crypto import CannotOpen, new_key, open_sealed, seal
from core.vault.kms import EpochKeyGone


def put(org: UUID, member: Member, content: bytes = b"a face") -> UUID:
    with transaction(org) as session:
        return sealing.put(session, content, kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id).id


def test_what_was_put_can_be_read(org: UUID, member: Member) -> None:
    artifact_id = put(org, member)
    with transaction(org) as session:
        assert sealing.got(session, artifact_id) == b"a face"


def test_stored_object_says_nothing(org: UUID, member: Member) -> None:
    put(org, member)
    ((name, _),) = vault().store.names()
    assert str(member.id) not in name
    assert b"a face" not in vault().store.get(name)


@pytest.mark.parametrize("position", [0, 1, 12, 13, -1])
def test_a_changed_byte_cannot_be_opened(position: int) -> None:
    key = new_key()
    sealed = bytearray(seal(key, b"secret", b"who and what"))
    sealed[position] ^= 1
    with pytest.raises(CannotOpen):
        open_sealed(key, bytes(sealed), b"who and what")


def test_bytes_of_one_person_do_not_open_as_anothers(org: UUID, member: Member) -> None:
    mine, theirs = put(org, member), put(org, add_member(org, "Bob"), b"another face")
    with transaction(org) as session:
        one, other = session.get_one(Artifact, mine), session.get_one(Artifact, theirs)
    vault().store.put(one.object_name, vault().store.get(other.object_name))
    with transaction(org) as session, pytest.raises(CannotOpen):
        sealing.got(session, mine)


@pytest.mark.parametrize("kind", [Kind.PHOTO, Kind.HEADSHOT])
@pytest.mark.parametrize("owner", ["person", "company"])
def test_bytes_of_one_artifact_do_not_open_as_another_of_the_same_owner(
    org: UUID, member: Member, owner: str, kind: Kind
) -> None:
    """Whoever can write to the storage can neither swap two pictures nor pass one off as something else."""
    owner_id = member.id if owner == "person" else None
    with transaction(org) as session:
        one, other = (
            sealing.put(session, content, kind=what, media_type="image/jpeg", member_id=owner_id)
            for content, what in ((b"approved", Kind.HEADSHOT), (b"withheld", kind))
        )
    vault().store.put(one.object_name, vault().store.get(other.object_name))
    with transaction(org) as session, pytest.raises(CannotOpen):
        sealing.got(session, one.id)


def test_a_row_that_claims_another_kind_opens_nothing(org: UUID, member: Member) -> None:
    artifact_id = put(org, member)
    with transaction(org) as session:
        session.get_one(Artifact, artifact_id).kind = Kind.HEADSHOT
        with pytest.raises(CannotOpen):
            sealing.got(session, artifact_id)


def test_the_storage_is_not_asked_while_a_transaction_is_open(org: UUID, member: Member) -> None:
    artifact_id = put(org, member)
    with transaction(org) as session:
        held = vault().find(session, artifact_id)
        for ask in (
            lambda: vault().open(held),
            lambda: vault().seal(org, b"x", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id),
            lambda: vault().remove([Marked(artifact_id, held.object_name)]),
            lambda: list(vault().store.names()),
        ):
            with pytest.raises(InsideTransaction):
                ask()
    assert vault().open(held) == b"a face"


def test_what_was_sealed_for_somebody_who_is_erased_meanwhile_is_not_kept(org: UUID, member: Member) -> None:
    sealed = vault().seal(org, b"x", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
    with transaction(org) as session:
        session.get_one(Member, member.id).erased_at = now()
    with transaction(org) as session:
        with pytest.raises(KeyErased):
            vault().keep(session, sealed)
        assert session.scalars(select(Artifact)).all() == []


def test_destroyed_key_makes_everything_unreadable_at_once(org: UUID, member: Member) -> None:
    artifact_id = put(org, member)
    vault().keys.destroy(member.id)
    with transaction(org) as session, pytest.raises(KeyErased):
        sealing.got(session, artifact_id)
    with pytest.raises(KeyErased):
        vault().keys.create([member.id])


def test_requested_deletion_is_unreadable_before_the_purge(org: UUID, member: Member) -> None:
    artifact_id = put(org, member)
    with transaction(org) as session:
        vault().delete(session, [artifact_id])
    with transaction(org) as session, pytest.raises(ArtifactGone):
        sealing.got(session, artifact_id)


def test_own_key_of_what_is_deleted_is_gone_before_the_purge_and_stays_where_nothing_was_deleted(
    org: UUID, member: Member
) -> None:
    """A restore in between forgets the purge, and nothing but the key is left to tell."""
    with transaction(org) as session:
        one = sealing.put(session, b"face", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id)
        held = vault().find(session, one.id)

    def fail() -> None:
        with transaction(org) as session:
            vault().delete(session, [one.id])
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert vault().open(held) == b"face"
    with transaction(org) as session:
        vault().delete(session, [one.id])
    assert vault().store.exists(held.object_name)
    with pytest.raises(KeyErased):
        vault().open(held)


def test_deletion_owes_one_purge_a_person_and_one_a_brand_asset(org: UUID, member: Member) -> None:
    faces = [put(org, member), put(org, member, b"another")]
    with transaction(org) as session:
        logos = [
            sealing.put(session, b"logo", kind=Kind.LOGO, media_type="image/png", member_id=None).id
            for _ in range(2)
        ]
    for _ in range(2):  # what is being deleted already owes nothing more
        with transaction(org) as session:
            vault().delete(session, [*faces, *logos])
            vault().delete(session, [])
    with transaction(org) as session:
        owed = session.scalars(select(Outbox.subject_id).where(Outbox.job == JobName.PURGE)).all()
    assert sorted(owed) == sorted([member.id, *logos])


def test_another_organization_cannot_read_an_artifact(org: UUID, member: Member) -> None:
    from core.people import organizations

    artifact_id = put(org, member)
    other = organizations.create("globex", "Globex")
    with transaction(other) as session:
        assert session.scalar(select(Artifact).where(Artifact.id == artifact_id)) is None
        with pytest.raises(ArtifactGone):
            sealing.got(session, artifact_id)


def test_turned_epoch_keeps_survivors_and_kills_old_copies(org: UUID, member: Member) -> None:
    from sqlalchemy.orm import Session

    from core.vault.keys import DataKey

    artifact_id = put(org, member)
    keys = vault().keys
    with Session(keys._engine) as session:
        backup = session.get_one(DataKey, member.id)
        session.expunge(backup)
    turn = keys.turn_epoch()
    assert turn.rewrapped == 3  # the organization's, the member's and the photo's
    with transaction(org) as session:
        assert sealing.got(session, artifact_id) == b"a face"
    with pytest.raises(EpochKeyGone):
        keys._kms.unwrap(backup.epoch, backup.wrapped, keys._associated(member.id))


def test_keys_are_made_and_destroyed_while_the_epoch_turns_and_none_is_lost(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = vault().keys
    monkeypatch.setattr(keys_module, "REWRAPPED_AT_ONCE", 3)
    before = keys.create([new_id() for _ in range(12)])
    gone = next(iter(before))
    rewrap, made = keys._rewrap, {}

    def between() -> int:
        moved = rewrap()
        made.update(keys.create([new_id()]))
        if len(made) == 1:
            keys.destroy(gone)
        return moved

    monkeypatch.setattr(keys, "_rewrap", between)
    turn = keys.turn_epoch()
    assert turn.rewrapped in (12, 13), "the company's as well; the destroyed one moved first or not at all"
    monkeypatch.undo()
    for owner, key in {**before, **made}.items():
        if owner != gone:
            assert keys.data_key(owner) == key
    assert not keys.exists(gone)
    assert keys.epoch_destroyed_at(turn.closed) is not None


def test_an_epoch_that_a_crash_left_half_turned_is_finished_later(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = vault().keys
    before = keys.create([new_id() for _ in range(5)])
    rewrap, calls = keys._rewrap, []

    def crash() -> int:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rewrap()

    with monkeypatch.context() as patch:
        patch.setattr(keys_module, "REWRAPPED_AT_ONCE", 2)
        patch.setattr(keys, "_rewrap", crash)
        with pytest.raises(KeyboardInterrupt):
            keys.turn_epoch()
    assert keys.epoch_destroyed_at(1) is None
    for owner, key in before.items():
        assert keys.data_key(owner) == key, "both epochs' keys are there meanwhile"
    assert keys.finish_turns() == 4
    assert keys.epoch_destroyed_at(1) is not None
    for owner, key in before.items():
        assert keys.data_key(owner) == key


def test_crash_between_rewrapping_and_destroying_is_finished_later(
    org: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = vault().keys

    def crash() -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(keys, "finish_turns", crash)
        with pytest.raises(KeyboardInterrupt):
            keys.turn_epoch()
    assert keys.epoch_destroyed_at(1) is None
    keys.finish_turns()
    assert keys.epoch_destroyed_at(1) is not None
    assert keys.data_key(org)
