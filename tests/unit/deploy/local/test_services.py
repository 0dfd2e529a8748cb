"""The embedded services, for real: started, refused, killed and started again."""

from __future__ import annotations

import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from sqlalchemy import create_engine, make_url, text

from deploy.local.postgres import pg_bin
from deploy.local.processes import child_environment
from deploy.local.services import Databases, HomeInUse, LocalServices

START_AND_SLEEP = """
import sys, time
from pathlib import Path
from deploy.local.services import LocalServices
services = LocalServices(Path(sys.argv[1]), durable=False)
services.start()
print(services.postgres.pid, services.redis.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def home() -> Iterator[Path]:
    """A home outside of pytest's own folder, which each further pytest closes to Postgres's user."""
    with tempfile.TemporaryDirectory(prefix="headshots-test-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def services() -> Iterator[LocalServices]:
    """Services of this file's own, since its tests kill them."""
    with (
        tempfile.TemporaryDirectory(prefix="headshots-test-") as folder,
        LocalServices(Path(folder), durable=False) as running,
    ):
        yield running


@pytest.fixture
def databases(services: LocalServices) -> Iterator[Databases]:
    services.ensure_running()
    fresh = services.fresh_databases("test")
    yield fresh
    services.ensure_running()
    services.drop_databases(fresh)


def plain(url: str) -> str:
    return url.replace("postgresql+psycopg://", "postgresql://")


def ask(url: str, statement: str) -> object:
    with psycopg.connect(plain(url), autocommit=True) as connection:
        row = connection.execute(statement).fetchone()
    return row[0] if row else None


def do(url: str, statement: str) -> None:
    with psycopg.connect(plain(url), autocommit=True) as connection:
        connection.execute(statement)


