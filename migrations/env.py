"""Alembic's entry: runs as the tables' owner, each migration under lock and statement timeouts."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine, text

from core.models import Base


def run() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    engine = create_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        migrate(connection)
    engine.dispose()


def migrate(connection: Connection) -> None:
    """Run the migrations; on a connection that is in a transaction they join it."""
    inside = connection.in_transaction()
    connection.execute(text("SET lock_timeout = '5s'"))
    connection.execute(text("SET statement_timeout = '60s'"))
    if not inside:
        connection.commit()
    context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
    with context.begin_transaction():
        context.run_migrations()


run()
