"""The sweep of what has no row deletes what a crash left, and never what it does not understand."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import pytest
import sealing
from click.testing import CliRunner
from conftest import Template, forget_process_state, misfit
from sqlalchemy import create_engine, text
from work import do_all_work

from compliance import strays
from core.clock import now
from core.db import transaction
from core.models import Artifact, Kind, Member, Outbox
from core.vault import vault
from core.vault.ties import MARKER, StorageNotOurs
from deploy.cli import main
from deploy.local.services import Databases, LocalServices


def put(org: UUID, member: Member, count: int = 1) -> list[UUID]:
    with transaction(org) as session:
        return [
            sealing.put(session, b"x", kind=Kind.PHOTO, media_type="image/jpeg", member_id=member.id).id
            for _ in range(count)
        ]


@pytest.fixture
def folder(environment: dict[str, str]) -> Path:
    return Path(urlsplit(environment["HEADSHOTS_STORAGE_URL"]).path)


def age(folder: Path) -> None:
    before = (now() - strays.AGE - timedelta(minutes=1)).timestamp()
    for name, _ in list(vault().store.names()):
        os.utime(folder / name, (before, before))


def names() -> set[str]:
    return {name for name, _ in vault().store.names()}


def test_a_database_that_is_another_installations_deletes_nothing(
    environment: dict[str, str],
    org: UUID,
    member: Member,
    folder: Path,
    services: LocalServices,
    migrated: Template,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put(org, member, 30)
    age(folder)
    everything = names()
    other = services.fresh_databases("other", template=migrated.databases)
    own(other)
    for name, value in services.environment(other).items():
        monkeypatch.setenv(name, value)
    forget_process_state()
    for asked in ({}, {"most": 1_000_000}, {"dry_run": True}):
        with misfit(StorageNotOurs, "another installation"):
            strays.sweep(**asked)
    assert names() == everything
    forget_process_state()
    services.drop_databases(other)


def own(databases: Databases) -> None:
    """Make a copied pair of databases an installation of its own."""
    for url, table in ((databases.app, "installation"), (databases.keys, "installation")):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE {table} SET id = '00000000-0000-7000-8000-000000000001'"))
        engine.dispose()


def test_an_unmounted_or_empty_storage_and_a_damaged_mark_stop_sweep_and_purge(
    org: UUID, member: Member, folder: Path
) -> None:
    [artifact_id] = put(org, member)
    (folder / MARKER).unlink()
    with misfit(StorageNotOurs, "no mark"):
        strays.sweep()
    with transaction(org) as session:
        vault().delete(session, [artifact_id])
    do_all_work()
    assert len(names()) == 1
    with transaction(org) as session:
        assert session.get_one(Artifact, artifact_id).destroyed_at is None
        assert session.query(Outbox).filter(Outbox.job == "purge", Outbox.done_at.is_(None)).count()
    (folder / MARKER).write_text("{")
    with misfit(StorageNotOurs, "damaged"):
        strays.sweep()


def test_a_copy_of_the_database_may_delete_nothing_once_the_original_went_on(
    org: UUID, member: Member, folder: Path
) -> None:
    """A copy for a trial knows less than the bucket holds, and its retention is not the original's."""
    [artifact_id] = put(org, member)
    with transaction(org) as session:
        vault().delete(session, [artifact_id])
    copied = (folder / MARKER).read_bytes()
    vault().ties.turn()
    vault().ties.check_storage()  # both sides of a turn hold
    original = (folder / MARKER).read_bytes()
    assert original != copied
    # Seen from the copy: the bucket has gone on. Exchanging the marks is the same as exchanging the databases.
    (folder / MARKER).write_bytes(copied)
    with misfit(StorageNotOurs, "another copy"):
        strays.sweep()
    do_all_work()
    assert len(names()) == 1
    vault().ties.adopt_storage()
    strays.sweep()
    vault().ties.turn()
    vault().ties.check_storage()
    vault().ties.check_key_store()


@pytest.mark.parametrize("broken", ["keys", "storage", "main"])
def test_a_turn_that_is_cut_off_anywhere_leaves_parts_that_hold(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    ties = vault().ties
    place = {
        "keys": (vault().keys.marks, "write"),
        "storage": (ties, "_set_storage_mark"),
        "main": (ties, "_locked"),
    }
    target, name = place[broken]
    calls = []

    def cut(*arguments: object) -> object:
        calls.append(arguments)
        if broken == "main" and len(calls) == 1:
            return type(ties)._locked(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(target, name, cut)
        with pytest.raises(KeyboardInterrupt):
            ties.turn()
    ties.check_key_store()
    ties.check_storage()
    ties.turn()
    ties.check_key_store()
    ties.check_storage()


def test_the_share_of_strays_is_bounded_for_large_and_small() -> None:
    assert [strays.allowed(n) for n in (0, 1, 2, 3, 15, 20, 729, 1000, 100_000)] == [
        0, 0, 1, 1, 7, 10, 10, 10, 1000,
    ]  # fmt: skip


def test_lost_rows_stop_the_sweep_and_one_may_insist(
    environment: dict[str, str], org: UUID, member: Member, folder: Path
) -> None:
    put(org, member, 3)
    for _ in range(12):
        vault().store.put(vault().store.new_name(), b"without a row")
    age(folder)
    with misfit(strays.TooManyStrays, "12 of 15"):
        strays.sweep()
    run = CliRunner()
    refused = run.invoke(main, ["storage", "sweep"])
    assert refused.exit_code == 1
    assert "--most 12" in refused.stderr
    assert len(names()) == 15
    dry = run.invoke(main, ["storage", "sweep", "--dry-run", "--most", "12", "--json"])
    assert (dry.exit_code, len(json.loads(dry.stdout)["strays"])) == (0, 12)
    assert len(names()) == 15
    done = run.invoke(main, ["storage", "sweep", "--most", "12", "--json"])
    assert (done.exit_code, json.loads(done.stdout)) == (0, {"deleted": 12})
    assert len(names()) == 3


def test_check_tells_both_ways_and_changes_nothing(org: UUID, member: Member, folder: Path) -> None:
    first, *_ = put(org, member, 20)
    vault().store.put(stray := vault().store.new_name(), b"without a row")
    age(folder)
    with transaction(org) as session:
        lost = session.get_one(Artifact, first).object_name
    run = CliRunner()
    (folder / lost).unlink()
    found = run.invoke(main, ["storage", "check", "--json"])
    assert found.exit_code == 1
    assert json.loads(found.stdout) == {
        "objects": 20,
        "rows": 20,
        "strays": [stray],
        "missing": [{"organization": str(org), "artifact": str(first), "object": lost}],
        "tied": True,
    }
    assert stray in names()
    (folder / MARKER).unlink()
    untied = run.invoke(main, ["storage", "check"])
    assert untied.exit_code == 1
    assert "storage_not_ours" in untied.stderr


def test_a_moved_bucket_is_adopted(org: UUID, member: Member, folder: Path) -> None:
    put(org, member, 2)
    (folder / MARKER).unlink()  # whoever copied the objects left it out
    run = CliRunner()
    asked = run.invoke(main, ["storage", "adopt"], input="n\n")
    assert asked.exit_code == 1
    assert "Of 2 that this database has rows for, 2 are there" in asked.stderr
    with pytest.raises(StorageNotOurs):
        strays.sweep()
    assert run.invoke(main, ["storage", "adopt", "--yes"]).exit_code == 0
    assert strays.sweep().good
    assert run.invoke(main, ["storage", "check"]).exit_code == 0
