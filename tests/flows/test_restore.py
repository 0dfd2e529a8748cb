"""`headshots backup`, `restore` and `drill`: what an operator has, against real servers, with somebody erased in between."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import lists
import pytest
from conftest import add_member, add_participation, add_shoot, forget_process_state
from restores import back_up, demand_nothing_starts, good, main_of, move_to, run
from sealing import got, put
from sqlalchemy import select
from work import do_all_work

from compliance import consent, erasure, evidence
from compliance.consent import leaving
from compliance.log import listing, sequencer
from compliance.verify import verify_file
from core import audit
from core.consent import Purpose
from core.db import transaction
from core.models import Artifact, Certificate, Kind, Member, Participation, RosterImport, State
from core.people import consents
from core.shoots import commits
from core.vault import ArtifactGone, KeyErased, ties, vault
from core.vault.keys import KeyStore
from deploy import installation
from deploy.backup import drilling, making, postgres, restoring
from deploy.backup.manifest import Manifest
from deploy.local.postgres import pg_bin
from deploy.local.processes import child_environment
from deploy.local.services import Databases, LocalServices
from portal.app import create_app

# pyHanko's dependencies use what cryptography deprecates.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@dataclass
class Staff:
    """Ada, who will be erased, and Grace, who stays; both have photos."""

    org: UUID
    ada: Member
    grace: Member
    photos: dict[UUID, UUID]

    def erase_ada(self) -> None:
        self.erase(self.ada)

    def erase(self, member: Member) -> str:
        """Erase somebody, and return their receipt."""
        with transaction(self.org) as session:
            person = session.get_one(Member, member.id)
            requested = erasure.request(
                session,
                person,
                reason=erasure.ErasureReason.SELF_SERVICE,
                actor=audit.actor_for(person),
                language="en",
            )
        do_all_work()
        sequencer.sequence_all()
        return requested.receipt

    def photo_of(self, person: Member) -> bytes:
        with transaction(self.org) as session:
            return got(session, self.photos[person.id])


@pytest.fixture
def staff(org: UUID, member: Member) -> Staff:
    grace = add_member(org, "Grace")
    photos = {}
    for person in (member, grace):
        add_participation(org, person, State.READY)
        with transaction(org) as session:
            photos[person.id] = put(
                session,
                person.first_name.encode(),
                kind=Kind.PHOTO,
                media_type="image/jpeg",
                member_id=person.id,
            ).id
    sequencer.sequence_all()
    return Staff(org, member, grace, photos)


def test_the_database_is_lost_and_comes_back_without_whoever_was_erased_since(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = back_up(tmp_path)
    staff.erase_ada()
    move_to(main_of(services, empty), monkeypatch)

    demand_nothing_starts()
    done = good("restore", str(folder))
    assert done["erased_again"] == 1
    installation.demand()
    do_all_work()
    with transaction(staff.org) as session:
        ada = session.get_one(Member, staff.ada.id)
        assert (ada.first_name, ada.email) == (None, None)
        states = dict(session.execute(select(Participation.member_id, Participation.state)).all())
        assert states == {staff.ada.id: State.ERASED, staff.grace.id: State.READY}
    with pytest.raises((KeyErased, ArtifactGone)):
        staff.photo_of(staff.ada)
    assert staff.photo_of(staff.grace) == b"Grace"
    sequencer.sequence_all()
    erasure.turn_epoch()
    do_all_work()
    with transaction(staff.org) as session:
        assert "COMPLETE" in set(session.scalars(select(Certificate.status)))
    checked = run("drill", "check", "--json")
    assert checked.exit_code == 0, checked.output
    vault().ties.turn()
    installation.demand()


def test_a_consent_that_was_taken_back_since_is_taken_back_again_and_a_later_one_stands(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with transaction(staff.org) as session:
        ada = session.get_one(Member, staff.ada.id)
        consent.withdraw(session, ada, Purpose.LIKENESS)
    add_participation(staff.org, staff.ada, State.CONSENTED)  # and given again
    folder = back_up(tmp_path)
    with transaction(staff.org) as session:
        grace = session.get_one(Member, staff.grace.id)
        part = session.scalars(select(Participation).where(Participation.member_id == grace.id)).one()
        leaving.withdraw_all(session, part, actor=audit.actor_for(grace))
    do_all_work()
    move_to(main_of(services, empty), monkeypatch)
    done = good("restore", str(folder))
    assert done["withdrawn_again"] == 2
    do_all_work()
    with transaction(staff.org) as session:
        agreed = consents.agreed_by(session, [staff.ada.id, staff.grace.id])
        assert agreed == {staff.ada.id: {Purpose.PHOTO, Purpose.LIKENESS}, staff.grace.id: set()}
        state = session.scalars(
            select(Participation.state).where(Participation.member_id == staff.grace.id)
        ).one()
        assert state == State.DECLINED


def test_the_receipt_that_a_person_kept_opens_the_page_of_the_erasure_that_a_restore_carries_out_again(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = back_up(tmp_path)
    later = add_member(staff.org, "Lise")  # whom the backup does not know
    receipts = [staff.erase(person) for person in (staff.ada, later)]
    address, unknown = (f"/erased/{receipt}" for receipt in receipts)
    assert "began again" not in create_app().test_client().get(address).text
    erasure.turn_epoch()
    do_all_work()
    kept = create_app().test_client().get(f"{address}/certificate.pdf").data
    lost = create_app().test_client().get(f"{unknown}/certificate.pdf").data
    with transaction(staff.org) as session:
        numbers = session.scalars(select(Certificate.id)).all()
    move_to(main_of(services, empty), monkeypatch)
    assert good("restore", str(folder))["erased_again"] == 1
    do_all_work()
    browser = create_app().test_client()
    page = browser.get(address)
    assert page.status_code == 200
    assert "Your erasure began again on" in page.text
    assert "restored from a backup that was made before your erasure" in page.text
    assert "Your key has been destroyed since" in page.text
    sequencer.sequence_all()
    erasure.settle_all()
    do_all_work()
    assert browser.get(f"{address}.json").json["status"] == "COMPLETE"
    certificate = browser.get(f"{address}/certificate.pdf").data
    assert certificate not in (b"", kept)
    published = evidence.published_keys(staff.org)
    assert [verify_file(pdf, published).ok for pdf in (kept, certificate)] == [True, True]
    # Whom the backup does not know keeps their certificate, and links to certificates that it does not know work.
    assert "Your certificate was kept" in browser.get(unknown).text
    assert browser.get(f"{unknown}.json").json["status"] == "COMPLETE"
    assert browser.get(f"{unknown}/certificate.pdf").data == lost
    assert verify_file(lost, published).ok
    with transaction(staff.org) as session:
        assert len(numbers) == 4
        assert {listing.certificate(session, number).status for number in numbers} == {"PENDING", "COMPLETE"}
        assert {number for number, _, _ in listing.forgotten(session)} == set(numbers)
    said = browser.get("/erased/nobodys")
    assert said.status_code == 404
    assert "restored from a backup" in said.text
    assert "ask the company" in said.text


def test_a_list_that_waited_for_its_worker_brings_nobody_back(
    org: UUID, services: LocalServices, empty: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shoot = add_shoot(org)
    import_id = lists.confirmed(
        org, shoot.id, b"email,first name,last name\nlise@acme.example,Lise,Meitner\n"
    )
    folder = back_up(tmp_path, "--objects")
    move_to(main_of(services, empty), monkeypatch)
    good("restore", str(folder))
    do_all_work()
    with transaction(org) as session:
        assert session.scalars(select(Member.email)).all() == []
        assert session.get_one(RosterImport, import_id).failure == commits.Ended.RESTORED
        assert session.get_one(Artifact, import_id).destroyed_at is not None


def test_between_the_rows_and_the_ledger_nothing_starts(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = back_up(tmp_path)
    staff.erase_ada()
    move_to(main_of(services, empty), monkeypatch)
    with monkeypatch.context() as patch:

        def die() -> None:
            raise KeyboardInterrupt

        patch.setattr(installation, "replay", die)
        assert run("restore", str(folder)).exit_code == 130
    forget_process_state()
    demand_nothing_starts("headshots replay")
    assert good("replay") == {"erased_again": 1, "withdrawn_again": 0, "removed_again": 0, "ended_again": 0}
    assert run("storage", "adopt", "--yes").exit_code == 0
    installation.demand()


def test_a_copy_as_young_as_the_mark_is_not_served_before_the_ledger(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A snapshot within the hour of the marks: they agree, and yet it knows nothing of who was erased since."""
    vault().ties.turn()
    dump = tmp_path / "snapshot.dump"
    postgres.dump(environment["HEADSHOTS_DATABASE_BACKUP_URL"], dump)
    staff.erase_ada()
    installation.demand()
    move_to(main_of(services, empty), monkeypatch)
    restoring._restore_main(services.environment(empty)["HEADSHOTS_DATABASE_OWNER_URL"], dump)
    demand_nothing_starts("headshots replay")
    assert good("replay") == {"erased_again": 1, "withdrawn_again": 0, "removed_again": 0, "ended_again": 0}
    installation.demand()


