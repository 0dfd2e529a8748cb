"""Whose a file is that root writes: an operator's command must leave no key that the processes cannot read."""

from __future__ import annotations

import os
from pathlib import Path


def give(descriptor: int, folder: Path) -> None:
    """Let a new file belong to whom its folder belongs to, where root writes it; anybody else's is theirs anyway.

    Args:
        descriptor: of the open file.
        folder: where it lies.

    Raises:
        OSError: the file system has no such owner.
    """
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)
