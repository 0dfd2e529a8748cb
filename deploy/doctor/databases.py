"""The two databases: who may what, at which version, with which schema; and Redis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import redis
from sqlalchemy import Connection, NullPool, make_url, text
from sqlalchemy.exc import ProgrammingError

from core import locks
from core.connections import postgres_engine, redis_options
from core.db import SchemaTooOld, demand_schema, demand_sessions
from core.observe import health
from core.settings import settings
from deploy.doctor.finding import Finding, failure, ok, skipped, warning
from migrations import HEAD

OLDEST_POSTGRES: Final = 160000  # server_version_num
OLDEST_REDIS: Final = (6, 2)
# A power cut loses what was committed without these; a certificate would say what is no more.
_DURABLE: Final = ("fsync", "full_page_writes", "synchronous_commit")
_ROLES_SQL = "See “Operate”, 1: the app's role is LOGIN NOSUPERUSER NOBYPASSRLS, and owns nothing."


def _connect(url: str) -> Connection:
    return postgres_engine(url, poolclass=NullPool).connect()


def _row(connection: Connection, question: str, **values: Any) -> Any:
    return connection.execute(text(question), values).one()


def main_database() -> Iterator[Finding]:
    """The server, its settings, the app's role, the walls between companies, and the schema."""
    check = "database"
    with _connect(settings().database_url.get_secret_value()) as connection:
        yield from _server(check, connection)
        yield from _app_role(connection)
        yield from _walls(connection)
        yield from _lookup_role(connection)
        yield from _schema(connection)
        yield from _names(connection)
    demand_sessions()
    yield ok(check, "long locks and notifications have a session of their own")


def _server(check: str, connection: Connection) -> Iterator[Finding]:
    number, said, encoding = _row(
        connection,
        "SELECT current_setting('server_version_num')::int, current_setting('server_version'),"
        " current_setting('server_encoding')",
    )
    if number < OLDEST_POSTGRES:
        yield failure(check, f"Postgres {said} answers", "Upgrade to Postgres 16 or newer.")
    else:
        yield ok(check, f"Postgres {said} answers")
    if encoding != "UTF8":
        yield failure(check, f"its encoding is {encoding}", "Create the database anew with ENCODING 'UTF8'.")
    for name in _DURABLE:
        (value,) = _row(connection, "SELECT current_setting(:name)", name=name)
        if value == "off":
            yield warning(
                check,
                f"{name} is off, so a power cut loses what was committed",
                f"ALTER SYSTEM SET {name} = on; SELECT pg_reload_conf();",
            )


def _app_role(connection: Connection) -> Iterator[Finding]:
    check = "app_role"
    name, superuser, bypasses, makes_roles, owns, becomes = _row(
        connection,
        "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole,"
        " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        "  WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relowner = r.oid),"
        " (SELECT string_agg(o.rolname, ', ') FROM pg_roles o WHERE o.oid <> r.oid AND pg_has_role(r.oid, o.oid, 'MEMBER')"
        "  AND (o.rolsuper OR o.rolbypassrls OR EXISTS (SELECT 1 FROM pg_class t JOIN pg_namespace s"
        "   ON s.oid = t.relnamespace WHERE s.nspname = 'public' AND t.relowner = o.oid)))"
        " FROM pg_roles r WHERE rolname = current_user",
    )
    faults = {
        "is a superuser": superuser,
        "may bypass row-level security": bypasses,
        "may make roles": makes_roles,
        "owns tables": owns,
        f"may become {becomes}": becomes,
    }
    if wrong := [what for what, is_so in faults.items() if is_so]:
        yield failure(check, f"{name} {', '.join(wrong)}", _ROLES_SQL)
    else:
        yield ok(check, f"{name} is bound by row-level security and cannot lift it")


def _walls(connection: Connection) -> Iterator[Finding]:
    check = "tenant_walls"
    tables, open_ones = _row(
        connection,
        "SELECT count(*), string_agg(c.relname, ', ' ORDER BY c.relname)"
        "  FILTER (WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity))"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id'"
        " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p')",
    )
    if open_ones:
        yield failure(
            check,
            f"row-level security is not forced on {open_ones}",
            "Run `headshots migrate` as the tables' owner.",
        )
    elif not tables:
        yield failure(check, "there are no tables", "Run `headshots migrate`.")
    else:
        (seen,) = _row(connection, "SELECT count(*) FROM members")
        if seen:
            yield failure(check, f"without a company {seen} people are seen", _ROLES_SQL)
        else:
            yield ok(check, f"forced on {tables} tables; without a company nobody is seen")


