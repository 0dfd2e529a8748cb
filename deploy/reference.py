"""Writes what the code says of itself into `docs/`: settings, commands, permissions, addresses.

Run it after a change of any: `python -m deploy.reference`. A test holds the files against the code.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from core import personal
from core.models.artifact import CATEGORIES
from core.models.base import Base
from core.permissions import ROLES, Permission
from core.personal import Harmless, Personal
from core.settings import settings_table
from deploy.cli import main as command_line

if TYPE_CHECKING:
    from flask import Flask

DOCS = Path(__file__).parents[1] / "docs"
_PLACEHOLDERS = {
    "HEADSHOTS_ENVIRONMENT": "test",
    "HEADSHOTS_SECRET_KEY": "of no use to anyone, and 32 characters long",
    **{
        f"HEADSHOTS_{name}": value
        for name, value in {
            "BASE_URL": "http://localhost",
            "OPERATOR_NAME": "nobody",
            "STORAGE_REGION": "nowhere",
            "DATABASE_URL": "postgresql+psycopg://nobody@localhost/none",
            "KEYS_DATABASE_URL": "postgresql+psycopg://nobody@localhost/none",
            "REDIS_URL": "redis://localhost:1",
            "STORAGE_URL": "memory:///",
            "SMTP_URL": "smtp://localhost:1",
            "KEYRING_PATH": "/nonexistent",
            "SIGNING_PATH": "/nonexistent",
        }.items()
    },
}
_NOTE = "<!-- Written by `python -m deploy.reference`; change the code, not this. -->\n\n"


def settings_page() -> str:
    """Return `docs/settings.md`."""
    return (
        f"{_NOTE}# Settings\n\nEvery setting is an environment variable. A process that misses one says which, "
        f"and does not start.\n\n{settings_table()}\n"
    )


def reference_page(apps: list[Flask]) -> str:
    """Return `docs/reference.md` with the addresses of `apps`."""
    parts = [
        "# Reference",
        "## Commands\n\n`headshots COMMAND --help` lists the options of each.",
        "| command | does |\n|---|---|\n" + "\n".join(f"| `{name}` | {does} |" for name, does in commands()),
        "## Permissions\n\nOne map, `core/permissions.py`, says which role may do what.",
        _permissions(),
        "## Addresses\n\nBy the module that answers them. `<token>` and `<receipt>` are secrets.",
        *(_addresses(app) for app in apps),
        (
            "Each web process also answers `/healthz` (it lives), `/readyz` (as JSON: 503 without the database, at "
            "this release's schema, the keys database, the keyring or the storage) and `/metrics`."
        ),
        (
            "## What is personal\n\nEach column that says something about somebody, and what erasure leaves there. Times and "
            "opaque ids stay."
        ),
        _personal(),
        "And each kind of stored bytes; the key that opens them is destroyed, then they are.",
        "| bytes | about somebody |\n|---|---|\n"
        + "\n".join(
            f"| `{kind.value}` | {said.value if said else ''} |" for kind, said in CATEGORIES.items()
        ),
    ]
    return _NOTE + "\n\n".join(parts) + "\n"


def commands() -> Iterator[tuple[str, str]]:
    """Yield every command's full name and the first sentence of its help."""

    def walk(group: click.Group, prefix: str) -> Iterator[tuple[str, str]]:
        for name, command in sorted(group.commands.items()):
            if command.hidden:
                continue
            if isinstance(command, click.Group):
                yield from walk(command, f"{prefix}{name} ")
            else:
                yield f"{prefix}{name}", _cell((command.help or "").partition("\n\n")[0])

    yield from walk(command_line, "")


def _permissions() -> str:
    head = "| permission | " + " | ".join(role.value for role in ROLES) + " |\n|---|" + "---|" * len(ROLES)
    rows = [
        f"| `{one.value}` | " + " | ".join("yes" if one in held else "" for held in ROLES.values()) + " |"
        for one in Permission
    ]
    return "\n".join([head, *rows])


def _addresses(app: Flask) -> str:
    groups: dict[str, list[str]] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint.endswith("static"):
            continue
        module = app.view_functions[rule.endpoint].__module__
        methods = ", ".join(sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}))
        groups.setdefault(module, []).append(f"{methods} `{rule.rule}`")
    rows = [
        f"| `{module}` | {_cell(importlib.import_module(module).__doc__)} | {'<br>'.join(sorted(rules))} |"
        for module, rules in sorted(groups.items())
    ]
    return f"### {app.name}\n\n| module | topic | addresses |\n|---|---|---|\n" + "\n".join(rows)


def _personal() -> str:
    rows = []
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            match personal.declared(column):
                case Personal(category, erased):
                    left = "the row's id" if erased is personal.OWN_ID else json.dumps(erased)
                    rows.append(f"| `{table.name}.{column.name}` | {category.value} | {left} |")
                case Harmless() as why:
                    rows.append(f"| `{table.name}.{column.name}` | | stays: {why.value} |")
    return "| column | about somebody | after erasure |\n|---|---|---|\n" + "\n".join(rows)


def _cell(text: str | None) -> str:
    first = " ".join((text or "").strip().partition("\n\n")[0].split())
    return first.replace("|", "\\|")


def pages(apps: list[Flask]) -> dict[str, str]:
    """Return every generated page by its file name under `docs/`."""
    return {"settings.md": settings_page(), "reference.md": reference_page(apps)}


def main() -> int:
    """Write the pages; needs no database, since nothing is asked of one until a page is visited."""
    os.environ.update(_PLACEHOLDERS)  # noqa: TID251 - an app wants settings, and none of them is used
    from admin.app import create_app as create_admin
    from portal.app import create_app as create_portal

    for name, text in pages([create_portal(), create_admin()]).items():
        (DOCS / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
