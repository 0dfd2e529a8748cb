"""A lost keyring comes back from its sealed copy; what was erased does not."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from click.testing import CliRunner, Result
from conftest import add_member, forget_process_state

from compliance import erasure
from core.errors import Unavailable
from core.models import Member
from core.vault import KeyErased, Vault, vault
from core.vault.ties import EscrowNotOurs
from deploy import installation
from deploy.cli import main


def run(*command: str) -> Result:
    return CliRunner().invoke(main, list(command))


@pytest.fixture
def escrow(environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that keeps its epoch key in escrow; the private key is in `tmp_path / "safe.pem"`."""
    made = run("keys", "escrow-key", "--out", str(tmp_path / "safe.pem"))
    assert made.exit_code == 0, made.output
    monkeypatch.setenv("HEADSHOTS_ESCROW_PATH", str(tmp_path / "escrow"))
    monkeypatch.setenv("HEADSHOTS_ESCROW_PUBLIC_KEY", made.stdout.strip())
    forget_process_state()
    begun = run("keys", "escrow")
    assert begun.exit_code == 0, begun.output
    installation.demand()
    return tmp_path / "escrow"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*.sealed"))


def lose_keyring(environment: dict[str, str]) -> None:
    shutil.rmtree(environment["HEADSHOTS_KEYRING_PATH"])
    forget_process_state()


def test_a_lost_keyring_comes_back_and_opens_what_it_opened(
    escrow: Path, org: UUID, member: Member, environment: dict[str, str], tmp_path: Path
) -> None:
    key = vault().keys.data_key(member.id)
    vault().keys.turn_epoch()
    lose_keyring(environment)
    assert run("web").exit_code == 2
    done = run("keys", "recover", "--key", str(tmp_path / "safe.pem"))
    assert done.exit_code == 0, done.output
    installation.demand()
    assert vault().keys.data_key(member.id) == key
    vault().keys.turn_epoch()
    assert vault().keys.data_key(member.id) == key


def test_the_copy_turns_with_the_epoch_and_no_old_one_is_left(escrow: Path, member: Member) -> None:
    assert names(escrow) == ["epoch-1.sealed"]
    vault().keys.turn_epoch()
    assert names(escrow) == ["epoch-2.sealed"]
    assert vault().keys.epoch_destroyed_at(1)


def test_whoever_was_erased_stays_erased_for_whoever_has_keyring_escrow_and_private_key(
    escrow: Path, member: Member, environment: dict[str, str], tmp_path: Path
) -> None:
    grace = add_member(member.org_id, "Grace")
    vault().keys.destroy(member.id)
    erasure.turn_epoch()
    lose_keyring(environment)
    assert run("keys", "recover", "--key", str(tmp_path / "safe.pem")).exit_code == 0
    with pytest.raises(KeyErased):
        vault().keys.data_key(member.id)
    assert vault().keys.data_key(grace.id)


def test_an_escrow_that_is_not_mounted_stops_the_turn_and_its_old_copy_is_destroyed_later(
    escrow: Path, member: Member
) -> None:
    """Otherwise a certificate would be complete while a copy of the old epoch's key still lies there."""
    away = escrow.with_name("away")
    escrow.rename(away)
    escrow.mkdir()  # what an unmounted volume leaves
    with pytest.raises(Unavailable):
        vault().keys.turn_epoch()
    assert vault().keys.epoch_destroyed_at(1) is None
    assert names(escrow) == []
    escrow.rmdir()
    away.rename(escrow)
    vault().keys.turn_epoch()
    assert vault().keys.epoch_destroyed_at(1)
    assert len(names(escrow)) == 1


def test_a_host_without_the_escrow_of_the_others_turns_nothing(
    escrow: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    monkeypatch.delenv("HEADSHOTS_ESCROW_PATH")
    monkeypatch.delenv("HEADSHOTS_ESCROW_PUBLIC_KEY")
    forget_process_state()
    for command in (["scheduler"], ["keys", "rotate"], ["web"]):
        done = run(*command)
        assert done.exit_code == 2
        assert "HEADSHOTS_ESCROW_PATH" in done.stderr


def test_an_escrow_ends_with_its_copies(
    escrow: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]
) -> None:
    assert run("keys", "escrow", "--end").exit_code == 0
    assert names(escrow) == []
    monkeypatch.delenv("HEADSHOTS_ESCROW_PATH")
    monkeypatch.delenv("HEADSHOTS_ESCROW_PUBLIC_KEY")
    forget_process_state()
    installation.demand()


