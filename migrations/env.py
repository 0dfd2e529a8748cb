"""Alembic's entry: runs as the tables' owner, each migration under lock and statement timeouts."""

from __future__ import annotations

from alembic import context
from sqlalchemy import create_engine, text

from core.models import Base


def run() -> None:
    url = context.config.attributes["url"]
    engine = create_engine(url)
    with engine.connect() as connection:
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.commit()
        context.configure(connection=connection, target_metadata=Base.metadata, compare_type=True)
        with context.begin_transaction():
            context.run_migrations()
    engine.dispose()


run()
