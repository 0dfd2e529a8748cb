"""The command line, one file a topic; `main` has them all."""

from __future__ import annotations

from deploy.cli import (
    adapter,
    backup,
    bounces,
    closing,
    company,
    directory,
    doctor,
    jobs,
    keys,
    local,
    member,
    pictures,
    serve,
    storage,
)
from deploy.cli.group import main

__all__ = [
    "adapter",
    "backup",
    "bounces",
    "closing",
    "company",
    "directory",
    "doctor",
    "jobs",
    "keys",
    "local",
    "main",
    "member",
    "pictures",
    "serve",
    "storage",
]