def test_recovering_takes_the_right_private_key_and_overwrites_no_keyring(
    escrow: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    assert "has its key" in run("keys", "recover", "--key", str(tmp_path / "safe.pem")).stderr
    run("keys", "escrow-key", "--out", str(tmp_path / "other.pem"))
    lose_keyring(environment)
    refused = run("keys", "recover", "--key", str(tmp_path / "other.pem"))
    assert refused.exit_code == 1
    assert "not the one" in refused.stderr
    assert not Path(environment["HEADSHOTS_KEYRING_PATH"]).exists()


def test_the_private_key_is_written_once_and_read_by_its_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "safe.pem"
    assert run("keys", "escrow-key", "--out", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o077 == 0
    content = file.read_bytes()
    assert run("keys", "escrow-key", "--out", str(file)).exit_code == 1
    assert file.read_bytes() == content


@pytest.fixture
def running(environment: dict[str, str]) -> Iterator[Vault]:
    """What a scheduler goes on with that was started before."""
    started = vault()
    yield started
    started.keys._engine.dispose()


def leftovers(*folders: Path) -> list[str]:
    """Every file that could hold a key or a copy of one, of an epoch that is over."""
    return sorted(path.name for folder in folders for path in folder.iterdir() if "epoch-1." in path.name)


def test_what_a_killed_recovery_left_goes_with_its_epoch(
    escrow: Path, member: Member, environment: dict[str, str], tmp_path: Path
) -> None:
    lose_keyring(environment)
    pid = os.fork()
    if pid == 0:
        os.link = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        run("keys", "recover", "--key", str(tmp_path / "safe.pem"))
        os._exit(0)
    os.waitpid(pid, 0)
    forget_process_state()
    keyring = Path(environment["HEADSHOTS_KEYRING_PATH"])
    assert leftovers(keyring) == [f".epoch-1.{pid}.draft"]
    assert run("keys", "recover", "--key", str(tmp_path / "safe.pem")).exit_code == 0
    forget_process_state()
    vault().keys.turn_epoch()
    assert vault().keys.epoch_destroyed_at(1)
    assert leftovers(keyring, escrow) == []


def test_a_full_escrow_keeps_no_draft(escrow: Path, member: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def full(descriptor: int) -> None:
        if "escrow" in str(Path(f"/proc/self/fd/{descriptor}").readlink()):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert run("keys", "escrow").exit_code == 1
    assert leftovers(escrow) == ["epoch-1.sealed"]


def test_a_draft_in_the_escrow_goes_with_its_epoch(escrow: Path, member: Member) -> None:
    """What a writer that was killed left there."""
    (escrow / ".epoch-1.4711.draft").write_bytes((escrow / "epoch-1.sealed").read_bytes())
    vault().keys.turn_epoch()
    assert vault().keys.epoch_destroyed_at(1)
    assert leftovers(escrow) == []


def test_an_escrow_that_ends_ends_for_the_scheduler_that_runs_with_it(
    escrow: Path, member: Member, running: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    (escrow / ".epoch-1.4711.draft").write_bytes(b"what a killed writer left")
    assert run("keys", "escrow", "--end").exit_code == 0
    assert list(escrow.iterdir()) == []
    with pytest.raises(EscrowNotOurs):
        running.keys.turn_epoch()
    assert list(escrow.iterdir()) == []
    monkeypatch.delenv("HEADSHOTS_ESCROW_PATH")
    monkeypatch.delenv("HEADSHOTS_ESCROW_PUBLIC_KEY")
    forget_process_state()
    vault().keys.turn_epoch()
    assert vault().keys.epoch_destroyed_at(1)


def test_an_escrow_that_begins_while_a_scheduler_runs_without_it_stops_its_turns(
    member: Member, running: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("keys", "escrow-key", "--out", str(tmp_path / "safe.pem"))
    monkeypatch.setenv("HEADSHOTS_ESCROW_PATH", str(tmp_path / "escrow"))
    monkeypatch.setenv("HEADSHOTS_ESCROW_PUBLIC_KEY", made.stdout.strip())
    forget_process_state()
    assert run("keys", "escrow").exit_code == 0
    with pytest.raises(EscrowNotOurs):
        running.keys.turn_epoch()
    assert running.keys.epoch_destroyed_at(1) is None
    vault().keys.turn_epoch()
    assert names(tmp_path / "escrow") == ["epoch-2.sealed"]


def test_an_epoch_that_was_turning_when_the_escrow_began_is_not_destroyed_by_who_does_not_know_of_it(
    member: Member, running: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = run("keys", "escrow-key", "--out", str(tmp_path / "safe.pem"))

    def begins() -> int:
        monkeypatch.setattr(running.keys, "_rewrap", rewrap)
        monkeypatch.setenv("HEADSHOTS_ESCROW_PATH", str(tmp_path / "escrow"))
        monkeypatch.setenv("HEADSHOTS_ESCROW_PUBLIC_KEY", made.stdout.strip())
        forget_process_state()
        assert run("keys", "escrow").exit_code == 0
        return rewrap()

    rewrap = running.keys._rewrap
    monkeypatch.setattr(running.keys, "_rewrap", begins)
    with pytest.raises(EscrowNotOurs):
        running.keys.turn_epoch()
    assert names(tmp_path / "escrow") == ["epoch-1.sealed", "epoch-2.sealed"]
    vault().keys.finish_turns()
    assert vault().keys.epoch_destroyed_at(1)
    assert names(tmp_path / "escrow") == ["epoch-2.sealed"]
