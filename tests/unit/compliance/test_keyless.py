"""A stored object's own key goes with it, and keys without anything that they open go as well."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
import sealing
from click.testing import CliRunner
from conftest import add_participation
from work import do_all_work

from compliance import keyless, strays
from core.clock import now
from core.db import transaction
from core.ids import first_of, new_id
from core.models import Artifact, Headshot, Kind, Member, Photo, Shoot, State
from core.portraits import photos
from core.vault import ArtifactGone, KeyErased, vault
from core.vault.crypto import seal
from deploy.cli import main


def put(org: UUID, member: Member, kind: Kind = Kind.PHOTO) -> Artifact:
    with transaction(org) as session:
        return sealing.put(session, b"a face", kind=kind, media_type="image/jpeg", member_id=member.id)


def bring_back(org: UUID, artifact_id: UUID, content: bytes | None = None) -> None:
    """Do as a restored backup does: the row is as it was, and so is the object if the backup had it."""
    with transaction(org) as session:
        row = session.get_one(Artifact, artifact_id)
        row.delete_requested_at = row.destroyed_at = None
        name = row.object_name
    if content is not None:
        vault().store.put(name, content)


@pytest.mark.parametrize("kind", [Kind.PHOTO, Kind.LIKENESS, Kind.HEADSHOT, Kind.ADAPTER])
def test_what_was_deleted_cannot_be_opened_although_a_backup_has_row_object_and_the_persons_key(
    org: UUID, member: Member, kind: Kind
) -> None:
    kept, gone = put(org, member, kind), put(org, member, kind)
    backup = vault().store.get(gone.object_name)
    with transaction(org) as session:
        vault().delete(session, [gone.id])
    do_all_work()
    bring_back(org, gone.id, backup)
    with transaction(org) as session:
        with pytest.raises(KeyErased):
            sealing.got(session, gone.id)
        assert sealing.got(session, kept.id) == b"a face"
    assert vault().keys.exists(member.id)


def test_an_object_from_before_there_were_own_keys_still_opens_and_goes(org: UUID, member: Member) -> None:
    old = put(org, member)
    with transaction(org) as session:
        session.get_one(Artifact, old.id).own_key = False
        held = vault().find(session, old.id)
    vault().keys.forget([old.id])
    vault().store.put(
        held.object_name, seal(vault().keys.data_key(member.id), b"old", vault()._associated(held))
    )
    assert vault().open(held) == b"old"
    assert keyless.replay() == 0
    with transaction(org) as session:
        vault().delete(session, [old.id])
    do_all_work()
    assert not vault().store.exists(held.object_name)


def test_what_a_restore_lists_without_its_key_is_ended_with_what_was_measured_on_it(
    org: UUID, member: Member
) -> None:
    part = add_participation(org, member, State.READY)
    kept, gone, shot = put(org, member), put(org, member), put(org, member, Kind.HEADSHOT)
    owned = {"org_id": org, "participation_id": part.id, "member_id": member.id}
    with transaction(org) as session:
        rows = [
            Photo(
                id=new_id(), artifact_id=one.id, upload_key=str(one.id), verdict={"accepted": True}, **owned
            )
            for one in (kept, gone)
        ]
        headshot = Headshot(
            id=new_id(),
            photo_id=rows[1].id,
            style_id=session.get_one(Shoot, part.shoot_id).style_id,
            artifact_id=shot.id,
            engine="studio",
            rank=0,
            gates={"passed": True},
            seconds=1.0,
            **owned,
        )
        session.add_all(rows)
        session.flush()
        session.add(headshot)
    with transaction(org) as session:
        photos.end(session, [session.get_one(Photo, rows[1].id)])  # as retention does
        vault().delete(session, [shot.id])
    do_all_work()
    with transaction(org) as session:
        for one in (gone, shot):
            row = session.get_one(Artifact, one.id)
            row.delete_requested_at = row.destroyed_at = None
        back = session.get_one(Photo, rows[1].id)
        back.removed_at, back.verdict = None, {"accepted": True}
    assert keyless.replay() == 2
    with transaction(org) as session:
        assert [session.get_one(Photo, row.id).removed_at is None for row in rows] == [
            True,
            False,
        ]
        assert session.get_one(Photo, rows[1].id).verdict is None
        assert session.get_one(Headshot, headshot.id).gates == {}
        assert sealing.got(session, kept.id) == b"a face"
        with pytest.raises(ArtifactGone):
            vault().find(session, gone.id)
    assert keyless.replay() == 0


def orphan(count: int) -> list[UUID]:
    """Make keys as a crash between the key and its row leaves them, more than an hour ago."""
    first = first_of(now() - strays.AGE - timedelta(minutes=1)).int
    ids = [UUID(int=first + number) for number in range(1, count + 1)]
    vault().keys.create(ids)
    return ids


def test_a_key_that_belongs_to_nothing_is_destroyed_and_one_that_may_still_get_its_row_is_not(
    org: UUID, member: Member
) -> None:
    artifact, unused, fresh = put(org, member), orphan(1), new_id()
    vault().keys.create([fresh])
    assert keyless.sweep() == 1
    assert vault().keys.among([*unused, fresh, artifact.id, member.id, org]) == {
        fresh,
        artifact.id,
        member.id,
        org,
    }


def test_so_many_unused_keys_that_rows_must_be_missing_stay_until_an_operator_says_how_many(
    org: UUID, member: Member
) -> None:
    put(org, member)
    unused = orphan(strays.FEW + 1)
    with pytest.raises(keyless.TooManyUnusedKeys):
        keyless.sweep()
    assert vault().keys.among(unused) == set(unused)
    told = CliRunner().invoke(main, ["keys", "sweep", "--json"])
    assert told.exit_code == 1
    assert str(len(unused)) in told.stderr
    done = CliRunner().invoke(main, ["keys", "sweep", "--most", str(len(unused)), "--json"])
    assert done.exit_code == 0, done.output
    assert not vault().keys.among(unused)


def test_an_erasure_needs_no_whole_list_of_what_there_was(org: UUID, member: Member) -> None:
    artifact = put(org, member)
    vault().keys.destroy(member.id)
    assert vault().keys.exists(artifact.id)
    with transaction(org) as session, pytest.raises(KeyErased):
        sealing.got(session, artifact.id)
