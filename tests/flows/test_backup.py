"""Yesterday's backups: they bring back everyone but those who were erased since."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from conftest import add_member, add_participation, forget_process_state
from sealing import got, put
from sqlalchemy import make_url, select
from work import do_all_work

from compliance import erasure, evidence
from compliance.log import sequencer
from compliance.verify import verify_file
from core import audit
from core.db import transaction
from core.models import Artifact, AuditEvent, Certificate, Checkpoint, Kind, Member, Participation, State
from core.vault import KeyErased, vault
from core.vault.kms import EpochKeyGone
from deploy.local.postgres import pg_bin
from deploy.local.processes import child_environment
from deploy.local.services import LocalServices

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def _run(program: str, *arguments: str, feed: bytes | None = None) -> bytes:
    done = subprocess.run(
        [str(pg_bin() / program), *arguments],
        input=feed,
        env=child_environment(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass
class Backups:
    """Backups as an operator makes them, with pg_dump and a copy of the storage folder."""

    services: LocalServices
    environment: dict[str, str]
    folder: Path

    def _address(self, setting: str) -> str:
        name = make_url(self.environment[setting]).database
        assert name is not None
        return self.services.superuser_url(name).replace("postgresql+psycopg://", "postgresql://")

    @property
    def _storage(self) -> Path:
        return Path(urlsplit(self.environment["HEADSHOTS_STORAGE_URL"]).path)

    def dump(self, setting: str) -> bytes:
        return _run("pg_dump", "--format=custom", self._address(setting))

    def restore(self, setting: str, dump: bytes) -> None:
        forget_process_state()  # as a restart of the whole product
        options = ("--clean", "--if-exists", "--single-transaction", "--exit-on-error")
        _run("pg_restore", *options, f"--dbname={self._address(setting)}", feed=dump)

    def copy_objects(self) -> None:
        shutil.copytree(self._storage, self.folder)

    def restore_objects(self) -> None:
        shutil.rmtree(self._storage)
        shutil.copytree(self.folder, self._storage)


MAIN, KEYS = "HEADSHOTS_DATABASE_URL", "HEADSHOTS_KEYS_DATABASE_URL"


@pytest.fixture
def backups(services: LocalServices, environment: dict[str, str], tmp_path: Path) -> Backups:
    return Backups(services, environment, tmp_path / "yesterday")


@dataclass
class Staff:
    """Ada, who will be erased, and Grace, who stays; both have photos and headshots."""

    org: UUID
    ada: Member
    grace: Member
    adas: list[UUID]
    graces: list[UUID]

    def erase_ada(self) -> None:
        with transaction(self.org) as session:
            person = session.get_one(Member, self.ada.id)
            erasure.request(
                session,
                person,
                reason=erasure.ErasureReason.SELF_SERVICE,
                actor=audit.actor_for(person),
                language="en",
            )
        do_all_work()

    def read(self, artifact_ids: list[UUID]) -> list[bytes]:
        with transaction(self.org) as session:
            return [got(session, one) for one in artifact_ids]

    def assert_ada_is_gone(self, error: type[Exception] = KeyErased) -> None:
        for artifact_id in self.adas:
            with pytest.raises(error):
                self.read([artifact_id])

    def certificates(self) -> set[str]:
        with transaction(self.org) as session:
            return set(session.scalars(select(Certificate.status)))


@pytest.fixture
def staff(org: UUID, member: Member) -> Staff:
    grace = add_member(org, "Grace")
    for person in (member, grace):
        add_participation(org, person, State.READY)

    def held(person: Member) -> list[UUID]:
        with transaction(org) as session:
            return [
                put(
                    session,
                    f"{person.first_name} {kind}".encode(),
                    kind=kind,
                    media_type="image/jpeg",
                    member_id=person.id,
                ).id
                for kind in (Kind.PHOTO, Kind.HEADSHOT)
            ]

    return Staff(org, member, grace, held(member), held(grace))


def test_erased_member_cannot_be_read_from_yesterdays_backup(staff: Staff, backups: Backups) -> None:
    yesterday = backups.dump(MAIN)
    backups.copy_objects()
    staff.erase_ada()
    erasure.turn_epoch()

    backups.restore(MAIN, yesterday)
    backups.restore_objects()
    with transaction(staff.org) as session:  # the restore really is from before
        assert session.get_one(Member, staff.ada.id).first_name == "Ada"
        names = [session.get_one(Artifact, artifact_id).object_name for artifact_id in staff.adas]
    assert all(vault().store.exists(name) for name in names)
    staff.assert_ada_is_gone()
    assert staff.read(staff.graces) == [b"Grace photo", b"Grace headshot"]


def test_yesterdays_key_store_opens_nothing_once_the_epoch_has_turned(staff: Staff, backups: Backups) -> None:
    yesterday, yesterdays_keys = backups.dump(MAIN), backups.dump(KEYS)
    backups.copy_objects()
    staff.erase_ada()
    erasure.turn_epoch()
    todays_keys = backups.dump(KEYS)

    backups.restore(MAIN, yesterday)
    backups.restore_objects()
    backups.restore(KEYS, yesterdays_keys)
    assert vault().keys.exists(staff.ada.id)  # the wrapped key is back, and of no use
    staff.assert_ada_is_gone(EpochKeyGone)

    backups.restore(KEYS, todays_keys)
    staff.assert_ada_is_gone()
    assert staff.read(staff.graces) == [b"Grace photo", b"Grace headshot"]


def test_person_whom_a_restore_brought_back_is_erased_again(staff: Staff, backups: Backups) -> None:
    yesterday = backups.dump(MAIN)
    backups.copy_objects()
    staff.erase_ada()
    erasure.turn_epoch()
    backups.restore(MAIN, yesterday)
    backups.restore_objects()

    assert erasure.replay_ledger() == 1
    do_all_work()
    assert erasure.replay_ledger() == 0
    with transaction(staff.org) as session:
        ada = session.get_one(Member, staff.ada.id)
        assert (ada.email, ada.first_name, ada.last_name) == (None, None, None)
        states = dict(session.execute(select(Participation.member_id, Participation.state)).all())
        assert states == {staff.ada.id: State.ERASED, staff.grace.id: State.READY}
        names = [session.get_one(Artifact, artifact_id).object_name for artifact_id in staff.adas]
    assert not any(vault().store.exists(name) for name in names)
    assert staff.read(staff.graces) == [b"Grace photo", b"Grace headshot"]
    erasure.turn_epoch()
    do_all_work()
    assert "COMPLETE" in staff.certificates()


def test_key_that_a_restored_key_store_brought_back_does_not_outlive_the_epoch(
    staff: Staff, backups: Backups
) -> None:
    yesterdays_keys = backups.dump(KEYS)
    staff.erase_ada()
    assert staff.certificates() == {"PENDING"}
    backups.restore(KEYS, yesterdays_keys)  # within the epoch, so the key in it still opens
    assert vault().keys.data_key(staff.ada.id)

    erasure.turn_epoch()
    do_all_work()
    assert not vault().keys.exists(staff.ada.id)
    assert vault().keys.erasures.among([staff.ada.id, staff.grace.id]) == {staff.ada.id}
    assert staff.certificates() == {"PENDING", "COMPLETE"}
    assert staff.read(staff.graces) == [b"Grace photo", b"Grace headshot"]


def test_a_restored_log_signs_nothing_twice_and_says_what_is_missing(staff: Staff, backups: Backups) -> None:
    def heads() -> dict[int, str]:
        sequencer.sequence_all()
        with transaction(staff.org) as session:
            return {row.size: row.note for row in session.scalars(select(Checkpoint))}

    heads()
    yesterday = backups.dump(MAIN)
    backups.copy_objects()
    staff.erase_ada()
    signed = heads()
    backups.restore(MAIN, yesterday)
    backups.restore_objects()

    assert erasure.replay_ledger() == 1
    do_all_work()
    erasure.turn_epoch()
    do_all_work()
    again = heads()
    assert min(set(again) - set(signed)) > max(signed)
    assert all(note == signed[size] for size, note in again.items() if size in signed)
    with transaction(staff.org) as session:
        gap = session.scalars(select(AuditEvent).where(AuditEvent.tag == "log.gap_found")).one()
        assert gap.facts["last_lost"] == max(signed)
        certificates = session.scalars(select(Certificate.pdf)).all()
    assert len(certificates) == 2
    assert all(verify_file(pdf, evidence.published_keys(staff.org)).ok for pdf in certificates)
