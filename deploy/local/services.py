"""The embedded services of `up`, `demo` and the tests: PostgreSQL and Redis in one folder.

For development and small trials. In production give `HEADSHOTS_DATABASE_URL` and its siblings
servers of your own: here the key store is a second database of the same server.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import secrets
import shutil
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from psycopg import sql
from sqlalchemy import URL

from core.errors import ConfigurationError, Conflict
from deploy.local.postgres import PORT, SUPERUSER, EmbeddedPostgres, pg_bin
from deploy.local.redis import EmbeddedRedis
from deploy.local.service_user import identity, let_reach, own

MAIN = "headshots"
KEYS = "headshots_keys"
OWNER = "headshots_owner"
APP = "headshots_app"
LOOKUP = "headshots_lookup"
BACKUP = "headshots_backup"
LONGEST_SOCKET = 107  # bytes, unix(7): sun_path with its closing zero is 108


class HomeInUse(Conflict):
    """Another process runs its services from this folder."""

    code = "home_in_use"


@dataclass(frozen=True, slots=True)
class Databases:
    """Addresses of one main database and its key store.

    Attributes:
        name: The main database's name.
        keys_name: The key store's name.
        app: The main database for the app's role, which row-level security binds.
        owner: The main database for the tables' owner: migrations.
        keys: The key store for the app's role, which makes its tables there itself.
    """

    name: str
    keys_name: str
    app: str
    owner: str
    keys: str


def in_use(home: Path) -> bool:
    """Whether a process runs its services from `home`."""
    lock = home / "lock"
    if not lock.exists():
        return False
    with lock.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


class LocalServices:
    """PostgreSQL and Redis, started as our children and gone when we are.

    The data lives in `home/postgres`, messages in `home/logs`, passwords in `home/services.json`
    (mode 0600). Start it from the main thread: its end is what stops the servers.

    Args:
        home: Made if missing; one process at a time may use it.
        durable: False only in tests: faster, and data may be lost when the machine stops.
    """

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home.resolve()
        self._durable = durable
        self._stops = ExitStack()

    def start(self) -> None:
        """Start both services and make the roles and databases that are missing.

        Raises:
            HomeInUse: another process runs from the same home.
            Unavailable: a server does not start; says its last words.
            ConfigurationError: the home's passwords are lost, or its socket folder belongs to another.
        """
        self.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as stops:  # what has begun is undone in reverse order, now if the rest fails
            stops.enter_context(self._lock())
            logs = self.home / "logs"
            logs.mkdir(exist_ok=True, mode=0o700)
            self._passwords = self._load_passwords()
            self._sockets = self._socket_folder()
            stops.callback(shutil.rmtree, self._sockets, ignore_errors=True)
            self.postgres = EmbeddedPostgres(
                self.home / "postgres",
                self._sockets,
                logs / "postgres.log",
                password=self._passwords[SUPERUSER],
                durable=self._durable,
            )
            stops.callback(self.postgres.stop)
            self.postgres.start()
            self.redis = EmbeddedRedis(self._sockets, logs / "redis.log")
            stops.callback(self.redis.stop)
            self.redis.start()
            self._make_roles()
            self._make_databases(MAIN, KEYS)
            self._stops = stops.pop_all()

    def stop(self) -> None:
        """Stop both services and leave the home to others."""
        self._stops.close()

    def __enter__(self) -> LocalServices:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def databases(self) -> Databases:
        """The databases of `up` and `demo`."""
        return self._addresses(MAIN, KEYS)

    @property
    def redis_url(self) -> str:
        """Address of Redis."""
        return self.redis.url

    def environment(self, databases: Databases | None = None) -> dict[str, str]:
        """Return the settings that lead a process to these services."""
        wanted = databases or self.databases
        return {
            "HEADSHOTS_DATABASE_URL": wanted.app,
            "HEADSHOTS_DATABASE_OWNER_URL": wanted.owner,
            "HEADSHOTS_KEYS_DATABASE_URL": wanted.keys,
            "HEADSHOTS_DATABASE_BACKUP_URL": self._url(BACKUP, wanted.name),
            "HEADSHOTS_KEYS_DATABASE_BACKUP_URL": self._url(BACKUP, wanted.keys_name),
            "HEADSHOTS_POSTGRES_BIN": str(pg_bin()),
            "HEADSHOTS_REDIS_URL": self.redis_url,
        }

    def superuser_url(self, database: str) -> str:
        """Return the address of `database` for the superuser: backups, restores and tests only."""
        return self._url(SUPERUSER, database)

    def fresh_databases(self, name: str, *, template: Databases | None = None) -> Databases:
        """Make a new, uniquely named pair of databases.

        Args:
            name: Start of the names, lower-case letters, digits and underscores.
            template: Copied with all that is in it (a migrated pair: much faster than migrating
                again); nothing may be connected to it.
        """
        assert re.fullmatch(r"[a-z][a-z0-9_]{0,30}", name), name
        main = f"{name}_{secrets.token_hex(4)}"
        keys = f"{main}_keys"
        self._make_databases(main, keys, template=template)
        return self._addresses(main, keys)

    def drop_databases(self, databases: Databases) -> None:
        """Remove a pair and all in it, whoever is connected."""
        with closing(self.postgres.connect()) as connection:
            for name in (databases.name, databases.keys_name):
                connection.execute(
                    sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name))
                )

    def restart_postgres(self) -> None:
        """Stop Postgres in good order and start it again, at the same address."""
        self.postgres.stop()
        self.postgres.start()

    def flush_redis(self) -> None:
        """Make Redis forget everything."""
        self.redis.flush()

    def ensure_running(self) -> None:
        """Start again what has died."""
        if not self.postgres.is_running:
            self.postgres.start()
        if not self.redis.is_running:
            self.redis.start()

    def _lock(self) -> IO[str]:
        lock = (self.home / "lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read().strip()
            lock.close()
            raise HomeInUse(
                f"Process {holder} already runs from {self.home}. Stop it first, or use another folder."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def _load_passwords(self) -> dict[str, str]:
        path = self.home / "services.json"
        passwords: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        missing = [role for role in (SUPERUSER, OWNER, APP, BACKUP) if role not in passwords]
        if not missing:
            return passwords
        passwords |= {role: secrets.token_urlsafe(24) for role in missing}
        half = path.with_suffix(".new")
        half.unlink(missing_ok=True)
        half.touch(mode=0o600)
        half.write_text(json.dumps(passwords))
        half.rename(path)
        return passwords

    def _socket_folder(self) -> Path:
        """Return a private folder for the sockets: in the home, or in the temp folder where that is too deep."""
        folder = self.home / "run"
        if len(os.fsencode(folder / f".s.PGSQL.{PORT}.lock")) > LONGEST_SOCKET:
            name = hashlib.sha256(os.fsencode(self.home)).hexdigest()[:16]
            folder = Path(tempfile.gettempdir()) / f"headshots-{name}"
        who = identity()
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid not in {os.geteuid(), who.get("user", os.geteuid())} or folder.is_symlink():
            raise ConfigurationError(f"{folder} belongs to someone else. Remove it and start again.")
        own(folder, who)
        let_reach(folder, who)
        folder.chmod(0o700)
        return folder

    def _make_roles(self) -> None:
        with closing(self.postgres.connect()) as connection:
            known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
            for role in (OWNER, APP, BACKUP):
                verb = sql.SQL("ALTER ROLE" if role in known else "CREATE ROLE")
                walls = sql.SQL("BYPASSRLS" if role == BACKUP else "NOBYPASSRLS")
                connection.execute(
                    sql.SQL("{} {} LOGIN NOSUPERUSER {} NOCREATEDB NOCREATEROLE PASSWORD {}").format(
                        verb, sql.Identifier(role), walls, sql.Literal(self._passwords[role])
                    )
                )
            connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(sql.Identifier(BACKUP)))
            if LOOKUP not in known:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(LOOKUP)))
            # Migrations make it the owner of look-up functions; nobody has its rights in passing.
            connection.execute(
                sql.SQL("GRANT {} TO {} WITH INHERIT FALSE, SET TRUE").format(
                    sql.Identifier(LOOKUP), sql.Identifier(OWNER)
                )
            )

    def _make_databases(self, main: str, keys: str, *, template: Databases | None = None) -> None:
        with closing(self.postgres.connect()) as connection:
            known = {name for (name,) in connection.execute("SELECT datname FROM pg_database")}
            sources = (template.name, template.keys_name) if template else ("template0", "template0")
            for name, source in zip((main, keys), sources, strict=True):
                database, app = sql.Identifier(name), sql.Identifier(APP)
                if name not in known:
                    # Copying files takes half the time of copying blocks through the server's log.
                    connection.execute(
                        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY").format(
                            database, sql.Identifier(OWNER), sql.Identifier(source)
                        )
                    )
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
                connection.execute(
                    sql.SQL("GRANT CONNECT ON DATABASE {} TO {}, {}").format(
                        database, app, sql.Identifier(BACKUP)
                    )
                )
        if template is not None:
            return  # what is granted within a database was copied with it
        with closing(self.postgres.connect(keys)) as connection:
            connection.execute(
                sql.SQL("GRANT USAGE, CREATE ON SCHEMA public TO {}").format(sql.Identifier(APP))
            )

    def _addresses(self, main: str, keys: str) -> Databases:
        return Databases(
            name=main,
            keys_name=keys,
            app=self._url(APP, main),
            owner=self._url(OWNER, main),
            keys=self._url(APP, keys),
        )

    def _url(self, role: str, database: str) -> str:
        return URL.create(
            "postgresql+psycopg",
            username=role,
            password=self._passwords[role],
            database=database,
            query={"host": str(self._sockets), "port": str(PORT)},
        ).render_as_string(hide_password=False)