def wait_until_gone(pid: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_the_addresses_work_for_sqlalchemy_and_redis(services: LocalServices, databases: Databases) -> None:
    engine = create_engine(databases.app)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar_one() == "headshots_app"
    engine.dispose()
    with redis.Redis.from_url(services.redis_url) as client:
        assert client.ping()


def test_the_app_and_the_owner_are_bound_by_row_level_security(databases: Databases) -> None:
    for url in (databases.app, databases.owner):
        flags = "rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
        assert ask(url, f"SELECT {flags} FROM pg_roles WHERE rolname = current_user") is False


@pytest.mark.parametrize("role", ["postgres", "headshots_owner", "headshots_lookup"])
def test_the_app_cannot_sign_in_as_another_role(databases: Databases, role: str) -> None:
    own = make_url(databases.app)
    for password in (own.password, ""):
        other = own.set(username=role, password=password).render_as_string(hide_password=False)
        with pytest.raises(psycopg.OperationalError, match=r"password|not permitted to log in"):
            ask(other, "SELECT 1")


@pytest.mark.parametrize("role", ["postgres", "headshots_owner", "headshots_lookup"])
def test_the_app_cannot_become_another_role(databases: Databases, role: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        do(databases.app, f"SET ROLE {role}")


def test_the_owner_uses_the_lookup_role_only_by_saying_so(databases: Databases) -> None:
    inherits = "SELECT pg_has_role('headshots_owner', 'headshots_lookup', 'USAGE')"
    assert ask(databases.owner, inherits) is False
    do(databases.owner, "SET ROLE headshots_lookup")


def test_the_app_makes_tables_in_the_key_store_but_not_in_the_main_database(databases: Databases) -> None:
    do(databases.keys, "CREATE TABLE wrapped (id int)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        do(databases.app, "CREATE TABLE mine (id int)")


def test_nobody_without_a_grant_reaches_another_database(
    services: LocalServices, databases: Databases
) -> None:
    do(services.superuser_url("postgres"), "CREATE ROLE stranger LOGIN PASSWORD 'x'")
    stranger = make_url(databases.app).set(username="stranger", password="x")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        ask(stranger.render_as_string(hide_password=False), "SELECT 1")


def test_a_copy_of_a_template_has_its_tables_and_rights(
    services: LocalServices, databases: Databases
) -> None:
    do(databases.owner, "CREATE TABLE things (name text)")
    do(databases.owner, "GRANT SELECT ON things TO headshots_app")
    do(databases.owner, "INSERT INTO things VALUES ('a')")
    copy = services.fresh_databases("copy", template=databases)
    try:
        assert ask(copy.app, "SELECT name FROM things") == "a"
        do(copy.owner, "DELETE FROM things")
        assert ask(databases.app, "SELECT count(*) FROM things") == 1
    finally:
        services.drop_databases(copy)


def test_what_was_committed_survives_a_restart_and_a_kill(
    services: LocalServices, databases: Databases
) -> None:
    do(databases.owner, "CREATE TABLE things AS SELECT 1 AS n")
    services.restart_postgres()
    assert ask(databases.owner, "SELECT n FROM things") == 1
    services.postgres.kill()
    with pytest.raises(psycopg.OperationalError):
        ask(databases.owner, "SELECT 1")
    services.ensure_running()
    assert ask(databases.owner, "SELECT n FROM things") == 1


def test_a_killed_redis_comes_back_empty_at_the_same_address(services: LocalServices) -> None:
    with redis.Redis.from_url(services.redis_url) as client:
        client.set("a", "b")
    services.redis.kill()
    services.ensure_running()
    with redis.Redis.from_url(services.redis_url) as client:
        assert client.get("a") is None


def test_flushing_redis_leaves_nothing(services: LocalServices) -> None:
    with redis.Redis.from_url(services.redis_url) as client:
        client.set("a", "b")
        services.flush_redis()
        assert client.dbsize() == 0


def test_a_second_process_is_told_that_the_home_is_in_use(services: LocalServices) -> None:
    with pytest.raises(HomeInUse, match="already runs from"):
        LocalServices(services.home, durable=False).start()


def test_passwords_and_data_are_readable_by_nobody_else(services: LocalServices) -> None:
    assert stat.S_IMODE((services.home / "services.json").stat().st_mode) == 0o600
    for folder in ("postgres", "run", "logs"):
        assert stat.S_IMODE((services.home / folder).stat().st_mode) & 0o077 == 0


def test_values_of_a_failed_statement_are_not_logged(services: LocalServices, databases: Databases) -> None:
    do(databases.owner, "CREATE TABLE people (email text PRIMARY KEY)")
    do(databases.owner, "INSERT INTO people VALUES ('ada@example.com')")
    with pytest.raises(psycopg.errors.UniqueViolation):
        do(databases.owner, "INSERT INTO people VALUES ('ada@example.com')")
    assert "ada@example.com" not in (services.home / "logs" / "postgres.log").read_text()


def test_a_dump_restores_into_a_fresh_database(services: LocalServices, databases: Databases) -> None:
    do(databases.owner, "CREATE TABLE things AS SELECT 7 AS n")
    source = plain(services.superuser_url(databases.name))
    dump = subprocess.run([pg_bin() / "pg_dump", "-Fc", source], capture_output=True, check=True).stdout
    copy = services.fresh_databases("restored")
    try:
        target = plain(services.superuser_url(copy.name))
        subprocess.run([pg_bin() / "pg_restore", "-d", target], input=dump, check=True, capture_output=True)
        assert ask(copy.owner, "SELECT n FROM things") == 7
    finally:
        services.drop_databases(copy)


def test_a_killed_parent_leaves_no_server_and_a_home_that_starts_again(home: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", START_AND_SLEEP, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        env=child_environment(),
        cwd=Path(__file__).parents[4],
    )
    with parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        parent.send_signal(signal.SIGKILL)
    assert all(wait_until_gone(pid) for pid in pids)
    with LocalServices(home, durable=False) as again:
        assert ask(again.databases.app, "SELECT 1") == 1


def test_a_pid_file_whose_number_is_somebody_elses_now_does_not_stop_a_start(home: Path) -> None:
    services = LocalServices(home, durable=False)
    with services:
        services.postgres.kill()
        pid_file = home / "postgres" / "postmaster.pid"
        lines = pid_file.read_text().splitlines()
        with subprocess.Popen(["sleep", "60"]) as other:
            pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
            services.ensure_running()
            assert ask(services.databases.app, "SELECT 1") == 1
            assert other.poll() is None
            other.kill()


def test_a_first_start_that_was_cut_short_is_made_good(home: Path) -> None:
    half = home / "postgres.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    with LocalServices(home, durable=False) as services:
        assert ask(services.databases.app, "SELECT 1") == 1


def test_a_home_too_deep_for_a_socket_works(home: Path) -> None:
    deep = home.joinpath(*["a-rather-long-folder-name"] * 4)
    with LocalServices(deep, durable=False) as services:
        assert ask(services.databases.app, "SELECT 1") == 1
        with redis.Redis.from_url(services.redis_url) as client:
            assert client.ping()
