"""Keys are made once, by `headshots migrate`; whoever has others, or none, does not start."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner
from conftest import add_member, forget_process_state, misfit, settings_of
from signed_logs import add_events
from sqlalchemy import select
from sqlalchemy.orm import Session

from compliance.evidence import origin_of, published_keys, signing_keys
from compliance.log import note
from compliance.origin.signer import make as make_signer
from compliance.signing import SigningKeys
from compliance.verify import verify_file
from core import db
from core.db import Lookup
from core.errors import ConfigurationError
from core.models import Checkpoint, Installation, Member
from core.people import organizations
from core.schema import migrate_to
from core.vault import KeyErased, vault
from core.vault.key_answers import KeyringNotOurs
from core.vault.key_tables import KeyBase
from deploy import installation, wsgi
from deploy.cli import main
from deploy.local.services import LocalServices
from migrations import HEAD
from sso.credentials import make_sp_credentials

STARTS = (
    ["web"],
    ["worker"],
    ["worker", "--burst"],
    ["scheduler"],
    ["keys", "rotate"],
    ["create-company", "globex", "Globex"],
)


@pytest.fixture
def elsewhere(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Make this process one of a second host that has a folder of its own, which is empty."""

    def move(setting: str) -> Path:
        folder = tmp_path / "second host" / setting
        value = folder.as_uri() if setting.endswith("URL") else str(folder)
        monkeypatch.setenv(f"HEADSHOTS_{setting}", value)
        forget_process_state()
        return folder

    return move


def refused(command: list[str]) -> str:
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 2, (command, done.output)
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize("setting", ["SIGNING_PATH", "KEYRING_PATH", "STORAGE_URL"])
def test_a_second_host_with_an_empty_folder_starts_nothing_and_makes_nothing(
    elsewhere: Callable[[str], Path], setting: str
) -> None:
    folder = elsewhere(setting)
    for command in STARTS:
        assert setting in refused(command)
    with pytest.raises(ConfigurationError, match=setting):
        wsgi.create_application()
    again = CliRunner().invoke(main, ["migrate"])
    assert again.exit_code in (1, 2)
    assert setting in again.stderr
    assert not folder.exists()


def test_a_key_store_of_an_earlier_release_is_said_and_migrate_brings_it_up_to_date(member: Member) -> None:
    KeyBase.metadata.tables["removal_ledger"].drop(vault().keys._engine)
    for command in STARTS:
        assert "Run `headshots migrate`" in refused(command)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    installation.demand()


def test_a_second_host_with_other_keys_starts_nothing(
    elsewhere: Callable[[str], Path], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = elsewhere("SIGNING_PATH")
    shutil.copytree(environment["HEADSHOTS_SIGNING_PATH"], folder)
    installation.demand()  # a copy of the folder is as good
    for stem in ("saml-sp.key", "saml-sp.crt"):
        (folder / stem).unlink()
    make_sp_credentials(folder)
    for command in STARTS:
        assert "the SAML certificate (saml-sp.crt) is another one" in refused(command)
    (folder / "log.pem").unlink()
    assert "There are no evidence signing keys" in refused(["web"])


def test_migrate_gives_an_older_installation_the_second_key_of_its_log_and_old_checkpoints_hold(
    environment: dict[str, str],
) -> None:
    folder = Path(environment["HEADSHOTS_SIGNING_PATH"])
    assert CliRunner().invoke(main, ["create-company", "acme", "Acme"]).exit_code == 0
    company = db.Lookup.organization("acme")
    assert company is not None
    add_events(company, 2)
    with db.transaction(company) as session:
        [row] = session.scalars(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1)).all()
        size = row.size
        text = row.note.partition("\n\n")[0] + "\n"
    once = note.sign(text, origin_of(company), signing_keys().log_key)  # as the release before wrote it
    with Session(db.engine()) as session, session.begin():
        row_of_it = session.scalars(select(Installation)).one()
        row_of_it.fingerprints = {
            name: value for name, value in row_of_it.fingerprints.items() if name != installation.SECOND
        }
    assert not verify_file(once.encode(), published_keys(company)).ok, "all of a new log's have both"
    with db.transaction(company) as session:
        session.add(Checkpoint(org_id=company, size=size + 1, note=once))
    (folder / "log-ml-dsa-44.pem").unlink()
    forget_process_state()
    for command in STARTS:
        assert "Run `headshots migrate`" in refused(command)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    installation.demand()
    keys = published_keys(company)
    assert keys["logs"][0]["second"]["from_size"] == size + 2
    found = verify_file(once.encode(), keys)
    assert found.ok
    assert "Ed25519 alone" in found.checks[-1].detail
    (folder / "log-ml-dsa-44.pem").unlink()  # as on another host, which makes none of its own
    forget_process_state()
    assert "copy the folder to the other hosts" in refused(["migrate"])
    SigningKeys.complete(folder)
    assert "(log-ml-dsa-44.pem) is another one" in refused(["web"])


