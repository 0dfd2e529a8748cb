"""Trying a restore beside the running installation: scratch databases, a scratch storage, a copy of today's key store."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from core.clock import now
from core.db import engine
from core.errors import AppError, ConfigurationError
from core.models import Installation
from core.settings import settings
from deploy.backup import postgres
from deploy.backup.manifest import Manifest
from deploy.local.processes import child_environment, python_module


class DrillFailed(AppError):
    """The backup could not be restored."""

    code = "drill_failed"
    status = 500


@dataclass(frozen=True)
class Scratch:
    """Addresses of two empty databases that may be filled and emptied."""

    database_url: str
    database_owner_url: str
    keys_database_url: str

    @classmethod
    def of_settings(cls) -> Scratch:
        """Return those of the settings; a command line, where everybody could read their passwords, has none.

        Raises:
            ConfigurationError: one is not set.
        """
        config = settings()
        app, owner = config.drill_database_url, config.drill_database_owner_url
        keys = config.drill_keys_database_url
        if app is None or owner is None or keys is None:
            raise ConfigurationError(
                "Set HEADSHOTS_DRILL_DATABASE_URL, HEADSHOTS_DRILL_DATABASE_OWNER_URL and HEADSHOTS_DRILL_KEYS_DATABASE_URL to two "
                "empty databases: a drill fills them, and empties them at its end."
            )
        return cls(app.get_secret_value(), owner.get_secret_value(), keys.get_secret_value())

    def clear(self) -> None:
        """Leave no person's name in them."""
        postgres.clear(self.database_owner_url)
        postgres.clear(self.keys_database_url)


@dataclass(frozen=True)
class Report:
    """What a drill found.

    Attributes:
        backup_age_hours: from the backup's beginning until now.
        findings: see `deploy.backup.checking.Findings`.
    """

    backup_age_hours: float
    restore_seconds: float
    check_seconds: float
    erased_again: int
    removed_again: int
    findings: dict[str, Any]

    @property
    def problems(self) -> list[str]:
        """What did not hold."""
        return list(self.findings["problems"])

    def as_json(self) -> dict[str, Any]:
        """Return it as values."""
        return asdict(self)


def drill(folder: Path, scratch: Scratch) -> Report:
    """Restore the backup in `folder` into `scratch` and check it there, in processes of their own.

    Raises:
        BackupDamaged: a file is not what was backed up.
        ConfigurationError: the backup has no objects, or a scratch database is not empty.
        DrillFailed: the restore did not end well; says its last words.
    """
    manifest = Manifest.read(folder)
    config = settings()
    if not manifest.objects_copied:
        raise ConfigurationError(
            "This backup has no objects, so a drill could open nothing of it. Make one with `headshots backup --objects`; for the "
            "timer's backups to have them, set HEADSHOTS_BACKUP_OBJECTS=true where it reads its settings "
            "(/etc/headshots/backup.env)."
        )
    if config.keys_database_backup_url is None:
        raise ConfigurationError(
            "Set HEADSHOTS_KEYS_DATABASE_BACKUP_URL: the drill copies today's key store."
        )
    for url in (scratch.database_owner_url, scratch.keys_database_url):
        if not postgres.is_empty(url):
            raise ConfigurationError("A drill fills empty databases only.")
    with tempfile.TemporaryDirectory(prefix="headshots-drill-") as place, ExitStack() as at_end:
        at_end.callback(scratch.clear)
        todays_keys = Path(place) / "keys.dump"
        postgres.dump(config.keys_database_backup_url.get_secret_value(), todays_keys)
        postgres.restore(scratch.keys_database_url, todays_keys)
        values = _environment(scratch, Path(place))
        started = time.monotonic()
        restored = _run(values, "restore", str(folder), "--json")
        between = time.monotonic()
        findings = _run(values, "drill", "check", "--json", may_find=True)
        ended = time.monotonic()
    report = Report(
        backup_age_hours=round((now() - manifest.began_at).total_seconds() / 3600, 2),
        restore_seconds=round(between - started, 1),
        check_seconds=round(ended - between, 1),
        erased_again=restored["erased_again"],
        removed_again=restored["removed_again"],
        findings=findings,
    )
    if not report.problems:
        with Session(engine()) as session, session.begin():
            session.execute(update(Installation).values(drill_at=now()))
    return report


def _environment(scratch: Scratch, place: Path) -> dict[str, str]:
    """Return the settings of this process, but with other databases and a storage in `place`."""
    own = {f"HEADSHOTS_{name.upper()}": _plain(value) for name, value in settings() if value is not None}
    return own | {
        "HEADSHOTS_DATABASE_URL": scratch.database_url,
        "HEADSHOTS_DATABASE_OWNER_URL": scratch.database_owner_url,
        "HEADSHOTS_KEYS_DATABASE_URL": scratch.keys_database_url,
        "HEADSHOTS_STORAGE_URL": (place / "storage").as_uri(),
    }


def _plain(value: Any) -> str:
    if isinstance(value, tuple):  # settings read lists as JSON
        return json.dumps([str(one) for one in value])
    return str(value.get_secret_value()) if hasattr(value, "get_secret_value") else str(value)


def _run(values: Mapping[str, str], *command: str, may_find: bool = False) -> dict[str, Any]:
    done = subprocess.run(
        python_module("deploy.cli", *command),
        env=child_environment(values),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode and not (may_find and done.stdout):
        raise DrillFailed(f"`headshots {command[0]}` failed: {done.stderr.strip()[-1000:]}")
    said: dict[str, Any] = json.loads(done.stdout)
    return said
