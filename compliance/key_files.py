"""Files of signing keys: made once, whole or not at all, readable by their owner only."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from core import belonging
from core.errors import ConfigurationError


def create(file: Path, make: Callable[[], bytes]) -> None:
    """Write `file` whole where there is none.

    A hard link either appears complete or fails because another process was first; then theirs counts.
    """
    if not file.exists():
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as stream:
                belonging.give(handle, file.parent)
                stream.write(make())
                stream.flush()
                os.fsync(stream.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(name, file)
            _sync_folder(file.parent)
        finally:
            Path(name).unlink()


def _sync_folder(folder: Path) -> None:
    """Make a new name in `folder` survive a power cut before anything is signed with the key behind it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unusable(path: Path, error: OSError) -> ConfigurationError:
    """Return what to tell where the folder of the signing keys is closed or full."""
    return belonging.unreadable(error) or ConfigurationError(
        f"The evidence signing keys in {path} cannot be read or created: {error.strerror}. "
        "Check HEADSHOTS_SIGNING_PATH and its permissions."
    )