def test_migrate_makes_the_signer_of_pictures_for_an_older_installation_and_one_for_all_hosts(
    environment: dict[str, str],
) -> None:
    folder = Path(environment["HEADSHOTS_SIGNING_PATH"])
    (folder / "origin.pem").unlink()
    with Session(db.engine()) as session, session.begin():
        row = session.scalars(select(Installation)).one()
        row.fingerprints = {name: value for name, value in row.fingerprints.items() if name != "pictures"}
    forget_process_state()
    for command in STARTS:
        assert "Run `headshots migrate`" in refused(command)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    installation.demand()
    (folder / "origin.pem").unlink()  # as on another host, which makes none of its own
    forget_process_state()
    assert "copy the folder to the other hosts" in refused(["migrate"])
    make_signer(folder)
    assert "the signer of pictures (origin.pem) is another one" in refused(["web"])


def test_another_secret_key_is_another_installation(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would find nobody in the ledger and open no invitation."""
    monkeypatch.setenv("HEADSHOTS_SECRET_KEY", "another secret of the tests, long enough for the settings")
    forget_process_state()
    assert "HEADSHOTS_SECRET_KEY is another one" in refused(["web"])


def test_a_keyring_of_another_host_wraps_nothing_and_turns_nothing(
    org: UUID, member: Member, elsewhere: Callable[[str], Path]
) -> None:
    folder = elsewhere("KEYRING_PATH")
    folder.mkdir(parents=True)
    (folder / "epoch-1.key").write_bytes(bytes(32))
    with misfit(KeyringNotOurs, "HEADSHOTS_KEYRING_PATH"):
        vault().keys.turn_epoch()
    with pytest.raises(KeyringNotOurs):
        add_member(org, "Grace")
    assert [path.name for path in folder.iterdir()] == ["epoch-1.key"]
    assert "HEADSHOTS_KEYRING_PATH" in refused(["scheduler"])


def test_migrating_again_changes_no_key(environment: dict[str, str]) -> None:
    before = installation.fingerprints()
    done = CliRunner().invoke(main, ["migrate"])
    assert (done.exit_code, "Made the keys" in done.stderr) == (0, False), done.output
    assert installation.fingerprints() == before
    installation.demand()


@pytest.fixture
def bare(
    services: LocalServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    """A host before its first `headshots migrate`."""
    databases = services.fresh_databases("bare")
    values = settings_of(tmp_path / "bare") | services.environment(databases)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    forget_process_state()
    yield values
    forget_process_state()
    services.drop_databases(databases)


def test_nothing_starts_before_the_first_migration_which_makes_everything(
    bare: dict[str, str], tmp_path: Path
) -> None:
    for command in STARTS:
        assert "headshots migrate" in refused(command)
    assert not (tmp_path / "bare").exists()
    made = CliRunner().invoke(main, ["migrate"])
    assert made.exit_code == 0, made.output
    assert "Made the keys of this installation" in made.stderr
    installation.demand()
    assert CliRunner().invoke(main, ["create-company", "acme", "Acme"]).exit_code == 0


def test_nothing_starts_at_the_schema_of_an_earlier_release(environment: dict[str, str]) -> None:
    sealed = ["directory_state", "installation.sealed_at"]  # a new installation has no way back behind these
    migrate_to(environment["HEADSHOTS_DATABASE_OWNER_URL"], "0025", lose=sealed)
    forget_process_state()
    for command in STARTS:
        assert f"is at schema 0025 and this release needs {HEAD}" in refused(command)
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    installation.demand()


@pytest.mark.parametrize("cut", ["begin", "_check_parts_are_free"])
def test_an_installation_that_was_cut_off_half_made_is_finished_by_the_next_try(
    bare: dict[str, str], monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("core.vault.ties.Ties.begin" if cut == "begin" else f"deploy.installation.{cut}", stop)
        assert CliRunner().invoke(main, ["migrate"]).exit_code == 130
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    installation.demand()


def test_a_new_installation_takes_no_part_of_another_one(
    bare: dict[str, str], environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    organizations.create("acme", "Acme", contact_email="privacy@acme.example")
    for setting in ("HEADSHOTS_KEYS_DATABASE_URL", "HEADSHOTS_STORAGE_URL"):
        for name, value in (bare | {setting: environment[setting]}).items():
            monkeypatch.setenv(name, value)
        forget_process_state()
        refusal = CliRunner().invoke(main, ["migrate"])
        assert refusal.exit_code in (1, 2)
        assert setting in refusal.stderr or "HEADSHOTS_KEYRING_PATH" in refusal.stderr
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    forget_process_state()
    installation.demand()


def test_an_installation_from_before_there_were_marks_is_taken_as_it_is(
    org: UUID, member: Member, environment: dict[str, str], services: LocalServices
) -> None:
    from urllib.parse import urlsplit

    from sqlalchemy import create_engine, text

    before = installation.fingerprints()
    main_engine = create_engine(environment["HEADSHOTS_DATABASE_OWNER_URL"])
    with main_engine.begin() as connection:
        connection.execute(text("DELETE FROM installation"))
    main_engine.dispose()
    keys_engine = create_engine(environment["HEADSHOTS_KEYS_DATABASE_URL"])
    with keys_engine.begin() as connection:
        connection.execute(text("DROP TABLE installation, epoch_proofs"))
    keys_engine.dispose()
    (Path(urlsplit(environment["HEADSHOTS_STORAGE_URL"]).path) / "installation.json").unlink()
    forget_process_state()

    assert "headshots migrate" in refused(["web"])
    assert CliRunner().invoke(main, ["migrate"]).exit_code == 0
    installation.demand()
    assert installation.fingerprints() == before
    assert vault().keys.data_key(member.id)


def test_a_database_that_went_back_starts_nothing_until_the_ledger_is_replayed(
    org: UUID, member: Member, environment: dict[str, str]
) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(environment["HEADSHOTS_DATABASE_URL"])
    with engine.begin() as connection:
        yesterday = connection.execute(text("SELECT generation FROM installation")).scalar_one()
    vault().ties.turn()
    vault().keys.destroy(member.id)  # an erasure that yesterday's backup does not know
    with engine.begin() as connection:
        connection.execute(text("UPDATE installation SET generation = :old"), {"old": yesterday})
    engine.dispose()
    forget_process_state()

    for command in STARTS:
        assert "headshots replay" in refused(command)
    done = CliRunner().invoke(main, ["replay", "--json"])
    assert (done.exit_code, done.stdout.strip()) == (
        0,
        '{"erased_again": 1, "withdrawn_again": 0, "removed_again": 0, "ended_again": 0}',
    )
    with pytest.raises(KeyErased):
        vault().keys.data_key(member.id)
    assert "headshots storage adopt" in refused(["web"])
    assert CliRunner().invoke(main, ["storage", "adopt", "--yes"]).exit_code == 0
    installation.demand()
    assert Lookup.organizations() == [org]


def test_a_web_process_that_starts_without_the_database_serves_once_it_is_back(
    environment: dict[str, str], services: LocalServices
) -> None:
    def ask(path: str) -> int:
        status: list[str] = []
        asked = {"PATH_INFO": path, "REQUEST_METHOD": "GET", "SERVER_NAME": "localhost", "SERVER_PORT": "80"}
        list(site(asked | {"wsgi.url_scheme": "http"}, lambda said, *_: status.append(said)))
        return int(status[0][:3])

    services.postgres.stop()
    try:
        site = wsgi.create_application()
        assert (ask("/healthz"), ask("/verify")) == (200, 503)
    finally:
        services.ensure_running()
    assert ask("/verify") == 200