def test_a_copy_as_young_as_the_mark_brings_no_consent_back(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with transaction(staff.org) as session:
        consent.withdraw(session, session.get_one(Member, staff.ada.id), Purpose.LIKENESS)
    add_participation(staff.org, staff.ada, State.CONSENTED)  # and given again, which stands
    vault().ties.turn()
    dump = tmp_path / "snapshot.dump"
    postgres.dump(environment["HEADSHOTS_DATABASE_BACKUP_URL"], dump)
    installation.demand()
    with transaction(staff.org) as session:
        consent.withdraw(session, session.get_one(Member, staff.grace.id), Purpose.LIKENESS)
    installation.demand()
    move_to(main_of(services, empty), monkeypatch)
    restoring._restore_main(services.environment(empty)["HEADSHOTS_DATABASE_OWNER_URL"], dump)
    assert "headshots replay" in run("web").stderr
    assert good("replay") == {"erased_again": 0, "withdrawn_again": 1, "removed_again": 0, "ended_again": 0}
    installation.demand()


def test_everything_but_keys_and_keyring_is_lost(
    staff: Staff,
    environment: dict[str, str],
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = installation.fingerprints()
    folder = back_up(tmp_path, "--objects")
    shutil.rmtree(environment["HEADSHOTS_SIGNING_PATH"])
    shutil.rmtree(urlsplit(environment["HEADSHOTS_STORAGE_URL"]).path)
    move_to(main_of(services, empty), monkeypatch)
    done = good("restore", str(folder))
    assert (done["erased_again"], done["objects"], done["missing"]) == (0, 2, 0)
    assert installation.fingerprints() == before
    assert (staff.photo_of(staff.ada), staff.photo_of(staff.grace)) == (b"Ada", b"Grace")
    assert run("drill", "check").exit_code == 0


def test_a_lost_key_store_comes_back_within_its_epoch_and_never_after(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = back_up(tmp_path)
    old = services.environment(empty)
    move_to(old, monkeypatch)
    refused = run("restore", str(folder))
    assert refused.exit_code == 2
    assert "--key-store" in refused.stderr
    good("restore", str(folder), "--key-store")
    assert staff.photo_of(staff.grace) == b"Grace"
    again = run("restore", str(folder), "--key-store")
    assert "not empty" in again.stderr

    later = services.fresh_databases("later")
    erasure.turn_epoch()
    move_to(services.environment(later), monkeypatch)
    dead = run("restore", str(folder), "--key-store")
    assert dead.exit_code == 2
    assert "nothing in it can be opened" in dead.stderr
    assert postgres.is_empty(later.keys)
    forget_process_state()
    services.drop_databases(later)


def test_a_backup_while_an_epoch_turns_waits_for_its_end(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Begun when one key has moved and others have not, and the old epoch ends before the backup does."""
    real_dump, real_rewrap = postgres.dump, KeyStore._rewrap
    with ThreadPoolExecutor(1) as aside:
        backups: list[Future[Path]] = []

        def slow(self: KeyStore) -> int:
            if not backups:
                backups.append(aside.submit(back_up, tmp_path))
                time.sleep(2)
            return real_rewrap(self)

        with monkeypatch.context() as patch:
            patch.setattr(KeyStore, "_rewrap", slow)
            vault().keys.turn_epoch()
        folder = backups[0].result()

    def turns_again(url: str, file: Path) -> None:
        real_dump(url, file)
        monkeypatch.setattr(postgres, "dump", real_dump)
        vault().keys.turn_epoch()

    assert json.loads((folder / "manifest.json").read_text())["epoch"] == 2
    monkeypatch.setattr(postgres, "dump", turns_again)
    folder = Path(str(good("backup", "--out", str(tmp_path / "later"))["folder"]))
    assert json.loads((folder / "manifest.json").read_text())["epoch"] == 3
    move_to(services.environment(empty), monkeypatch)
    good("restore", str(folder), "--key-store")
    assert staff.photo_of(staff.grace) == b"Grace"
    vault().keys.turn_epoch()


def test_a_key_store_of_an_epoch_that_was_turning_is_refused_and_leaves_nothing(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = KeyStore._rewrap
    made: list[Path] = []

    def slow(self: KeyStore) -> int:
        if not made:
            made.append(tmp_path)
            made.append(back_up(tmp_path))
        return real(self)

    with monkeypatch.context() as patch:
        patch.setattr(making, "TURN_SECONDS", 0.0)  # an epoch that does not end
        patch.setattr(KeyStore, "_rewrap", slow)
        vault().keys.turn_epoch()
    move_to(services.environment(empty), monkeypatch)
    refused = run("restore", str(made[1]), "--key-store")
    assert refused.exit_code == 2
    assert "of epoch 1" in refused.stderr
    assert postgres.is_empty(empty.keys)
    assert postgres.is_empty(empty.owner)


def test_a_drill_restores_beside_the_running_installation_and_changes_nothing_of_it(
    staff: Staff, empty: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = back_up(tmp_path, "--objects")
    staff.erase_ada()
    erasure.turn_epoch()
    do_all_work()
    assert "HEADSHOTS_DRILL_DATABASE_URL" in run("drill", "restore", str(folder)).stderr
    scratch = {"DATABASE_URL": empty.app, "DATABASE_OWNER_URL": empty.owner, "KEYS_DATABASE_URL": empty.keys}
    move_to({f"HEADSHOTS_DRILL_{name}": url for name, url in scratch.items()}, monkeypatch)
    report = good("drill", "restore", str(folder))
    assert report["erased_again"] == 1
    findings = report["findings"]
    assert isinstance(findings, dict)
    assert findings["problems"] == []
    assert (findings["companies"], findings["objects"]) == (1, 2)
    assert findings["entries"] > 0
    assert findings["opened"] >= 1
    assert isinstance(report["backup_age_hours"], float)
    installation.demand()
    assert staff.photo_of(staff.grace) == b"Grace"
    ours = ties.installation()
    assert ours.backup_at
    assert ours.drill_at
    assert postgres.is_empty(empty.owner)
    assert postgres.is_empty(empty.keys)
    assert good("drill", "restore", str(folder))["erased_again"] == 1  # and once more into the same ones

    def fails(values: object, *command: str, **_: object) -> None:
        assert not postgres.is_empty(empty.keys)
        raise drilling.DrillFailed(command[0])

    with monkeypatch.context() as patch:
        patch.setattr(drilling, "_run", fails)
        assert run("drill", "restore", str(folder)).exit_code == 1
    assert postgres.is_empty(empty.keys)
    with closing(postgres.connect(empty.owner)) as connection:
        connection.execute("CREATE TABLE somebodys (name text)")
    assert "fills empty databases only" in run("drill", "restore", str(folder)).stderr
    assert not postgres.is_empty(empty.owner)


def test_a_backup_holds_everything_of_all_companies_and_no_keyring(
    staff: Staff, environment: dict[str, str], tmp_path: Path
) -> None:
    folder = back_up(tmp_path, "--objects")
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    assert [name for name in files if not name.startswith("objects/")] == [
        "key-store.dump", "main.dump", "manifest.json",
        "signing/document.pem", "signing/log-ml-dsa-44.pem", "signing/log.pem", "signing/origin.pem", "signing/saml-sp.crt", "signing/saml-sp.key",
    ]  # fmt: skip
    assert sum(name.startswith("objects/") for name in files) == 2
    assert folder.stat().st_mode & 0o077 == 0
    rows = subprocess.run(
        [
            str(pg_bin() / "pg_restore"),
            "--data-only",
            "--table=members",
            "--file=-",
            str(folder / "main.dump"),
        ],
        capture_output=True,
        text=True,
        check=True,
        env=child_environment(),
    ).stdout
    assert str(staff.ada.id) in rows
    assert str(staff.grace.id) in rows
    assert "Grace" not in rows  # names lie sealed
    keyring = [path.read_bytes() for path in Path(environment["HEADSHOTS_KEYRING_PATH"]).iterdir()]
    assert not any(key in (folder / name).read_bytes() for key in keyring for name in files)


@pytest.mark.parametrize("variable", ["HEADSHOTS_KEYRING_PATH", "HEADSHOTS_ESCROW_PATH"])
def test_no_folder_of_epoch_keys_lies_where_every_backup_looks(
    staff: Staff,
    environment: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
) -> None:
    signing = Path(environment["HEADSHOTS_SIGNING_PATH"])
    if variable == "HEADSHOTS_KEYRING_PATH":
        shutil.move(environment[variable], signing / "below")
    (tmp_path / "other").symlink_to(signing, target_is_directory=True)
    for place in (signing / "below", tmp_path / "other" / "below", signing):
        move_to({variable: str(place)}, monkeypatch)
        for command in (["backup", "--out", str(tmp_path / "backups")], ["web"]):
            done = run(*command)
            assert done.exit_code == 2
            assert variable in done.stderr
    assert not (tmp_path / "backups").exists()


def test_a_backup_does_not_go_where_keys_lie(staff: Staff, environment: dict[str, str]) -> None:
    for variable in ("HEADSHOTS_KEYRING_PATH", "HEADSHOTS_SIGNING_PATH"):
        done = run("backup", "--out", f"{environment[variable]}/backups")
        assert done.exit_code == 2
        assert "folder of keys" in done.stderr


@pytest.mark.parametrize("role", ["HEADSHOTS_DATABASE_URL", "HEADSHOTS_DATABASE_OWNER_URL"])
def test_a_role_that_row_level_security_binds_makes_no_backup_and_leaves_none(
    staff: Staff, environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    move_to({"HEADSHOTS_DATABASE_BACKUP_URL": environment[role]}, monkeypatch)
    done = run("backup", "--out", str(tmp_path / "backups"))
    assert done.exit_code == 1
    assert "row-level security" in done.stderr
    assert list((tmp_path / "backups").iterdir()) == []


@pytest.mark.parametrize("name", ["main.dump", "signing/log.pem", "manifest.json"])
def test_a_damaged_backup_changes_nothing(
    staff: Staff,
    services: LocalServices,
    empty: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    folder = back_up(tmp_path)
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    move_to(main_of(services, empty), monkeypatch)
    assert run("restore", str(folder)).exit_code == 1
    assert postgres.is_empty(empty.owner)
    (folder / name).unlink()
    assert run("restore", str(folder)).exit_code == 1


def test_a_restore_overwrites_nothing(staff: Staff, tmp_path: Path) -> None:
    folder = back_up(tmp_path)
    done = run("restore", str(folder))
    assert done.exit_code == 2
    assert "not empty" in done.stderr
    installation.demand()


def test_a_missing_or_older_pg_dump_is_named(
    staff: Staff, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "bin"
    old.mkdir()
    move_to({"HEADSHOTS_POSTGRES_BIN": str(old)}, monkeypatch)
    assert "There is no pg_dump here" in run("backup", "--out", str(tmp_path / "b")).stderr
    (old / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 13.4'\n")
    (old / "pg_dump").chmod(0o755)
    done = run("backup", "--out", str(tmp_path / "b"))
    assert done.exit_code == 2
    assert "of release 13" in done.stderr


def test_the_timer_copies_objects_where_the_operator_says_so_and_a_drill_says_what_it_needs(
    staff: Staff, empty: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copied(*options: str) -> bool:
        number = len(list(tmp_path.iterdir()))
        return bool(Manifest.read(back_up(tmp_path / str(number), *options)).objects_copied)

    scratch = {"DATABASE_URL": empty.app, "DATABASE_OWNER_URL": empty.owner, "KEYS_DATABASE_URL": empty.keys}
    move_to({f"HEADSHOTS_DRILL_{name}": url for name, url in scratch.items()}, monkeypatch)
    assert not copied()
    refused = run("drill", "restore", str(back_up(tmp_path)))
    assert refused.exit_code == 2
    assert "HEADSHOTS_BACKUP_OBJECTS=true" in refused.stderr
    move_to({"HEADSHOTS_BACKUP_OBJECTS": "true"}, monkeypatch)
    assert copied()  # as headshots-backup.service calls it
    assert not copied("--no-objects")


def test_artifacts_are_counted_in_the_manifest(staff: Staff, tmp_path: Path) -> None:
    folder = back_up(tmp_path)
    manifest = json.loads((folder / "manifest.json").read_text())
    with transaction(staff.org) as session:
        assert manifest["rows"] == len(session.scalars(select(Artifact)).all()) == 2