def _names(connection: Connection) -> Iterator[Finding]:
    check = "names"
    try:
        sealed, whole = _row(
            connection,
            "SELECT (SELECT sealed_at IS NOT NULL FROM installation), EXISTS (SELECT FROM directory_state)",
        )
    except ProgrammingError:  # an earlier schema, which is told above
        connection.rollback()
        return
    if not whole:
        yield failure(
            check,
            "the directory of people is empty: the server crashed, or another one took over",
            "The scheduler fills it again within seconds; by hand: `headshots directory rebuild`.",
        )
    elif sealed is False:
        yield warning(
            check,
            "names and measures still lie open, also in backups, as the release before knows them",
            "Once every process is of this release: `headshots migrate --seal`.",
        )
    else:
        yield ok(check, "backups hold names and measures sealed only")


def _lookup_role(connection: Connection) -> Iterator[Finding]:
    check = "lookup_role"
    name, logs_in, superuser, bypasses = _row(
        connection,
        "SELECT r.rolname, r.rolcanlogin, r.rolsuper, r.rolbypassrls FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner"
        " WHERE p.proname = 'find_organization'",
    )
    if logs_in or superuser or bypasses:
        yield failure(
            check,
            f"{name}, which answers before a company is known, may do more than that",
            f"ALTER ROLE {name} NOLOGIN NOSUPERUSER NOBYPASSRLS;",
        )
    else:
        yield ok(check, f"{name} answers look-ups and cannot sign in")


def _schema(connection: Connection) -> Iterator[Finding]:
    check = "migrations"
    try:
        demand_schema(connection)
    except SchemaTooOld as error:
        yield failure(check, error.operator, "Run `headshots migrate` of the newest release.")
    else:
        (at,) = _row(connection, "SELECT version_num FROM alembic_version")
        yield ok(check, f"at {at}, and this release needs {HEAD}")


def owner() -> Iterator[Finding]:
    """The tables' owner, who migrates."""
    check = "owner_role"
    url = settings().database_owner_url
    if url is None:
        yield skipped(check, "HEADSHOTS_DATABASE_OWNER_URL is not set; only `headshots migrate` needs it")
        return
    with _connect(url.get_secret_value()) as connection:
        name, superuser, strangers = _row(
            connection,
            "SELECT current_user, (SELECT rolsuper FROM pg_roles WHERE rolname = current_user),"
            " (SELECT count(*) FROM pg_tables WHERE schemaname = 'public' AND tableowner <> current_user)",
        )
    if strangers:
        yield failure(
            check,
            f"{strangers} tables belong to somebody else than {name}",
            f"REASSIGN OWNED BY … TO {name};",
        )
    elif superuser:
        yield warning(
            check, f"{name} is a superuser", "Migrate as a role that owns the tables and nothing more."
        )
    else:
        yield ok(check, f"{name} owns the tables")


def keys_database() -> Iterator[Finding]:
    """The key store's database, best on another server."""
    check = "keys_database"
    url = settings().keys_database_url.get_secret_value()
    with _connect(url) as connection:
        yield from _server(check, connection)
    yield ok(check, f"the current epoch is {health.ask_keys_database()}")
    apart, main = make_url(url), make_url(settings().database_url.get_secret_value())
    same_host = (apart.host, apart.query.get("host")) == (main.host, main.query.get("host"))
    if same_host and apart.port == main.port and settings().is_production:
        yield warning(
            check,
            "it is on the main database's server, whose backups and administrators then have both",
            "Move it to a server of its own and set HEADSHOTS_KEYS_DATABASE_URL.",
        )


def scheduler() -> Iterator[Finding]:
    """Whether somebody gives work its time."""
    check = "scheduler"
    number = locks.number(locks.Space.SCHEDULER)
    with _connect(settings().database_url.get_secret_value()) as connection:
        (leads,) = _row(
            connection,
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND ((classid::bigint << 32) | objid::bigint) = :number",
            number=number,
        )
    if leads:
        yield ok(check, "one leads")
    else:
        yield warning(
            check,
            "none runs, so mails, checks, pictures and deletions wait",
            "Start `headshots scheduler`; before the first start this is expected.",
        )


def redis_server() -> Iterator[Finding]:
    """Redis: its version, and whether it forgets of its own accord."""
    check = "redis"
    url = settings().redis_url.get_secret_value()
    with redis.Redis.from_url(url, **redis_options(url)) as client:
        told: dict[str, Any] = client.info()
    version = str(told["redis_version"])
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        yield failure(check, f"Redis {version} answers", "Upgrade to Redis 6.2 or newer.")
    else:
        yield ok(check, f"Redis {version} answers")
    if told.get("maxmemory") and told.get("maxmemory_policy") != "noeviction":
        yield warning(
            check,
            f"it drops keys when it is full ({told.get('maxmemory_policy')}); work is then delivered again",
            "Set `maxmemory-policy noeviction`.",
        )
