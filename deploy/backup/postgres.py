"""The operator's own `pg_dump` and `pg_restore`: found, old enough to be refused, and never given a password to show."""

from __future__ import annotations

import re
import shutil
import subprocess
from contextlib import closing
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import URL, make_url

from core.connections import trusting
from core.errors import AppError, ConfigurationError
from core.settings import settings
from deploy.local.processes import child_environment

# What of an address libpq reads from the environment, where no list of processes shows it.
_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}


class DumpFailed(AppError):
    """`pg_dump` or `pg_restore` did not finish its work."""

    code = "dump_failed"
    status = 500


def dump(url: str, file: Path) -> None:
    """Write all that is to be kept of the database at `url`: no unlogged table, which holds plain text.

    Raises:
        ConfigurationError: there is no `pg_dump`, or one older than the server.
        DumpFailed: it says why.
    """
    # Rows of all companies: the role is exempt from row-level security, and whichever is not shall fail loudly.
    _run("pg_dump", url, "--format=custom", "--no-unlogged-table-data", f"--file={file}")


def restore(url: str, file: Path) -> None:
    """Read a dump into the empty database at `url`, in one transaction.

    Raises:
        ConfigurationError: there is no `pg_restore`, or one older than the server.
        DumpFailed: it says why; nothing was changed.
    """
    name = make_url(url).database
    # Whoever restores makes everything, and may then give to others what was theirs: `functions_of` says what.
    _run(
        "pg_restore",
        url,
        "--no-owner",
        "--single-transaction",
        "--exit-on-error",
        f"--dbname={name}",
        str(file),
    )


def functions_of(role: str, file: Path) -> list[str]:
    """Return the signatures of the functions in a dump that belonged to `role`."""
    listed = subprocess.run(
        [str(tool("pg_restore")), "--list", str(file)], capture_output=True, text=True, check=True
    ).stdout
    return re.findall(rf"^\d+; \d+ \d+ FUNCTION public (.+) {role}$", listed, re.MULTILINE)


def is_empty(url: str) -> bool:
    """Whether the database at `url` has no table of ours, nor anybody else's."""
    with closing(connect(url)) as connection:
        asked = "SELECT count(*) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
        return connection.execute(asked).fetchone() == (0,)


def clear(url: str) -> None:
    """Remove every table and function from the database at `url`, which was empty before we filled it.

    Raises:
        psycopg.Error: the role may not.
    """
    with closing(connect(url)) as connection, connection.transaction():
        tables = "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        for (name,) in connection.execute(tables).fetchall():
            connection.execute(f"DROP TABLE IF EXISTS {name} CASCADE".encode())  # quoted by regclass
        routines = "SELECT oid::regprocedure::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
        for (name,) in connection.execute(routines).fetchall():
            connection.execute(f"DROP ROUTINE IF EXISTS {name} CASCADE".encode())


def connect(url: str) -> psycopg.Connection:
    """Open a connection of its own, which commits each statement."""
    address = make_url(trusting(url))
    where: dict[str, str | None] = {name: str(value) for name, value in address.query.items()}
    where |= {"dbname": address.database, "user": address.username, "password": str(address.password or "")}
    where |= {"host": address.host} if address.host else {}
    where |= {"port": str(address.port)} if address.port else {}
    return psycopg.connect(make_conninfo("", **where), autocommit=True)


def _run(program: str, url: str, *arguments: str) -> None:
    found = tool(program)
    _check_version(found, url)
    done = subprocess.run(
        [str(found), "--no-password", *arguments],
        env=child_environment(_environment(make_url(url))),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DumpFailed(f"{program} failed: {done.stderr.strip()[-1000:]}")


def tool(program: str) -> Path:
    """Return where `pg_dump` or its like is: in the folder of the settings, or on PATH.

    Raises:
        ConfigurationError: nowhere.
    """
    folder = settings().postgres_bin
    if folder is None and shutil.which(program):
        folder = Path(str(shutil.which(program))).parent
    if folder is None or not (folder / program).exists():
        raise ConfigurationError(
            f"There is no {program} here. Install PostgreSQL's client of your server's version (Debian: "
            "postgresql-client-16), or set HEADSHOTS_POSTGRES_BIN to its folder."
        )
    return folder / program


def _check_version(found: Path, url: str) -> None:
    """`pg_dump` refuses a newer server with an error of its own; this one says what to install."""
    said = subprocess.run([str(found), "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"(\d+)", said)
    with closing(connect(url)) as connection:
        server = connection.info.server_version // 10_000
    if version is None or int(version[1]) < server:
        raise ConfigurationError(
            f"{found} is of release {version[1] if version else '?'} and the server of {server}. Install PostgreSQL's "
            f"client {server} or newer, or set HEADSHOTS_POSTGRES_BIN to the folder where it is."
        )


def _environment(url: URL) -> dict[str, str]:
    values = {"PGDATABASE": url.database, "PGUSER": url.username, "PGHOST": url.host}
    values |= {"PGPORT": str(url.port) if url.port else None, "PGPASSWORD": str(url.password or "") or None}
    values |= {_LIBPQ[name]: str(value) for name, value in url.query.items() if name in _LIBPQ}
    return {name: value for name, value in values.items() if value is not None}
