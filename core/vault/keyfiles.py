"""Files that hold an epoch's key: written whole or not at all, and overwritten before they go, drafts included.

Whoever is killed while writing leaves a draft, which holds the key as well. So it counts as the key until it is gone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core import belonging


def drafts(folder: Path, epoch: int) -> list[Path]:
    """Return what writers of the epoch's key left behind or are writing now."""
    return sorted(folder.glob(f".epoch-{epoch}.*.draft"))


@contextmanager
def draft(folder: Path, epoch: int, content: bytes) -> Iterator[Path]:
    """Write `content` under another name, to be linked or renamed inside; nothing of the draft is left after it.

    Raises:
        OSError: the folder is full, closed to us or away.
    """
    path = folder / f".epoch-{epoch}.{os.getpid()}.draft"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            belonging.give(descriptor, folder)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield path
    finally:
        path.unlink(missing_ok=True)


def shred(folder: Path, epoch: int, path: Path) -> None:
    """Overwrite and remove `path` and each draft of the epoch, and make the removal durable; nothing there is fine."""
    there = [each for each in (path, *drafts(folder, epoch)) if each.exists()]
    for each in there:
        with each.open("r+b") as file:
            file.write(bytes(each.stat().st_size))
            file.flush()
            os.fsync(file.fileno())
        each.unlink()
    if there:
        sync(folder)


def sync(folder: Path) -> None:
    """Make what was linked, renamed or removed in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
