"""`deploy/database/roles.sql`: what an operator runs before the first migration."""

from __future__ import annotations

import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import forget_process_state, settings_of
from sqlalchemy import create_engine, make_url, text

from deploy.cli import main
from deploy.local.postgres import pg_bin
from deploy.local.processes import child_environment
from deploy.local.services import LocalServices

ROLES = Path(__file__).parents[2] / "deploy" / "database" / "roles.sql"


def test_roles_for_two_servers_are_made_as_documented_and_a_backup_of_them_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a server of its own: what an operator does before the first migration, and a backup by its role."""
    with LocalServices(tmp_path / "servers", durable=False) as fresh:
        secrets = {f"HEADSHOTS_{role}_PASSWORD": f"a {role} p@ss/word" for role in ("OWNER", "APP", "BACKUP")}
        for server in ("main", "keys", "main", "keys"):  # a second run changes nothing
            done = subprocess.run(
                [
                    str(pg_bin() / "psql"), "-qAt", "-v", "ON_ERROR_STOP=1", "-v", f"server={server}",
                    "-v", "main=site", "-v", "keys=site_keys", "-f", str(ROLES),
                    fresh.superuser_url("postgres").replace("postgresql+psycopg", "postgresql"),
                ],
                env=child_environment() | secrets,
                capture_output=True,
                text=True,
                check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr

        def url(role: str, database: str) -> str:
            address = make_url(fresh.superuser_url(database))
            named = address.set(username=f"headshots_{role.lower()}", password=f"a {role} p@ss/word")
            return named.render_as_string(hide_password=False)

        values = settings_of(tmp_path / "home") | {
            "HEADSHOTS_DATABASE_URL": url("APP", "site"),
            "HEADSHOTS_DATABASE_OWNER_URL": url("OWNER", "site"),
            "HEADSHOTS_DATABASE_BACKUP_URL": url("BACKUP", "site"),
            "HEADSHOTS_KEYS_DATABASE_URL": url("APP", "site_keys"),
            "HEADSHOTS_KEYS_DATABASE_BACKUP_URL": url("BACKUP", "site_keys"),
            "HEADSHOTS_REDIS_URL": fresh.redis_url,
            "HEADSHOTS_POSTGRES_BIN": str(pg_bin()),
        }
        for name, value in values.items():
            monkeypatch.setenv(name, value)
        forget_process_state()
        run = CliRunner().invoke
        assert run(main, ["migrate"]).exit_code == 0
        assert run(main, ["create-company", "acme", "Acme"]).exit_code == 0
        folder = Path(
            json.loads(run(main, ["backup", "--out", str(tmp_path / "backups"), "--json"]).stdout)["folder"]
        )
        backup_role = create_engine(url("BACKUP", "site"))
        with backup_role.connect() as connection:
            assert connection.execute(text("SELECT slug FROM organizations")).scalars().all() == ["acme"]
            with pytest.raises(Exception, match=r"read-only|permission denied"):
                connection.execute(text("UPDATE organizations SET slug = 'x'"))
        backup_role.dispose()
        assert folder.is_dir()
        forget_process_state()


def test_roles_are_refused_in_words_before_anything_is_made(services: LocalServices, tmp_path: Path) -> None:
    passwords = {f"HEADSHOTS_{role}_PASSWORD": "a password" for role in ("OWNER", "APP", "BACKUP")}

    def refused(*options: str, script: Path = ROLES, **environment: str) -> str:
        url = services.superuser_url("postgres").replace("postgresql+psycopg", "postgresql")
        names = ("-v", "main=refused", "-v", "keys=refused_keys")
        done = subprocess.run(
            [str(pg_bin() / "psql"), "-qAt", *names, *options, "-f", str(script), url],
            env=child_environment() | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode != 0
        (line,) = done.stderr.splitlines()
        return line

    older = tmp_path / "roles.sql"  # as an old server sees it
    older.write_text(ROLES.read_text().replace("::int < 160000", "::int < 990000"))
    assert "-v server=main, -v server=keys" in refused(**passwords)
    assert "-v server=main, -v server=keys" in refused("-v", "server=mein", **passwords)
    assert "16 or newer is needed" in refused("-v", "server=main", script=older, **passwords)
    assert "Export HEADSHOTS_APP_PASSWORD" in refused("-v", "server=main")
    assert "HEADSHOTS_OWNER_PASSWORD for the main" in refused(
        "-v", "server=main", **(passwords | {"HEADSHOTS_OWNER_PASSWORD": ""})
    )
    with closing(services.postgres.connect()) as connection:
        assert not connection.execute("SELECT FROM pg_database WHERE datname LIKE 'refused%'").fetchall()
