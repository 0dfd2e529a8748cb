"""Bringing the main database to a schema: the newest, or that of an earlier release as long as nothing is lost."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

import migrations
from core.connections import postgres_engine, trusting
from core.errors import Misfit

MIGRATIONS = Path(migrations.__file__).parent
# Column → its default as SQL, for every column of every table of ours.
_COLUMNS = """
    SELECT table_name || '.' || column_name, column_default FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = 'public')
"""


class NoSuchMigration(Misfit):
    """No migration has this number."""

    code = "no_such_migration"


class WouldLose(Misfit):
    """An earlier schema has no place for something that is there."""

    code = "would_lose"


def alembic_config(url: str, connection: Connection | None = None) -> Config:
    """Return Alembic's configuration for the database at `url`, or for an open connection to it."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = trusting(url)
    config.attributes["connection"] = connection
    return config


def migrate(owner_url: str) -> None:
    """Upgrade the main database; needs the owner's address, not the app's."""
    command.upgrade(alembic_config(owner_url), "head")


def migrate_to(owner_url: str, revision: str, *, lose: Collection[str] = ()) -> list[str]:
    """Bring the main database to `revision`, forth or back; all of it or nothing.

    Args:
        owner_url: the owner's address.
        revision: number of a migration, such as `0016`.
        lose: tables, and columns as `table.column`, that may go with what is in them.

    Returns:
        The tables and columns that went.

    Raises:
        NoSuchMigration: there is none of this number.
        WouldLose: something else that would go is not empty; nothing was changed.
    """
    script = ScriptDirectory(str(MIGRATIONS))
    known = [one.revision for one in script.walk_revisions()]  # the newest first
    if revision not in known:
        raise NoSuchMigration(
            operator=f"There is no migration {revision}. They go from {known[-1]} to {known[0]}."
        )
    engine = postgres_engine(owner_url)
    try:
        with engine.begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
            config = alembic_config(owner_url, connection)
            if current is None or known.index(revision) <= known.index(current):
                command.upgrade(config, revision)
                return []
            # Once to see what goes, and back; what goes is looked at before it does.
            before = _columns(connection)
            trial = connection.begin_nested()
            command.downgrade(config, revision)
            after = _columns(connection)
            trial.rollback()
            gone = _gone(before, after)
            kept = [name for name in gone if name not in lose and _holds_something(connection, name, before)]
            if kept:
                raise WouldLose(
                    operator=f"Going back to {revision} would lose what is in {', '.join(kept)}. Nothing was changed. The release before "
                    "works with the newer schema too, so most often nothing has to go back; if these may be lost, name each: "
                    f"{' '.join(f'--lose {name}' for name in kept)}."
                )
            command.downgrade(config, revision)
            return gone
    finally:
        engine.dispose()


def _columns(connection: Connection) -> dict[str, str | None]:
    return {row[0]: row[1] for row in connection.execute(text(_COLUMNS))}


def _gone(before: Collection[str], after: Collection[str]) -> list[str]:
    """Return the tables that go, and the columns of tables that stay."""
    columns = sorted(set(before) - set(after))
    tables = {name.partition(".")[0] for name in before} - {name.partition(".")[0] for name in after}
    return sorted(tables) + [name for name in columns if name.partition(".")[0] not in tables]


def _holds_something(connection: Connection, name: str, defaults: dict[str, str | None]) -> bool:
    """Whether a table has a row, or a column anything but nothing and its default."""
    table, _, column = name.partition(".")
    quote = connection.dialect.identifier_preparer.quote
    where = ""
    kept = text("SELECT relpersistence <> 'u' FROM pg_class WHERE oid = to_regclass(:table)")
    if not column and not connection.scalar(kept, {"table": quote(table)}):
        return False  # an unlogged table has nothing of its own: it is filled from others, as after a crash
    if column:
        default = defaults[name]
        where = f" WHERE {quote(column)} IS NOT NULL"
        where += f" AND {quote(column)}::text IS DISTINCT FROM ({default})::text" if default else ""
    with connection.begin_nested() as look:
        # Row-level security binds the owner as well, who would find every table empty.
        connection.execute(text(f"ALTER TABLE {quote(table)} NO FORCE ROW LEVEL SECURITY"))
        asked = f"SELECT EXISTS (SELECT FROM {quote(table)}{where})"  # noqa: S608 - names of the catalogue, quoted
        found = connection.execute(text(asked)).scalar_one()
        look.rollback()
    return bool(found)
