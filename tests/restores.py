"""`headshots backup`, `restore` and `drill` as an operator runs them, and moving this process to other databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import forget_process_state

from deploy.cli import main
from deploy.local.services import Databases, LocalServices


def run(*command: str) -> Result:
    return CliRunner().invoke(main, list(command))


def good(*command: str) -> dict[str, object]:
    done = run(*command, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    said: dict[str, object] = json.loads(done.stdout)
    return said


def demand_nothing_starts(why: str = "") -> None:
    """See that each kind of process refuses to start and says `why`."""
    for command in (["web"], ["worker", "--burst"], ["scheduler"]):
        done = run(*command)
        assert done.exit_code == 2
        assert why in done.stderr


def back_up(tmp_path: Path, *options: str) -> Path:
    return Path(str(good("backup", "--out", str(tmp_path / "backups"), *options)["folder"]))


def move_to(values: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    forget_process_state()


def main_of(services: LocalServices, databases: Databases) -> dict[str, str]:
    names = ("HEADSHOTS_DATABASE_URL", "HEADSHOTS_DATABASE_OWNER_URL", "HEADSHOTS_DATABASE_BACKUP_URL")
    found = services.environment(databases)
    return {name: found[name] for name in names}
