"""Bringing the databases to the newest schema."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

import migrations

MIGRATIONS = Path(migrations.__file__).parent


def alembic_config(url: str) -> Config:
    """Return Alembic's configuration for the database at `url`."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["url"] = url
    return config


def migrate(owner_url: str) -> None:
    """Upgrade the main database; needs the owner's address, not the app's."""
    command.upgrade(alembic_config(owner_url), "head")
